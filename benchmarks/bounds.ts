import type { Row } from './rows.js';

/** What a row was held against. */
export interface Verdict {
  readonly workload: string;
  readonly n: number;
  readonly subject: string;
  readonly bound: string;
  readonly got: number;
  readonly kept: boolean;
  /** A count, which no clock and no other process has anything to do with: it has to be kept. */
  readonly isCount: boolean;
}

/** Times, in multiples of the reference. */
const MOST_CPU = 5;
const AIM_CPU = 2;
const MOST_WALL_FULL = 1.5;
const MOST_CPU_NORMAL = 5;
const MOST_WALL_SERVER = 3;
const AIM_WALL_SERVER = 1.5;
const MOST_WALL_RESUMING = 3;
/** CPU for one atom in a large flow, in multiples of that in a small one. */
const MOST_GROWTH = 1.5;
const GROWTH_FROM = 1_000;
const GROWTH_TO = 100_000;
const MOST_RESIDENT_MB: ReadonlyMap<number, number> = new Map([
  [10_000, 120],
  [100_000, 600],
]);
/** Beside those of the atoms: the run's first and last. */
const COMMITS_AROUND = 2;
const HANDFUL = 5;

/**
 * Holds the engines' rows against what is promised of them. References are held against nothing, and costs only where
 * the process began cold: that is how those that the aims were taken from were measured.
 */
export function verdictsOn(rows: readonly Row[]): Verdict[] {
  return rows
    .filter(({ subject }) => subject.startsWith('flowstate'))
    .flatMap((row) => [...countsOf(row), ...(row.isWarm ? [] : [...costsOf(row), ...growthOf(row, rows)])]);
}

function verdict(row: Row, bound: string, got: number, kept: boolean, isCount: boolean): Verdict {
  const { workload, n, subject } = row;
  return { workload, n, subject, bound, got, kept, isCount };
}

function* countsOf(row: Row): Generator<Verdict> {
  const { readinessChecks, commits, vertices, edges } = row.counters;
  const most = 2 * (vertices + edges);
  yield verdict(row, `readiness checks ≤ 2 (V + E) = ${most}`, readinessChecks, readinessChecks <= most, true);
  if (['W4', 'W4-normal', 'W4-postgresql'].includes(row.workload)) {
    const kept = commits >= row.n && commits <= row.n + COMMITS_AROUND;
    yield verdict(row, `one commit an atom, and at most ${COMMITS_AROUND} around them`, commits, kept, true);
  }
  if (row.workload === 'W4-wide') yield verdict(row, `commits ≤ ${HANDFUL}`, commits, commits <= HANDFUL, true);
}

function* costsOf(row: Row): Generator<Verdict> {
  const { wall, cpu } = row.ratioToReference;
  const { reference } = row;
  if (reference === 'ceiling') {
    yield verdict(row, `CPU ≤ ${MOST_CPU} × ${reference}`, cpu, cpu <= MOST_CPU, false);
    yield verdict(row, `aim: CPU ≤ ${AIM_CPU} × ${reference}`, cpu, cpu <= AIM_CPU, false);
    const most = MOST_RESIDENT_MB.get(row.n);
    if (most !== undefined) yield verdict(row, `resident ≤ ${most} MB`, row.peakRssMb, row.peakRssMb <= most, false);
  }
  if (row.workload === 'W4') {
    yield verdict(row, `wall ≤ ${MOST_WALL_FULL} × ${reference}`, wall, wall <= MOST_WALL_FULL, false);
  }
  if (row.workload === 'W4-postgresql') {
    yield verdict(row, `wall ≤ ${MOST_WALL_SERVER} × ${reference}`, wall, wall <= MOST_WALL_SERVER, false);
    yield verdict(row, `aim: wall ≤ ${AIM_WALL_SERVER} × ${reference}`, wall, wall <= AIM_WALL_SERVER, false);
  }
  if (row.workload === 'W6') {
    yield verdict(row, `wall ≤ ${MOST_WALL_RESUMING} × ${reference}`, wall, wall <= MOST_WALL_RESUMING, false);
  }
  if (row.workload === 'W4-normal') {
    yield verdict(row, `CPU ≤ ${MOST_CPU_NORMAL} × ${reference}`, cpu, cpu <= MOST_CPU_NORMAL, false);
  }
}

function* growthOf(row: Row, rows: readonly Row[]): Generator<Verdict> {
  if (row.n !== GROWTH_TO) return;
  const small = rows.find(
    ({ workload, subject, n, isWarm }) =>
      workload === row.workload && subject === row.subject && n === GROWTH_FROM && !isWarm,
  );
  if (small === undefined) return;
  const growth = row.cpuMs / row.n / (small.cpuMs / small.n);
  const bound = `CPU an atom ≤ ${MOST_GROWTH} × that at ${GROWTH_FROM}`;
  yield verdict(row, bound, Math.round(growth * 1_000) / 1_000, growth <= MOST_GROWTH, false);
}

/** What is known of one subject on one broker: medians of its quiet rounds. */
export interface WorkerRow {
  readonly broker: string;
  /** How many tasks at a time. */
  readonly inFlight: number;
  readonly n: number;
  readonly subject: 'flowstate' | 'raw' | 'bullmq';
  readonly p50Ms: number;
  readonly perSecond: number;
  readonly firstTaskMs: number | null;
  /** By the raw round trip right before and after. */
  readonly byRaw: { readonly p50: Ratio; readonly perSecond: Ratio } | null;
  readonly rounds: number;
  readonly noisy: number;
  readonly load: string;
}

interface Ratio {
  readonly median: number;
  readonly from: number;
  readonly to: number;
}

const MOST_P50 = 1.5;
const LEAST_OF_RAW = 0.5;
const LEAST_BY_BULLMQ = 2;
const MOST_FIRST_MS = 100;
/** Where a bound is promised; elsewhere rows are for information. */
const BROKERS_WITH_BOUNDS: ReadonlySet<string> = new Set(['amqp', 'redis']);

/** Holds what was measured with workers against what is promised of them (W7). */
export function verdictsOnWorkers(rows: readonly WorkerRow[]): Verdict[] {
  return rows
    .filter(({ subject, broker }) => subject === 'flowstate' && BROKERS_WITH_BOUNDS.has(broker))
    .flatMap((row) => {
      const told = (bound: string, got: number, kept: boolean): Verdict => ({
        workload: `W7 ${row.broker} ${row.inFlight}`,
        n: row.n,
        subject: row.subject,
        bound,
        got: Math.round(got * 1_000) / 1_000,
        kept,
        isCount: false,
      });
      const verdicts: Verdict[] = [];
      const { p50, perSecond } = row.byRaw ?? {};
      if (p50 !== undefined && row.inFlight === 1) {
        verdicts.push(told(`p50 ≤ ${MOST_P50} × raw`, p50.median, p50.median <= MOST_P50));
      }
      if (perSecond !== undefined && row.inFlight > 1) {
        verdicts.push(told(`a second ≥ ${LEAST_OF_RAW} × raw`, perSecond.median, perSecond.median >= LEAST_OF_RAW));
      }
      const peer = rows.find(
        ({ subject, broker, inFlight }) => subject === 'bullmq' && broker === row.broker && inFlight === row.inFlight,
      );
      if (peer?.byRaw && perSecond !== undefined) {
        // Both by the raw round trip beside them: what else the machine does moves all alike.
        const by = perSecond.median / peer.byRaw.perSecond.median;
        verdicts.push(told(`a second ≥ ${LEAST_BY_BULLMQ} × BullMQ`, by, by >= LEAST_BY_BULLMQ));
      }
      if (row.firstTaskMs !== null) {
        verdicts.push(told(`first task < ${MOST_FIRST_MS} ms`, row.firstTaskMs, row.firstTaskMs < MOST_FIRST_MS));
      }
      return verdicts;
    });
}
