import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Built } from './programs.js';
import { buildExamples, run } from './programs.js';

const FOLDER = new URL('../../examples/', import.meta.url);
const names = (await readdir(FOLDER))
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -'.ts'.length));

describe('examples', () => {
  let built: Built;
  beforeAll(async () => {
    built = await buildExamples();
  });
  afterAll(() => built[Symbol.asyncDispose]());

  it('are there', () => {
    expect(names).toContain('first-flow');
  });

  it('are shown in the README as they are', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = [...readme.matchAll(/^<!-- examples\/(?<name>[\w.-]+) -->\n+```\w*\n(?<text>[\s\S]*?)^```$/gm)];
    expect(shown.length).toBeGreaterThan(1);
    for (const { groups = {} } of shown) {
      const source = await readFile(new URL(groups['name'] ?? '', FOLDER), 'utf8');
      const dedented = source.replace(/^ {2}/gm, '');
      expect(`${source}${dedented}`).toContain(groups['text']);
    }
  });

  it.each(names)('%s prints what is written beside it', async (name) => {
    const expected = await readFile(new URL(`${name}.out`, FOLDER), 'utf8');
    expect(await run(built.file(`examples/${name}.ts`), [])).toMatchObject({ code: 0, stdout: expected, stderr: '' });
  });
});
