import type { Change } from './record-store.js';

/** ZooKeeper takes at most a megabyte in one request, and in one node. */
export const LONGEST_TEXT = 100_000;
export const REQUEST_BYTES = 400_000;
/** What a step takes in a request beside its path and its text. */
const STEP_BYTES = 100;

/** What a node begins with whose text is in parts: their name and how many they are follow. */
export const IN_PARTS = '>';

/** The names of the parts that a text is in; null for one that is whole. */
export function partsIn(text: string): readonly string[] | null {
  if (!text.startsWith(IN_PARTS)) return null;
  const [id = '', count = '0'] = text.slice(IN_PARTS.length).split(' ');
  return Array.from({ length: Number(count) }, (_, index) => `${id}-${index}`);
}

/** No part begins in the middle of a character. */
export function splitText(text: string): readonly string[] {
  const parts: string[] = [];
  for (let start = 0; start < text.length;) {
    let stop = Math.min(start + LONGEST_TEXT, text.length);
    if (stop < text.length && /[\ud800-\udbff]/.test(text.charAt(stop - 1))) stop -= 1;
    parts.push(text.slice(start, stop));
    start = stop;
  }
  return parts;
}

/** How much of a request changes take. */
export function bytesOf(changes: readonly Change[]): number {
  return changes.reduce(
    (sum, [table, key, text]) => sum + 2 * (table.length + key.length + STEP_BYTES) + Buffer.byteLength(text ?? ''),
    0,
  );
}

/** Changes in groups that a request can take. */
export function inRequests(changes: readonly Change[]): readonly (readonly Change[])[] {
  const requests: Change[][] = [];
  let room = 0;
  for (const change of changes) {
    const bytes = bytesOf([change]);
    if (bytes > room) {
      requests.push([]);
      room = REQUEST_BYTES;
    }
    requests.at(-1)?.push(change);
    room -= bytes;
  }
  return requests;
}
