import { isUtf8 } from 'node:buffer';
import { countIn, isRecord, propertiesIn } from '../../message-bytes.js';
import type { DeadLetter, Message } from '../../transport.js';

/** An entry of a stream. */
export interface Entry {
  readonly id: string;
  /** Names and values by turns, as the server gives them. */
  readonly fields: readonly unknown[];
}

const PROPERTIES = Buffer.from('properties');
const DELIVERIES = Buffer.from('deliveries');
const BODY = Buffer.from('body');
const ABOUT = Buffer.from('about');
const NO_DELIVERY = 0x30;

/** How many bytes a body may have to be sent as text. */
const LONGEST_TEXT = 64 * 1024;

/** The fields of a message. @param deliveries - How often it was given before, as another entry. */
export function fieldsOf({ properties, body }: Message, deliveries = 0): (string | Buffer)[] {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  // The driver sends texts alone in half the time.
  const sent = bytes.length <= LONGEST_TEXT && isUtf8(bytes) ? bytes.toString() : bytes;
  return ['properties', JSON.stringify(properties), 'deliveries', String(deliveries), 'body', sent];
}

/** The fields of a dead letter. */
export function deadFieldsOf(letter: Omit<DeadLetter, 'id'>): (string | Buffer)[] {
  const { message, deliveries, kind, place, reason, at } = letter;
  // Texts as JSON: half a character has no UTF-8.
  const about = JSON.stringify({ kind, place, reason, at });
  return [...fieldsOf(message, deliveries), 'about', about];
}

export function messageIn({ fields }: Entry): Message | null {
  const properties = propertiesIn(jsonIn(valueIn(fields, PROPERTIES)));
  const body = valueIn(fields, BODY);
  return properties !== null && body !== undefined ? { properties, body } : null;
}

/** What somebody else wrote, as a message without properties: its body, or all that it has, a line each. */
export function foreignIn({ fields }: Entry): Message {
  const lines = () =>
    pairsIn(fields).flatMap(([name, value]) => [Buffer.from(`${name.toString()}: `), value, Buffer.from('\n')]);
  return { properties: { type: '' }, body: valueIn(fields, BODY) ?? Buffer.concat(lines()) };
}

export function deliveriesIn({ fields }: Entry): number {
  const count = valueIn(fields, DELIVERIES);
  if (count?.length === 1 && count[0] === NO_DELIVERY) return 0;
  return countIn(Number(count?.toString()));
}

export function deadLetterIn(entry: Entry): DeadLetter | null {
  const message = messageIn(entry);
  const about = jsonIn(valueIn(entry.fields, ABOUT));
  if (message === null || !isRecord(about)) return null;
  const { kind, place, reason, at } = about;
  if (kind !== 'queue' && kind !== 'mailbox') return null;
  if (typeof place !== 'string' || typeof reason !== 'string' || typeof at !== 'number') return null;
  return { id: entry.id, message, kind, place, reason, deliveries: deliveriesIn(entry), at };
}

/** Entries in a reply of XRANGE, XCLAIM, or for one stream of XREADGROUP. Those that were deleted have none. */
export function entriesIn(reply: unknown): Entry[] {
  const entries: Entry[] = [];
  if (!isList(reply)) return entries;
  for (const each of reply) {
    if (!isList(each)) continue;
    const [id, fields] = each;
    if (id instanceof Buffer && isList(fields)) entries.push({ id: id.toString('latin1'), fields });
  }
  return entries;
}

/** Entries in a reply of XREADGROUP for one stream. */
export function entriesRead(reply: unknown): Entry[] {
  const [stream] = isList(reply) ? reply : [];
  return isList(stream) ? entriesIn(stream[1]) : [];
}

/** The entries that somebody has, and how often each was given, in a reply of XPENDING. */
export function pendingIn(reply: unknown): ReadonlyMap<string, number> {
  const pending = new Map<string, number>();
  for (const each of isList(reply) ? reply : []) {
    const [id, , , count] = isList(each) ? each : [];
    if (id instanceof Buffer) pending.set(id.toString(), Number(count));
  }
  return pending;
}

/** The last of a name counts: the fields of a message are few, and in order. */
function valueIn(fields: readonly unknown[], name: Buffer): Buffer | undefined {
  for (let index = fields.length - (fields.length % 2) - 2; index >= 0; index -= 2) {
    const [each, value] = [fields[index], fields[index + 1]];
    if (each instanceof Buffer && value instanceof Buffer && name.equals(each)) return value;
  }
  return undefined;
}

function pairsIn(fields: readonly unknown[]): (readonly [Buffer, Buffer])[] {
  const pairs: (readonly [Buffer, Buffer])[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [name, value] = [fields[index], fields[index + 1]];
    if (name instanceof Buffer && value instanceof Buffer) pairs.push([name, value]);
  }
  return pairs;
}

function jsonIn(bytes: Buffer | undefined): unknown {
  try {
    return JSON.parse(bytes?.toString() ?? 'null');
  } catch {
    return null;
  }
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
