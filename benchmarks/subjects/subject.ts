import type { Plan } from '../plan.js';
import type { Synchronous } from '../workloads.js';

/** What was counted in a run. A reference has neither readiness checks nor a graph with markers. */
export interface Counters {
  readonly readinessChecks: number;
  readonly commits: number;
  readonly vertices: number;
  readonly edges: number;
}

/** What came of a run. */
export interface Outcome {
  readonly counters: Counters;
  /** What the run threw; null when it succeeded. */
  readonly error: unknown;
  /** What a task gave, or what is kept of it where the run was durable. */
  readonly resultOf: (task: number) => unknown;
  /** Gives back what the run holds. Not measured. */
  readonly close: () => Promise<void>;
}

export interface RunOptions {
  /** The file that the steps are kept in, new, and how durably; null: nothing is kept. */
  readonly store: { readonly file: string; readonly synchronous: Synchronous } | null;
}

/** Something that runs plans. */
export interface Subject {
  /** Makes what a user would have before anything is run. Measured apart. */
  build(plan: Plan): BuiltSubject;
}

export interface BuiltSubject {
  /** Gets the graph ready, and runs it to its end: the measured part. */
  run(options: RunOptions): Promise<Outcome>;
}
