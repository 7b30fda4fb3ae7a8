import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCaseDirectory } from './case.js';
import type { ConformanceCase } from './case.js';
import { checkCrashes } from './crash.js';
import { sample } from './random.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { judgeCase } from './runner.js';
import type { Settings } from './runner.js';
import { storesAt } from './stores.js';
import type { Stores } from './stores.js';

const SEED = 864;
const TIMEOUT_MS = 10_000;

const cases = readCaseDirectory(join(import.meta.dirname, 'cases')).flatMap((entry) => {
  if ('problem' in entry) throw new Error(`${entry.title}: ${entry.problem}`);
  return [entry.test];
});
const written = cases.filter(({ group }) => group !== 'random');
const random = seededRandom(SEED);
const sampled = sample(
  cases.filter(({ group }) => group === 'random'),
  120,
  random,
);

const defaults: Omit<Settings, 'openBackend'> = {
  engine: 'serial',
  interpreter: 'compiled',
  checkpoint: null,
  lenient: false,
  timeoutMs: TIMEOUT_MS,
};

async function failuresOf(tests: readonly ConformanceCase[], stores: Stores, settings: Partial<Settings> = {}) {
  const failed: string[] = [];
  for (const test of tests) {
    const [reason] = await judgeCase(test, { ...defaults, ...settings, openBackend: () => stores.open() });
    if (reason !== undefined) failed.push(`${test.group}/${test.name}: ${reason}`);
  }
  return failed;
}

describe('the recorded cases', () => {
  const memory = storesAt(undefined);
  let directory: string;
  let sqlite: Stores;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'conformance-'));
    sqlite = storesAt(`sqlite:${join(directory, 'runs.db')}`);
  });
  afterAll(async () => {
    await sqlite.close();
    rmSync(directory, { recursive: true });
  });

  it('are reproduced by the serial engine', async () => {
    expect(await failuresOf([...written, ...sampled], memory)).toEqual([]);
  }, 120_000);

  it('are reproduced when XState itself steps the machines', async () => {
    expect(await failuresOf([...written, ...sampled], memory, { interpreter: 'native', checkpoint: 'round' })).toEqual(
      [],
    );
  }, 120_000);

  it('are reproduced when the runs are kept in SQLite', async () => {
    expect(await failuresOf(sample(cases, 120, random), sqlite)).toEqual([]);
  }, 120_000);

  it('end the same, and keep the invariants, with the parallel engine', async () => {
    expect(await failuresOf([...written, ...sampled], memory, { engine: 'parallel', checkpoint: 'round' })).toEqual([]);
  }, 120_000);

  it('C6: end the same when the process dies at any commit', async () => {
    const failed: string[] = [];
    let points = 0;
    for (const test of sample(cases, 60, random)) {
      const report = await checkCrashes(test, {
        engine: 'serial',
        interpreter: 'compiled',
        openBackend: () => memory.open(),
      });
      points += report.points;
      failed.push(...report.reasons.slice(0, 1).map((reason) => `${test.group}/${test.name}: ${reason}`));
    }
    expect(failed).toEqual([]);
    expect(points).toBeGreaterThan(500);
  }, 120_000);
});
