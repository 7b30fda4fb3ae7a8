import type { Retry } from '../atoms/retry.js';
import type { AtomContext, Task, TaskContext } from '../atoms/task.js';

/** Which attempt of which run work is for, where that has to be known outside of the engine's process. */
export interface WorkOrigin {
  readonly runId: string;
  readonly atomId: string;
  /** How often the flow around the atom was begun, this time included. */
  readonly attempt: number;
}

/** Tells that work is to stop, as its signal does, for whoever needs no signal: to make one takes longer than all else. */
export interface Stopping {
  /** null while it was not told to. */
  readonly stop: { readonly reason: unknown } | null;
  /** Calls when it is told to. @returns what takes that back */
  onStop(call: () => void): () => void;
}

/** One method of one task that is to be called. */
export interface TaskWork {
  readonly atom: Task;
  readonly method: 'execute' | 'revert';
  readonly args: Record<string, unknown>;
  readonly context: TaskContext;
  /** The run that asks. Priorities order the work of one owner, and never that of several. */
  readonly owner?: object | undefined;
  /** To be called when it begins, where it is given: the time that it may take is counted from then. */
  readonly began?: (() => void) | undefined;
  readonly origin?: WorkOrigin | undefined;
  /** @default what its signal says */
  readonly stopping?: Stopping | undefined;
  /** Whether the run was found with this under way: an earlier process may have asked for the same. @default false */
  readonly isTakenUp?: boolean | undefined;
}

/** One method of one atom that is to be called. */
export type Work =
  | TaskWork
  | {
      readonly atom: Retry;
      readonly method: 'execute' | 'revert';
      readonly args: Record<string, unknown>;
      readonly context: AtomContext;
      readonly began?: (() => void) | undefined;
    };

export function isTaskWork(work: Work): work is TaskWork {
  return work.atom.kind === 'task';
}

/** The outcome of work whose thread or process was ended on request: nobody knows how far it had come. */
export const INTERRUPTED: unique symbol = Symbol('interrupted');

/**
 * Work that an executor has taken on.
 *
 * Work that has begun is told to stop by `context.signal` alone, which whoever submits it aborts, with a reason. What the
 * method makes of that is its own affair: it goes on, or gives a result or a `Failure` as ever. An executor that can end
 * what does not listen says so with `INTERRUPTED`; the atom then counts as under way, and the next run takes it up.
 */
export interface Submission {
  /** What the method gave, a `Failure`, or `INTERRUPTED`; at once where it is known already. It never rejects. */
  readonly outcome: unknown;
  /** Takes the work back. @returns false when it has begun. */
  cancel(): boolean;
  /** Called when nobody waits for the outcome any more: what can be given to others, is. */
  abandon?(): void;
  /** Whether it has not begun. Default: it has. */
  isWaiting?(): boolean;
  /** What work that has not begun waits for, in words; null where nobody is free. */
  waitsFor?(): string | null;
  /** Called when what came of it is kept for good: whoever could tell it again need not any more. */
  settled?(): void;
}

/** Where the methods of atoms are run. An executor may serve several engines. */
export interface Executor {
  readonly name: string;
  /** Whether work that does not listen to its signal is ended: then its outcome is worth waiting for. @default false */
  readonly endsOnAbort?: boolean;
  /**
   * Called with the tasks of a flow before an engine is made for it.
   *
   * @throws {RangeError} naming a task that cannot be run here.
   */
  accept?(tasks: Iterable<Task>): Promise<void>;
  submit(work: Work): Submission;
  /** Called when a run has come to its end, durably, and nothing of it is under way: what is kept for it may go. */
  ended?(runId: string): void;
  /** Gives back everything that keeps the process alive. */
  close(): Promise<void>;
}
