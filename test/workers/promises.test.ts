import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/* The page about workers names the tests that prove its promises. */

const page = await readFile(new URL('../../docs/workers.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\|\s*(?<number>\d+)\s*\|[^|]+\|(?<tests>[^|]+)\|$/gm)].map(({ groups = {} }) => ({
  number: Number(groups['number']),
  tests: (groups['tests'] ?? '')
    .trim()
    .split('<br>')
    .map((text) => /^`(?<file>[\w/.-]+\.ts)`: (?<name>.+)$/.exec(text)?.groups ?? {}),
}));

describe('the page about workers', () => {
  it('has the thirteen promises', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 13 }, (_, index) => index + 1));
  });

  it.each(rows)('names tests of promise $number that exist', async ({ tests }) => {
    expect(tests.length).toBeGreaterThan(0);
    for (const { file = '', name = '' } of tests) {
      const source = await readFile(new URL(file, import.meta.url), 'utf8');
      expect(source, `${file}: ${name}`).toMatch(new RegExp(`\\bit\\(\\s*'${escaped(name)}'`));
    }
  });

  it('shows recorded diagrams', async () => {
    const shown = [...page.matchAll(/<!-- diagram: (?<name>[\w-]+) -->\n+```mermaid\n(?<text>[\s\S]*?)```/g)];
    expect(shown.length).toBe(3);
    for (const { groups = {} } of shown) {
      const file = new URL(`../../visualizations/diagrams/${groups['name'] ?? ''}.mmd`, import.meta.url);
      expect(groups['text']).toBe(await readFile(file, 'utf8'));
    }
  });
});

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
