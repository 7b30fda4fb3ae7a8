import type { Retry } from '../atoms/retry.js';
import type { AtomContext, Task, TaskContext } from '../atoms/task.js';

/** One method of one atom that is to be called. */
export type Work =
  | {
      readonly atom: Task;
      readonly method: 'execute' | 'revert';
      readonly args: Record<string, unknown>;
      readonly context: TaskContext;
    }
  | {
      readonly atom: Retry;
      readonly method: 'execute' | 'revert';
      readonly args: Record<string, unknown>;
      readonly context: AtomContext;
    };

/** Work that an executor has taken on. */
export interface Submission {
  /** What the method gave, or a `Failure`; at once where it is known already. It never rejects. */
  readonly outcome: unknown;
  /** Takes the work back. @returns false when it has begun. */
  cancel(): boolean;
}

/** Where the methods of atoms are run. An executor may serve several engines. */
export interface Executor {
  readonly name: string;
  submit(work: Work): Submission;
  /** Gives back everything that keeps the process alive. */
  close(): Promise<void>;
}
