import { systemEnvironment } from '../environment.js';
import type { Executor } from './executor.js';
import type { MemoryOptions, PoolOptions } from './pool/options.js';
import { poolSettings } from './pool/options.js';
import { Pool } from './pool/pool.js';
import type { ProcessOptions } from './pool/process-host.js';
import { processHosts } from './pool/process-host.js';

export interface ChildProcessExecutorOptions extends PoolOptions, MemoryOptions, ProcessOptions {}

/**
 * Runs tasks in processes of their own: for work that may bring its process down, or needs more memory than it gives
 * back. No process outlives the one that started it, however that ends.
 *
 * Tasks are found by the names that their modules export or register them by. Arguments and results are copied.
 *
 * @throws {RangeError|TypeError} naming the option, what it takes and what it got.
 */
export function childProcessExecutor(options: ChildProcessExecutorOptions = {}): Executor {
  const { environment = systemEnvironment } = options;
  return new Pool('childProcess', processHosts(options, environment), poolSettings('childProcess', options));
}
