import type { ResourceLimits } from 'node:worker_threads';
import type { Executor } from './executor.js';
import type { PoolOptions } from './pool/options.js';
import { poolSettings } from './pool/options.js';
import { Pool } from './pool/pool.js';
import { threadHosts } from './pool/thread-host.js';

export interface WorkerThreadExecutorOptions extends PoolOptions {
  /** How much memory each thread may have; one that needs more is lost, and replaced. */
  readonly resourceLimits?: ResourceLimits | undefined;
}

/**
 * Runs tasks in threads: for work that keeps a processor busy. Each thread has its own modules and memory.
 *
 * Tasks are found by the names that their modules export or register them by. Arguments and results are copied by
 * structured clone; `transfer` moves what a result holds.
 *
 * @throws {RangeError|TypeError} naming the option, what it takes and what it got.
 */
export function workerThreadExecutor(options: WorkerThreadExecutorOptions = {}): Executor {
  return new Pool('workerThreads', threadHosts(options.resourceLimits), poolSettings('workerThreads', options));
}
