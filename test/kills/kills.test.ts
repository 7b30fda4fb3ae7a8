import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { postgres } from '../servers/postgres.js';
import { describeWithServer } from '../servers/server.js';
import { drill } from './drill.js';
import { postgresTarget, sqliteTarget } from './targets.js';
import type { Death, Target } from './targets.js';

const LONGEST_MS = 120_000;

let sources: CompiledSources;
beforeAll(() => {
  sources = compileSources();
});
afterAll(() => sources[Symbol.dispose]());

async function killed(target: Target, kills: number) {
  const program = sources.pathOf('test/kills/program.ts');
  return drill({ target, program, kills, random: seededRandom(7) });
}

describe('a process that is killed again and again', () => {
  it(
    'loses nothing that was kept in SQLite, and executes no finished atom again',
    async () => {
      const { problems, kills, runs } = await killed(sqliteTarget, 3);
      expect(problems).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(3);
      expect(runs).toBeGreaterThanOrEqual(1);
    },
    LONGEST_MS,
  );
});

let target: Target | null = null;
/** A server of its own: it is killed, too. */
async function find() {
  target = await postgresTarget();
  return target === null ? null : { url: '', stop: target.close };
}

await describeWithServer({ ...postgres, find }, () => {
  it(
    'loses nothing that was kept in PostgreSQL, also when that dies, alone or with the process',
    async () => {
      if (target === null) throw new Error('there is no server');
      const deaths: Death[] = ['server', 'both', 'process'];
      const nextDeath = () => deaths.shift() ?? 'process';
      const { problems, kills, serverDeaths, commonDeaths } = await killed({ ...target, nextDeath }, 3);
      expect(problems).toEqual([]);
      expect(kills).toBeGreaterThanOrEqual(3);
      expect([serverDeaths, commonDeaths]).toEqual([1, 1]);
    },
    LONGEST_MS,
  );
});
