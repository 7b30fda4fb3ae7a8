import { readdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Measurement, SubjectName } from '../../benchmarks/measure.js';
import { checkAnswer, measure } from '../../benchmarks/measure.js';
import type { Outcome } from '../../benchmarks/subjects/subject.js';
import { postgres } from '../servers/postgres.js';
import { describeWithServer } from '../servers/server.js';
import { workloadNamed, WORKLOADS } from '../../benchmarks/workloads.js';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flowstate-benchmarks-'));
});
afterAll(() => rm(directory, { recursive: true }));

const run = (workload: string, subject: SubjectName, n: number, server: string | null = null): Promise<Measurement> =>
  measure({ workload, subject, n, seed: 1, isWarm: false, directory, server });

const cells = WORKLOADS.filter(({ durable }) => durable !== 'postgresql').flatMap(({ id, reference }) =>
  (['flowstate', 'flowstate-parallel', reference] as const).map((subject) => ({ id, subject })),
);

describe('a subject', () => {
  it.each(cells)('$subject has the right answer to $id', async ({ id, subject }) => {
    for (const n of [2, 150]) {
      const { wallMs, cpuMs, peakRssMb, builtRssMb, counters, build } = await run(id, subject, n);
      for (const figure of [wallMs, cpuMs, build.wallMs, build.cpuMs]) expect(figure).toBeGreaterThanOrEqual(0);
      for (const figure of [peakRssMb, builtRssMb, counters.vertices]) expect(figure).toBeGreaterThan(0);
    }
    expect(await readdir(directory)).toEqual([]);
  });

  it('runs a small flow first where it is to be warm, and counts only what is measured', async () => {
    const { counters } = await measure({
      workload: 'W1',
      subject: 'flowstate',
      n: 2,
      seed: 1,
      isWarm: true,
      directory,
      server: null,
    });
    expect(counters.vertices).toBe(4);
    expect(await readdir(directory)).toEqual([]);
  });

  it('has a wrong answer when it has another result, another error, or reverts otherwise', () => {
    const job = (workload: string): Job => ({
      workload,
      subject: 'ceiling',
      n: 3,
      seed: 1,
      isWarm: false,
      directory,
      server: null,
    });
    const planned = (workload: string) => workloadNamed(workload).plan(3, 1);
    const outcome = (given: Partial<Outcome>): Outcome => ({
      counters: { readinessChecks: 0, commits: 0, vertices: 3, edges: 2 },
      error: null,
      resultOf: (index) => index + 1,
      close: () => Promise.resolve(),
      ...given,
    });
    const check = (workload: string, given: Partial<Outcome>) => () => {
      checkAnswer(job(workload), planned(workload), outcome(given));
    };
    expect(check('W1', {})).not.toThrow();
    expect(check('W1', { resultOf: () => 1 })).toThrow(
      'ceiling has a wrong answer to W1 with 3 tasks: t1 gave 1 instead of 2',
    );
    expect(check('W1', { error: new Error('no') })).toThrow('ceiling failed on W1 with 3 tasks');
    expect(check('W5', {})).toThrow('it should have failed with what the last task threw, got null');

    const plan = planned('W5');
    const { failure: error } = plan;
    const checkReverts =
      (...reverted: number[]) =>
      () => {
        checkAnswer(job('W5'), { ...plan, reverted }, outcome({ error }));
      };
    expect(checkReverts(2, 1, 0)).not.toThrow();
    expect(checkReverts(2, 1)).toThrow('it reverted 2 of 3 tasks');
    expect(checkReverts(0, 1, 2)).toThrow('it reverted 3 of 3 tasks, in a wrong order');
  });
});

await describeWithServer(postgres, (server) => {
  describe('with PostgreSQL', () => {
    it.each(['flowstate', 'one-insert'] as const)(
      '%s has the right answer, after one commit an atom',
      async (subject) => {
        const { counters } = await run('W4-postgresql', subject, 50, server);
        expect(counters.commits).toBeGreaterThanOrEqual(50);
        expect(counters.commits).toBeLessThanOrEqual(52);
      },
    );
  });
});

describe('an engine, counted', () => {
  const counted = (['flowstate', 'flowstate-parallel'] as const).flatMap((subject) =>
    ['W1', 'W2', 'W3', 'W5'].flatMap((id) => [1_000, 5_000].map((n) => ({ subject, id, n }))),
  );

  it.each(counted)('$subject looks at no more than twice V + E on $id with $n tasks', async ({ subject, id, n }) => {
    const { readinessChecks, vertices, edges } = (await run(id, subject, n)).counters;
    expect(vertices).toBeGreaterThanOrEqual(n);
    expect(edges).toBeGreaterThanOrEqual(vertices - 1);
    expect(readinessChecks).toBeGreaterThan(0);
    expect(readinessChecks).toBeLessThanOrEqual(2 * (vertices + edges));
  });

  it.each(['W4', 'W4-normal'])('commits once an atom on a chain: %s', async (id) => {
    const short = (await run(id, 'flowstate', 100)).counters.commits;
    const long = (await run(id, 'flowstate', 300)).counters.commits;
    expect(long - short).toBe(200);
    expect(short).toBeLessThanOrEqual(102);
  });

  it.each(['flowstate', 'flowstate-parallel'] as const)(
    '%s commits a handful of times for 1000 independent atoms',
    async (subject) => {
      expect((await run('W4-wide', subject, 1_000)).counters.commits).toBeLessThanOrEqual(5);
    },
  );
});
