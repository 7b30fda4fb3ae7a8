import type { Cost, Job, Measurement, SubjectName } from './measure.js';
import type { Workload } from './workloads.js';

/** A workload of one size, and who is to be measured with it. */
export interface Cell {
  readonly workload: Workload;
  readonly n: number;
  readonly subjects: readonly SubjectName[];
  /** Whether each process has run a small flow of the workload before. */
  readonly isWarm: boolean;
}

/** A measured run between two runs of the reference. */
export interface Turn {
  readonly before: Measurement;
  readonly measured: Measurement;
  readonly after: Measurement;
}

/** What became of a cell. */
export interface CellRun {
  readonly cell: Cell;
  readonly references: readonly Measurement[];
  readonly turns: ReadonlyMap<SubjectName, readonly Turn[]>;
  /** What a subject failed with; it is not measured any further in this cell. */
  readonly errors: ReadonlyMap<SubjectName, unknown>;
}

export interface RoundOptions {
  readonly repeats: number;
  readonly seed: number;
  readonly directory: string;
  readonly server: string | null;
  readonly measure: (job: Job) => Promise<Measurement>;
}

/**
 * Measures a cell: the subjects take turns, and the reference runs right before and right after each of them. What runs
 * after one subject is what runs before the next.
 */
export async function runCell(
  cell: Cell,
  { repeats, seed, directory, server, measure }: RoundOptions,
): Promise<CellRun> {
  const { reference } = cell.workload;
  const turns = new Map(cell.subjects.map((subject) => [subject, new Array<Turn>()]));
  const errors = new Map<SubjectName, unknown>();
  const references: Measurement[] = [];
  const measureOne = (subject: SubjectName) =>
    measure({ workload: cell.workload.id, n: cell.n, subject, seed, isWarm: cell.isWarm, directory, server });
  try {
    let before = await measureOne(reference);
    references.push(before);
    for (let round = 0; round < repeats; round++) {
      for (const [subject, taken] of turns) {
        if (errors.has(subject)) continue;
        let measured: Measurement | null = null;
        try {
          measured = await measureOne(subject);
        } catch (error) {
          errors.set(subject, error);
        }
        const after = await measureOne(reference);
        references.push(after);
        if (measured !== null) taken.push({ before, measured, after });
        before = after;
      }
    }
  } catch (error) {
    errors.set(reference, error);
  }
  return { cell, references, turns, errors };
}

/** How much the reference may move, while a subject is measured, before the round counts as noisy. */
const QUIET = 2;

export function isNoisy({ before, after }: Turn): boolean {
  return (['wallMs', 'cpuMs'] as const).some((cost) => {
    const [low, high] = [Math.min(before[cost], after[cost]), Math.max(before[cost], after[cost])];
    return high > QUIET * low;
  });
}

/** How often the reference's mean cost goes into that of the subject which ran between. */
export function ratioOf({ before, measured, after }: Turn, cost: keyof Cost): number {
  return measured[cost] / ((before[cost] + after[cost]) / 2);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const at = (index: number) => sorted[index] ?? Number.NaN;
  return Number.isInteger(middle) ? (at(middle - 1) + at(middle)) / 2 : at(Math.floor(middle));
}
