import { describe, expect, it } from 'vitest';
import type { Job, Measurement, SubjectName } from '../../benchmarks/measure.js';
import { failuresIn, rowTable } from '../../benchmarks/report.js';
import type { CellRun } from '../../benchmarks/rounds.js';
import { median, runCell } from '../../benchmarks/rounds.js';
import { rowsOf } from '../../benchmarks/rows.js';
import { workloadNamed } from '../../benchmarks/workloads.js';

function measurement(cost: number, counted = 0): Measurement {
  return {
    wallMs: cost,
    cpuMs: cost * 2,
    peakRssMb: 50,
    builtRssMb: 40,
    build: { wallMs: 1, cpuMs: 2 },
    counters: { readinessChecks: counted, commits: counted, vertices: 12, edges: 11 },
  };
}

/** Measures by giving what was prepared for each subject, in order. */
async function cellRun(costs: Partial<Record<SubjectName, readonly (number | Error)[]>>, repeats: number) {
  const order: SubjectName[] = [];
  const jobs: Job[] = [];
  const left = new Map(Object.entries(costs).map(([subject, all]) => [subject, [...all]]));
  const measure = async (job: Job) => {
    order.push(job.subject);
    jobs.push(job);
    const cost = left.get(job.subject)?.shift();
    if (typeof cost !== 'number') throw cost ?? new Error(`${job.subject} ran too often`);
    return measurement(cost, job.subject === 'ceiling' ? 0 : 20);
  };
  const subjects = Object.keys(costs).filter((name) => name !== 'ceiling') as SubjectName[];
  const cell = { workload: workloadNamed('W1'), n: 10, subjects, isWarm: false };
  const run: CellRun = await runCell(cell, { repeats, seed: 3, directory: '/nowhere', server: null, measure });
  return { run, order, jobs };
}

describe('a round', () => {
  it('lets subjects take turns, with the reference right before and after each', async () => {
    const costs = { flowstate: [6, 6], 'flowstate-parallel': [9, 9], ceiling: [1, 2, 2, 2, 1] };
    const { order, jobs } = await cellRun(costs, 2);
    expect(order).toEqual([
      'ceiling',
      'flowstate',
      'ceiling',
      'flowstate-parallel',
      'ceiling',
      'flowstate',
      'ceiling',
      'flowstate-parallel',
      'ceiling',
    ]);
    expect(jobs[1]).toEqual({
      workload: 'W1',
      n: 10,
      subject: 'flowstate',
      seed: 3,
      isWarm: false,
      directory: '/nowhere',
      server: null,
    });
  });

  it('is compared with its own runs of the reference', async () => {
    const { run } = await cellRun({ flowstate: [6, 30, 9], ceiling: [1, 2, 4, 2] }, 3);
    const [row] = rowsOf(run);
    expect(row).toMatchObject({
      wallMs: 9,
      cpuMs: 18,
      ratioToReference: { wall: 4, cpu: 4 },
      ratioRange: { wall: { from: 3, to: 10 }, cpu: { from: 3, to: 10 } },
      rounds: 3,
      noisyRounds: 0,
    });
  });

  it('does not count when the reference moved more than twofold, unless all did', async () => {
    const noisy = await cellRun({ flowstate: [6, 60, 12], ceiling: [2, 2, 5, 6] }, 3);
    expect(rowsOf(noisy.run)[0]).toMatchObject({
      wallMs: 9,
      rounds: 3,
      noisyRounds: 1,
      ratioRange: { wall: { to: 3 } },
    });
    const noisier = await cellRun({ flowstate: [6], ceiling: [1, 3] }, 1);
    expect(rowsOf(noisier.run)[0]).toMatchObject({
      wallMs: 6,
      rounds: 1,
      noisyRounds: 1,
      ratioToReference: { wall: 3 },
    });
  });

  it('goes on without a subject that failed, and says so', async () => {
    const costs = { flowstate: [new Error('out of memory')], 'flowstate-parallel': [4, 4], ceiling: [2, 2, 2, 2] };
    const { run } = await cellRun(costs, 2);
    expect(rowsOf(run).map(({ subject }) => subject)).toEqual(['flowstate-parallel', 'ceiling']);
    expect(failuresIn(run)).toEqual(['W1 10 flowstate failed: out of memory']);
  });

  it('gives up where the reference fails', async () => {
    const { run } = await cellRun({ flowstate: [6, 6], ceiling: [1, new Error('no')] }, 2);
    expect(failuresIn(run)).toEqual(['W1 10 ceiling failed: no']);
    expect(rowsOf(run).map(({ subject }) => subject)).toEqual(['ceiling']);
  });
});

describe('a row', () => {
  it('has the same shape for every subject', async () => {
    const { run } = await cellRun({ flowstate: [6], ceiling: [2, 4] }, 1);
    const rows: unknown = JSON.parse(JSON.stringify(rowsOf(run)));
    const counters = { commits: 20, edges: 11, readinessChecks: 20, vertices: 12 };
    const common = {
      workload: 'W1',
      n: 10,
      reference: 'ceiling',
      peakRssMb: 50,
      builtRssMb: 40,
      build: { wallMs: 1, cpuMs: 2 },
      noisyRounds: 0,
    };
    const one = { from: 1, to: 1 };
    const two = { from: 2, to: 2 };
    expect(rows).toEqual([
      {
        ...common,
        subject: 'flowstate',
        isWarm: false,
        wallMs: 6,
        cpuMs: 12,
        counters,
        ratioToReference: { wall: 2, cpu: 2 },
        ratioRange: { wall: two, cpu: two },
        rounds: 1,
      },
      {
        ...common,
        subject: 'ceiling',
        isWarm: false,
        wallMs: 3,
        cpuMs: 6,
        counters: { ...counters, commits: 0, readinessChecks: 0 },
        ratioToReference: { wall: 1, cpu: 1 },
        ratioRange: { wall: one, cpu: one },
        rounds: 2,
      },
    ]);
  });

  it('is a line of a table', async () => {
    const { run } = await cellRun({ flowstate: [6], ceiling: [2, 4] }, 1);
    const [header, line, reference] = rowTable(rowsOf(run))
      .split('\n')
      .map((text) => text.split(/ {2,}/u));
    expect(header?.slice(0, 6)).toEqual(['workload', 'n', 'subject', 'start', 'wall ms', 'cpu ms']);
    expect(line?.slice(0, 9)).toEqual([
      'W1',
      '10',
      'flowstate',
      'cold',
      '6.0',
      '12.0',
      '1200.0',
      '2.00 (2.00–2.00)',
      '2.00 (2.00–2.00)',
    ]);
    expect(reference?.slice(0, 9)).toEqual(['W1', '10', 'ceiling', 'cold', '3.0', '6.0', '600.0', '1', '1']);
  });
});

describe('a median', () => {
  it('is the middle, or between the two middles', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
  });
});
