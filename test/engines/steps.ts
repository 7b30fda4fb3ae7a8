import { task } from '../../src/atoms/function-task.js';
import type { RevertInput, Task, TaskContext } from '../../src/atoms/task.js';

export type Arguments = Readonly<Record<string, unknown>>;

export interface StepOptions {
  readonly requires?: readonly string[];
  readonly optional?: readonly string[];
  readonly provides?: string | readonly string[];
  readonly inject?: Arguments;
  readonly priority?: number;
  /** Gives the result. Default: the step's name. */
  readonly execute?: (args: Arguments, context: TaskContext) => unknown;
  /** Gives the result of the revert. Default: null. */
  readonly revert?: (args: RevertInput & Arguments, context: TaskContext) => unknown;
}

/** Makes tasks that write down `execute <name>` and `revert <name>` when they are called. */
export function stepsInto(log: string[]): (name: string, options?: StepOptions) => Task {
  return (name, { requires = [], optional = [], execute = () => name, revert = () => null, ...options } = {}) => {
    const made: Task = task({
      ...options,
      name,
      // Told by a signature, so that `revert` requires nothing.
      signature: { execute: { required: requires, optional }, revert: {} },
      execute: (args, context) => {
        log.push(`execute ${name}`);
        return execute({ ...args }, context);
      },
      revert: (args, context) => {
        log.push(`revert ${name}`);
        return revert(args, context);
      },
    });
    return made;
  };
}

/** As `stepsInto`, where nobody reads what was called. */
export const step = stepsInto([]);

/** Something that throws the error. */
export function throwing(error: unknown): () => never {
  return () => {
    throw error;
  };
}

/** What a promise is rejected with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('the promise was not rejected');
}
