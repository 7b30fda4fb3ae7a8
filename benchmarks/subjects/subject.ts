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

/** A new file, and how durably it is written; or a new place on a server. */
export type Store =
  | { readonly kind: 'sqlite'; readonly file: string; readonly synchronous: Synchronous }
  | { readonly kind: 'postgresql'; readonly url: string };

export interface RunOptions {
  /** Where the steps are kept; null: nothing is. */
  readonly store: Store | null;
}

/** Something that runs plans. */
export interface Subject {
  /** Makes what a user would have before anything is run. Measured apart. */
  build(plan: Plan): BuiltSubject;
}

export interface BuiltSubject {
  /** Opens the store, with all tables, and makes what has to be in it before. Not measured: it is not part of a run. */
  prepare?(options: RunOptions): Promise<void>;
  /** Gets the graph ready, and runs it to its end: the measured part. */
  run(options: RunOptions): Promise<Outcome>;
}
