import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseCase, readCaseDirectory } from './case.js';
import { mutationsOf } from './mutate.js';
import { seededRandom } from '../../src/testing/seeded-random.js';

const minimal = {
  name: 'a case',
  group: 'made up',
  origin: 'own',
  features: [],
  pins: [],
  orderSensitivity: 'none',
  threadsAgree: false,
  flow: { type: 'task', name: 'a' },
  engine: { deferReverts: true },
  runs: [],
  expected: { build: { ok: true } },
};

function isCase(data: unknown): boolean {
  try {
    parseCase(data);
    return true;
  } catch {
    return false;
  }
}

describe('a case', () => {
  it('is handed on as it was read, with names that an object inherits', () => {
    const text = JSON.stringify(minimal).replace('"name":"a"', '"name":"a","inject":{"__proto__":1,"constructor":2}');
    expect(JSON.stringify(parseCase(JSON.parse(text)))).toBe(text);
  });

  it('is refused with the place that is wrong', () => {
    expect(() =>
      parseCase({ ...minimal, flow: { type: 'flow', pattern: 'linear', name: 'f', children: [{ type: 'task' }] } }),
    ).toThrow('flow.children.0.name');
    expect(() => parseCase({ ...minimal, engine: {} })).toThrow('engine.deferReverts');
    expect(() => parseCase({ ...minimal, runs: [{ flow: minimal.flow }] })).toThrow('flow needs engine');
    expect(() => parseCase({ ...minimal, extra: 1 })).toThrow('extra');
    expect(() => parseCase(null)).toThrow('not a case');
  });

  it('is what the JSON Schema of the format says', () => {
    // zod reads all of it but the two rules about members that need one another.
    const withoutRules = (key: string, value: unknown) => (key === 'dependentRequired' ? undefined : value);
    const text = readFileSync(join(import.meta.dirname, 'case.schema.json'), 'utf8');
    const official = z.fromJSONSchema(JSON.parse(text, withoutRules) as z.core.JSONSchema.JSONSchema);
    const random = seededRandom(3);
    let refused = 0;
    for (const entry of readCaseDirectory(join(import.meta.dirname, 'cases'))) {
      if (!('test' in entry)) throw new Error(`${entry.title}: ${entry.problem}`);
      expect(official.safeParse(entry.test).success, entry.title).toBe(true);
      for (const { what, mutated } of mutationsOf(entry.test, 1, random)) {
        const verdict = official.safeParse(mutated).success;
        expect(isCase(mutated), `${entry.title}: ${what}`).toBe(verdict);
        if (!verdict) refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(100);
  }, 60_000);
});

describe('a directory of case files', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'cases-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function write(file: string, content: unknown): void {
    writeFileSync(join(directory, file), typeof content === 'string' ? content : JSON.stringify(content));
  }

  it('gives the cases of all its files', () => {
    write('b.json', [{ ...minimal, name: 'two' }]);
    write('a.json', [minimal]);
    write('readme.txt', 'no case');
    expect(readCaseDirectory(directory).map(({ title }) => title)).toEqual(['made up/a case', 'made up/two']);
  });

  it('has an entry with a problem for each thing that is no case', () => {
    write('a.json', '[{');
    write('b.json', {});
    write('c.json', [1, { ...minimal, runs: 1 }, minimal, minimal]);
    const entries: unknown = readCaseDirectory(directory);
    const containing = (text: string): unknown => expect.stringContaining(text);
    expect(entries).toMatchObject([
      { title: 'a.json', problem: containing('cannot be read') },
      { title: 'b.json', problem: 'not an array of cases' },
      { title: 'c.json[0]', problem: containing('not a case') },
      { title: 'made up/a case', problem: containing('runs') },
      { title: 'made up/a case', problem: 'another case has the same group and name' },
      { title: 'made up/a case', problem: 'another case has the same group and name' },
    ]);
    expect(readCaseDirectory(join(directory, 'none'))).toHaveLength(1);
  });
});
