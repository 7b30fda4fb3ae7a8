import type { Verdict } from './bounds.js';
import type { CellRun } from './rounds.js';
import type { Range, Row } from './rows.js';
import { table } from './table.js';

/** What the figures mean; printed with them. */
export const LEGEND = [
  'Each run has a process of its own and checks its answer. wall and cpu (of the whole process): loading an engine,',
  'compiling the flow, running it; making the flow is told apart (build). × wall and × cpu: median, and range, of each',
  'round by the reference right before and after it. peak: most memory resident, of the whole process; B/atom: what',
  'the run added to it, by atom. checks: how often an atom or marker was looked at to see whether it may run, by vertex',
  'and edge. Cold: the process has run nothing before, and pays for what V8 compiles; warm (--warm): every process has',
  'run 200 tasks of the same workload before. Bounds are for cold ones. noisy: rounds in which the reference moved more',
  'than twofold; they do not count unless all are.',
].join('\n');

const HEADER = [
  'workload',
  'n',
  'subject',
  'start',
  'wall ms',
  'cpu ms',
  'cpu µs/atom',
  '× wall',
  '× cpu',
  'peak MB',
  'B/atom',
  'build cpu ms',
  'checks',
  'commits',
  'noisy',
];

export function rowTable(rows: readonly Row[]): string {
  return table(HEADER, rows.map(cellsOf), 4);
}

function cellsOf(row: Row): string[] {
  const { counters, ratioToReference: ratio, ratioRange: range } = row;
  const isReference = row.subject === row.reference;
  const looked = counters.readinessChecks / (counters.vertices + counters.edges);
  return [
    row.workload,
    String(row.n),
    row.subject,
    row.isWarm ? 'warm' : 'cold',
    row.wallMs.toFixed(1),
    row.cpuMs.toFixed(1),
    ((row.cpuMs / row.n) * 1_000).toFixed(1),
    isReference ? '1' : ranged(ratio.wall, range.wall),
    isReference ? '1' : ranged(ratio.cpu, range.cpu),
    row.peakRssMb.toFixed(0),
    (((row.peakRssMb - row.builtRssMb) / row.n) * 2 ** 20).toFixed(0),
    row.build.cpuMs.toFixed(1),
    isReference ? '' : looked.toFixed(2),
    isReference ? '' : String(counters.commits),
    `${row.noisyRounds}/${row.rounds}`,
  ];
}

const ranged = (middle: number, { from, to }: Range) => `${middle.toFixed(2)} (${from.toFixed(2)}–${to.toFixed(2)})`;

export function boundTable(verdicts: readonly Verdict[]): string {
  const lines = verdicts.map(({ workload, n, subject, bound, got, kept, isCount }) => [
    workload,
    String(n),
    subject,
    bound,
    String(got),
    kept ? 'kept' : isCount ? 'BROKEN' : 'missed',
  ]);
  return table(['workload', 'n', 'subject', 'bound', 'got', ''], lines, 4);
}

/** What failed in a cell, a line each. */
export function failuresIn({ cell, errors }: CellRun): string[] {
  return [...errors].map(
    ([subject, error]) =>
      `${cell.workload.id} ${cell.n} ${subject} failed: ${error instanceof Error ? error.message : String(error)}`,
  );
}
