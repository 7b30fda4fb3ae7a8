import type { Cost, Measurement, SubjectName } from './measure.js';
import type { CellRun, Turn } from './rounds.js';
import { isNoisy, median, ratioOf } from './rounds.js';
import type { Counters } from './subjects/subject.js';

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** What is known of one subject in one cell: medians of its quiet rounds, or of all where none was quiet. */
export interface Row {
  readonly workload: string;
  readonly n: number;
  readonly subject: SubjectName;
  /** Whether each process had run a small flow of the workload before. */
  readonly isWarm: boolean;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakRssMb: number;
  readonly counters: Counters;
  /** Each round's cost by that of the reference right before and after it. */
  readonly ratioToReference: { readonly wall: number; readonly cpu: number };
  readonly ratioRange: { readonly wall: Range; readonly cpu: Range };
  readonly reference: SubjectName;
  readonly rounds: number;
  readonly noisyRounds: number;
  /** Resident before the run. */
  readonly builtRssMb: number;
  /** Making the flow, which is not part of `wallMs` and `cpuMs`. */
  readonly build: Cost;
}

/** One row for each subject that could be measured, then one for the reference. */
export function rowsOf({ cell, references, turns }: CellRun): Row[] {
  const { workload, n, isWarm } = cell;
  const { reference } = workload;
  const rows: Row[] = [];
  for (const [subject, taken] of turns) {
    const quiet = taken.filter((turn) => !isNoisy(turn));
    const counted = quiet.length > 0 ? quiet : taken;
    const [first] = counted;
    if (first === undefined) continue;
    rows.push({
      workload: workload.id,
      n,
      subject,
      isWarm,
      ...mediansOf(counted.map(({ measured }) => measured)),
      counters: first.measured.counters,
      ratioToReference: {
        wall: rounded(median(ratios(counted, 'wallMs'))),
        cpu: rounded(median(ratios(counted, 'cpuMs'))),
      },
      ratioRange: { wall: rangeOf(ratios(counted, 'wallMs')), cpu: rangeOf(ratios(counted, 'cpuMs')) },
      reference,
      rounds: taken.length,
      noisyRounds: taken.length - quiet.length,
    });
  }
  const [first] = references;
  if (first !== undefined) {
    const one = { from: 1, to: 1 };
    rows.push({
      workload: workload.id,
      n,
      subject: reference,
      isWarm,
      ...mediansOf(references),
      counters: first.counters,
      ratioToReference: { wall: 1, cpu: 1 },
      ratioRange: { wall: one, cpu: one },
      reference,
      rounds: references.length,
      noisyRounds: 0,
    });
  }
  return rows;
}

function mediansOf(measurements: readonly Measurement[]) {
  const of = (read: (measurement: Measurement) => number) => rounded(median(measurements.map(read)));
  return {
    wallMs: of(({ wallMs }) => wallMs),
    cpuMs: of(({ cpuMs }) => cpuMs),
    peakRssMb: of(({ peakRssMb }) => peakRssMb),
    builtRssMb: of(({ builtRssMb }) => builtRssMb),
    build: { wallMs: of(({ build }) => build.wallMs), cpuMs: of(({ build }) => build.cpuMs) },
  };
}

const ratios = (turns: readonly Turn[], cost: keyof Cost) => turns.map((turn) => ratioOf(turn, cost));

const rangeOf = (values: readonly number[]): Range => ({
  from: rounded(Math.min(...values)),
  to: rounded(Math.max(...values)),
});

const rounded = (value: number) => Math.round(value * 1_000) / 1_000;
