import { describe, expect, it } from 'vitest';
import { verdictsOn } from '../../benchmarks/bounds.js';
import type { Row } from '../../benchmarks/rows.js';

function row(given: Partial<Row>): Row {
  const one = { from: 1, to: 1 };
  return {
    workload: 'W1',
    n: 1_000,
    subject: 'flowstate',
    isWarm: false,
    wallMs: 10,
    cpuMs: 10,
    peakRssMb: 100,
    builtRssMb: 60,
    build: { wallMs: 1, cpuMs: 1 },
    counters: { readinessChecks: 4_006, commits: 1_001, vertices: 1_002, edges: 1_001 },
    ratioToReference: { wall: 1, cpu: 1 },
    ratioRange: { wall: one, cpu: one },
    reference: 'ceiling',
    rounds: 1,
    noisyRounds: 0,
    ...given,
  };
}

const missed = (...rows: Row[]) =>
  verdictsOn(rows)
    .filter(({ kept }) => !kept)
    .map(({ bound }) => bound);

describe('the bounds', () => {
  it('are kept by an engine that is as good as promised', () => {
    expect(missed(row({}))).toEqual([]);
    expect(missed(row({ cpuMs: 10 }), row({ n: 100_000, cpuMs: 1_500, peakRssMb: 600 }))).toEqual([]);
  });

  it('hold references against nothing', () => {
    expect(verdictsOn([row({ subject: 'ceiling' }), row({ subject: 'one-insert' })])).toEqual([]);
  });

  it('hold only counts against a process that was warm', () => {
    const costly = { ratioToReference: { wall: 99, cpu: 99 }, n: 10_000, peakRssMb: 999 };
    expect(missed(row({ ...costly })).length).toBeGreaterThan(0);
    expect(missed(row({ ...costly, isWarm: true }))).toEqual([]);
    expect(verdictsOn([row({ isWarm: true })]).length).toBeGreaterThan(0);
  });

  it('count how often the engine looked', () => {
    const counters = { readinessChecks: 4_007, commits: 0, vertices: 1_002, edges: 1_001 };
    expect(verdictsOn([row({ counters })])).toContainEqual({
      workload: 'W1',
      n: 1_000,
      subject: 'flowstate',
      bound: 'readiness checks ≤ 2 (V + E) = 4006',
      got: 4_007,
      kept: false,
      isCount: true,
    });
  });

  it.each([
    ['W4', 999, false],
    ['W4', 1_000, true],
    ['W4', 1_002, true],
    ['W4', 1_003, false],
    ['W4-normal', 2_000, false],
    ['W4-wide', 5, true],
    ['W4-wide', 6, false],
    ['W1', 2_000, true],
  ])('count the commits of %s: %i', (workload, commits, kept) => {
    const counters = { readinessChecks: 0, commits, vertices: 1_002, edges: 1_001 };
    const counts = verdictsOn([row({ workload, counters, reference: 'one-insert' })]).filter(({ isCount }) => isCount);
    expect(counts.every((verdict) => verdict.kept)).toBe(kept);
  });

  it('tell what an atom costs: beside the reference, in memory, and in a larger flow', () => {
    expect(missed(row({ ratioToReference: { wall: 9, cpu: 5.1 } }))).toEqual([
      'CPU ≤ 5 × ceiling',
      'aim: CPU ≤ 2 × ceiling',
    ]);
    expect(missed(row({ n: 10_000, peakRssMb: 121 }))).toEqual(['resident ≤ 120 MB']);
    expect(missed(row({ n: 100_000, peakRssMb: 601 }))).toEqual(['resident ≤ 600 MB']);
    expect(missed(row({ cpuMs: 10 }), row({ n: 100_000, cpuMs: 1_501 }))).toEqual(['CPU an atom ≤ 1.5 × that at 1000']);
    const durable = { reference: 'one-insert', ratioToReference: { wall: 1.6, cpu: 5.1 } } as const;
    expect(missed(row({ ...durable, workload: 'W4' }))).toEqual(['wall ≤ 1.5 × one-insert']);
    expect(missed(row({ ...durable, workload: 'W4-normal' }))).toEqual(['CPU ≤ 5 × one-insert']);
  });
});
