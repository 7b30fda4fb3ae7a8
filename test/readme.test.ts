import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';

/*
 * Every TypeScript block of the README is run, in a folder of its own. What it prints has to be what its `// →` lines
 * say.
 */

const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8');
const blocks = [...readme.matchAll(/^#+ (?<heading>.*)$|^```ts\n(?<code>[\s\S]*?)^```$/gm)].reduce<
  { heading: string; code: string }[]
>((found, { groups }) => {
  const heading = groups?.['heading'] ?? found.at(-1)?.heading ?? '';
  return [...found, { heading, code: groups?.['code'] ?? '' }];
}, []);
const runnable = blocks.filter(({ code }) => code !== '');

const own = new URL('.', import.meta.url).pathname;
const written: string[] = [];

async function run(code: string, name: string): Promise<string[]> {
  const file = join(own, `.readme-${name}.ts`);
  written.push(file);
  await writeFile(file, `${code}\nexport {};\n`);
  const printed: string[] = [];
  vi.spyOn(console, 'log').mockImplementation((...args: unknown[]) => void printed.push(format(...args)));
  await import(/* @vite-ignore */ `./.readme-${name}.ts`);
  return printed;
}

describe('the README', () => {
  const before = process.cwd();
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowstate-readme-'));
    process.chdir(folder);
  });
  afterEach(() => {
    vi.restoreAllMocks();
  });
  afterAll(async () => {
    process.chdir(before);
    await Promise.all([rm(folder, { recursive: true }), ...written.map((file) => rm(file, { force: true }))]);
  });

  it('has code', () => {
    expect(runnable.length).toBeGreaterThan(5);
  });

  it.each(runnable.map((block, index) => ({ ...block, index })))(
    '$heading: block $index does what it says',
    async ({ code, index }) => {
      const promised = [...code.matchAll(/^\/\/ → (.*)$/gm)].map(([, line]) => line);
      expect(promised.length).toBeGreaterThan(0);
      expect(await run(code, String(index))).toEqual(promised);
    },
  );
});
