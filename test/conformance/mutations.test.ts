import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCase, readCaseDirectory } from './case.js';
import { compareCase } from './compare.js';
import { mutationsOf } from './mutate.js';
import { sample } from './random.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { recordCase } from './runner.js';
import { openMemory } from './stores.js';

const PER_CASE = 6;
const RECORDED_CASES = 80;

const cases = readCaseDirectory(join(import.meta.dirname, 'cases')).flatMap((entry) =>
  'test' in entry && (entry.test.expected.runs?.length ?? 0) > 0 ? [entry.test] : [],
);

describe('a change of what a case expects', () => {
  it('is found in every case, wherever it is', () => {
    const random = seededRandom(20_261_122);
    let tried = 0;
    const missed: string[] = [];
    for (const test of cases) {
      const record = { ...test.expected, runs: test.expected.runs ?? [] };
      for (const { what, mutated } of mutationsOf(test.expected.runs, PER_CASE, random)) {
        tried += 1;
        const other = parsedRuns(test, mutated);
        if (other === null) continue;
        if (compareCase(test, record, 'exact', other).next().done === true)
          missed.push(`${test.group}/${test.name}: ${what}`);
      }
    }
    expect(missed).toEqual([]);
    expect(tried).toBeGreaterThan(4000);
  }, 60_000);

  it('is found when an engine really ran the case', async () => {
    const random = seededRandom(7);
    const missed: string[] = [];
    let tried = 0;
    for (const test of sample(cases, RECORDED_CASES, random)) {
      const checkpoint = 'change';
      const backend = await openMemory();
      const { record } = await recordCase(test, { engine: 'serial', interpreter: 'compiled', checkpoint, backend });
      if (compareCase(test, record, 'exact').next().done !== true) continue;
      tried += 1;
      for (const { what, mutated } of mutationsOf(test.expected.runs, PER_CASE, random)) {
        const other = parsedRuns(test, mutated);
        if (other !== null && compareCase(test, record, 'exact', other).next().done === true)
          missed.push(`${test.group}/${test.name}: ${what}`);
      }
    }
    expect(missed).toEqual([]);
    expect(tried).toBe(RECORDED_CASES);
  }, 60_000);
});

/** The case's expectations with other runs; null when these are malformed, which is a failure of its own. */
function parsedRuns(test: (typeof cases)[number], runs: unknown) {
  try {
    return parseCase({ ...test, expected: { ...test.expected, runs } }).expected;
  } catch {
    return null;
  }
}
