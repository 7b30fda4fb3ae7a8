import type { Executor } from '../executors/executor.js';
import { refuseForeignOptions } from '../executors/named.js';
import { WORKER_OPTION_NAMES } from '../workers/client/options.js';
import type { WorkerExecutorOptions } from '../workers/client/options.js';
import { WorkerExecutor } from '../workers/client/worker-executor.js';
import type { EngineOptions } from './options.js';

/** For the engine `workers`: the broker, and how workers are asked. */
export type WorkerEngineOptions = Pick<WorkerExecutorOptions, (typeof WORKER_OPTION_NAMES)[number]>;

/** Takes the options of workers out of all that were given. */
export function splitWorkerOptions(given: Readonly<Record<string, unknown>> | WorkerEngineOptions): {
  readonly workers: WorkerEngineOptions;
  readonly others: Readonly<Record<string, unknown>>;
} {
  const names: ReadonlySet<string> = new Set(WORKER_OPTION_NAMES);
  const entries = Object.entries(given).filter(([, value]) => value !== undefined);
  return {
    workers: Object.fromEntries(entries.filter(([name]) => names.has(name))),
    others: Object.fromEntries(entries.filter(([name]) => !names.has(name))),
  };
}

/** @throws {RangeError} for an option of workers that another engine was given. */
export function refuseWorkerOptions(kind: string, workers: WorkerEngineOptions): void {
  const [name] = Object.keys(workers);
  if (name !== undefined) throw new RangeError(`${name} is an option of the engine workers, got engine ${kind}`);
}

/**
 * The executor of a `workers` engine: one of its own, or the one that was given.
 *
 * @throws {TypeError} for an executor that asks no workers.
 * @throws {RangeError|TypeError} naming the option, what it takes and what it got.
 */
export function workerExecutorFor(
  kind: string,
  options: EngineOptions,
  maxWorkers: number | undefined,
  workers: WorkerEngineOptions,
): { readonly tasks: Executor; readonly isOurs: boolean } {
  refuseForeignOptions(kind, options);
  if (maxWorkers !== undefined) {
    throw new RangeError(`maxWorkers is an option of the parallel engine and of workers, got engine ${kind}`);
  }
  const { executor, environment } = options;
  if (executor === undefined) return { tasks: new WorkerExecutor({ ...workers, environment }), isOurs: true };
  if (!(executor instanceof WorkerExecutor)) {
    const got = typeof executor === 'string' ? JSON.stringify(executor) : executor.name;
    throw new TypeError(`executor of the engine ${kind} takes a WorkerExecutor, got ${got}`);
  }
  const [name] = Object.keys(workers);
  if (name !== undefined) throw new RangeError(`${name} belongs to the executor, which was given`);
  return { tasks: executor, isOurs: false };
}
