import { readFile } from 'node:fs/promises';

/** What a section of the README shows of a terminal. */
export interface Transcript {
  /** By the name in its first line. */
  readonly files: ReadonlyMap<string, string>;
  readonly steps: readonly { readonly command: string; readonly output: string }[];
  readonly text: string;
}

/** The files and the commands of a section, with what they print. */
export async function transcriptOf(heading: string): Promise<Transcript> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const text = readme.split(/^## /m).find((section) => section.startsWith(`${heading}\n`)) ?? '';
  const files = new Map(
    Array.from(text.matchAll(/^```js\n\/\/ (?<name>\S+)\n(?<code>[^]*?)^```$/gm), ({ groups }) => [
      groups!['name']!,
      groups!['code']!,
    ]),
  );
  const consoles = Array.from(text.matchAll(/^```console\n(?<lines>[^]*?)^```$/gm), ({ groups }) => groups!['lines']!);
  const steps = consoles
    .join('')
    .split(/^\$ /m)
    .slice(1)
    .map((step) => {
      const end = step.indexOf('\n');
      return { command: step.slice(0, end), output: step.slice(end + 1) };
    });
  return { files, steps, text };
}

/** A text without what is different in each run: times, and uuids, which are numbered as they come. */
export function withoutChance(text: string, uuids: string[]): string {
  return text
    .replaceAll(/[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g, (uuid) => {
      if (!uuids.includes(uuid)) uuids.push(uuid);
      return `<run ${uuids.indexOf(uuid)}>`;
    })
    .replaceAll(/\d+\.\d s\b/g, '<duration>')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/g, '<date>');
}
