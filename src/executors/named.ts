import { nearestName } from '../nearest-name.js';
import { asyncExecutor } from './async.js';
import { childProcessExecutor } from './child-process.js';
import type { Executor } from './executor.js';
import type { MemoryOptions, PoolOptions } from './pool/options.js';
import { workerThreadExecutor } from './worker-threads.js';

/** The executors that a parallel engine can be given by name. */
export type ExecutorName = 'async' | 'workerThreads' | 'childProcess';

/** All their names, in lower case. */
const NAMES: ReadonlyMap<string, ExecutorName> = new Map<string, ExecutorName>([
  ...['async', 'concurrent', 'thread', 'threads', 'threaded', 'greenthread', 'greenthreads', 'greenthreaded'].map(
    (alias) => [alias, 'async'] as const,
  ),
  ...['workerthread', 'workerthreads', 'worker_thread', 'worker_threads'].map(
    (alias) => [alias, 'workerThreads'] as const,
  ),
  ...['childprocess', 'child_process', 'process', 'processes'].map((alias) => [alias, 'childProcess'] as const),
]);

/**
 * The executor that is meant by a name or an alias, in whatever letters.
 *
 * @throws {RangeError} for any other text, with the names that there are and the nearest of them.
 * @see TaskFlow `engines/action_engine/engine.py`, `ParallelActionEngine`.
 */
export function executorName(text: string): ExecutorName {
  const name = NAMES.get(text.toLowerCase());
  if (name !== undefined) return name;
  const meant = nearestName(text, NAMES.keys());
  throw new RangeError(
    `executor takes async, workerThreads, childProcess or an alias of these, or an object with a submit method, ` +
      `got ${JSON.stringify(text)}` +
      (meant === null ? '' : `; did you mean ${NAMES.get(meant) ?? meant}?`),
  );
}

/** Options of executors that have threads or processes. */
export type NamedPoolOptions = Omit<PoolOptions, 'environment' | 'maxWorkers'> & MemoryOptions;

/** Which options are for which executors. */
const POOL_OPTIONS: Readonly<Record<keyof NamedPoolOptions, readonly ExecutorName[]>> = {
  taskModules: ['workerThreads', 'childProcess'],
  maxTasksPerChild: ['workerThreads', 'childProcess'],
  terminateOnAbort: ['workerThreads', 'childProcess'],
  graceMs: ['workerThreads', 'childProcess'],
  // Threads share one resident memory.
  maxRssMb: ['childProcess'],
};

const POOL_OPTION_NAMES = Object.keys(POOL_OPTIONS) as readonly (keyof NamedPoolOptions)[];

/** @throws {RangeError} for an option that an executor has not. */
export function refuseForeignOptions(executor: string, options: NamedPoolOptions): void {
  for (const option of POOL_OPTION_NAMES) {
    const owners: readonly string[] = POOL_OPTIONS[option];
    if (options[option] === undefined || owners.includes(executor)) continue;
    throw new RangeError(
      `${option} is an option of the executors ${owners.join(' and ')}, and the executor is ${executor}`,
    );
  }
}

/** Makes the executor of a name. @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
export function executorNamed(name: ExecutorName, options: PoolOptions & MemoryOptions): Executor {
  refuseForeignOptions(name, options);
  switch (name) {
    case 'async':
      return asyncExecutor(options.maxWorkers === undefined ? {} : { maxWorkers: options.maxWorkers });
    case 'workerThreads':
      return workerThreadExecutor(options);
    case 'childProcess':
      return childProcessExecutor(options);
  }
}
