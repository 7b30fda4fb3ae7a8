/** What is counted and timed in a run. Times are milliseconds. */
export interface Statistics {
  /** Time spent in each stage. */
  msPerStage: { resuming: number; scheduling: number; waiting: number; analyzing: number };
  /** How long the run took. */
  activeForMs: number;
  /** Executions and reverts that came to an end. */
  completed: number;
  /** Atoms under way when the engine last began or ceased to wait. */
  incomplete: number;
  /** Atoms found that were not started yet. */
  awaiting: number;
  /** Failures that were resolved. */
  discardedFailures: number;
  /** Errors that listeners threw (D17). */
  listenerErrors: number;
  /** How often an atom was looked at to find out whether it may run. */
  readinessChecks: number;
  /** Units of work that were made durable. */
  commits: number;
}

export function newStatistics(): Statistics {
  return {
    msPerStage: { resuming: 0, scheduling: 0, waiting: 0, analyzing: 0 },
    activeForMs: 0,
    completed: 0,
    incomplete: 0,
    awaiting: 0,
    discardedFailures: 0,
    listenerErrors: 0,
    readinessChecks: 0,
    commits: 0,
  };
}
