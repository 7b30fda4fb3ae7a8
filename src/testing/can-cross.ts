import { serialize } from 'node:v8';
import { addressOf } from '../atoms/task-registry.js';
import type { Task } from '../atoms/task.js';
import { UncrossableValueError } from '../errors.js';
import { sentArguments } from '../executors/pool/protocol.js';
import { workerThreadExecutor } from '../executors/worker-threads.js';

export interface CrossingOptions {
  /** The modules that threads and processes load. */
  readonly taskModules: readonly (string | URL)[];
  /** Arguments such as the task gets. */
  readonly args?: Readonly<Record<string, unknown>> | undefined;
  /** A result such as it gives. */
  readonly result?: unknown;
}

/**
 * For tests of tasks: checks that a task can be run in a thread or in another process, without running it. A thread is
 * started to see whether it finds the task.
 *
 * @throws {RangeError} when the modules do not register the task.
 * @throws {ExecutionError} when a module cannot be loaded; `cause` says why.
 * @throws {UncrossableValueError} naming the argument that cannot be copied, or the result.
 */
export async function assertTaskCanCross(
  task: Task,
  { taskModules, args = {}, result }: CrossingOptions,
): Promise<void> {
  const executor = workerThreadExecutor({ taskModules, maxWorkers: 1 });
  try {
    await executor.accept?.([task]);
  } finally {
    await executor.close();
  }
  const { values } = sentArguments(args);
  for (const [name, value] of Object.entries(values)) check(task, `argument '${name}'`, value);
  check(task, 'construction parameters', addressOf(task).parameters);
  check(task, 'result', result);
}

function check(task: Task, what: string, value: unknown): void {
  try {
    structuredClone(value);
    serialize(value);
  } catch (cause) {
    throw new UncrossableValueError(task.name, what, 'to a thread or process', { cause });
  }
}
