import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock, Environment } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';

/** How a pool of threads or processes is made. */
export interface PoolOptions {
  /**
   * The modules that export the tasks, or register them: paths from the current folder that begin with `.` or `/`, URLs
   * such as `new URL('./tasks.js', import.meta.url)`, or names of packages. Each thread or process loads all of them.
   */
  readonly taskModules?: readonly (string | URL)[] | undefined;
  /** How many threads or processes there are at most. @default os.availableParallelism() */
  readonly maxWorkers?: number | undefined;
  /** A thread or process is replaced when it has run so many tasks. @default Infinity */
  readonly maxTasksPerChild?: number | undefined;
  /** Whether a task that was told to stop is ended with its thread or process, when it does not. @default false */
  readonly terminateOnAbort?: boolean | undefined;
  /** How long, in milliseconds, a task that was told to stop may go on before it is ended. @default 5000 */
  readonly graceMs?: number | undefined;
  /** Times `graceMs`. @default the platform's */
  readonly environment?: Environment | undefined;
}

/** The options of processes alone. */
export interface MemoryOptions {
  /** A process that has more resident memory than this after a task, in MiB, is replaced. @default Infinity */
  readonly maxRssMb?: number | undefined;
}

/** Options that were checked, with their defaults. */
export interface PoolSettings {
  readonly taskModules: readonly string[];
  readonly maxWorkers: number;
  readonly maxTasksPerChild: number;
  readonly maxRssMb: number;
  readonly terminateOnAbort: boolean;
  readonly graceMs: number;
  readonly clock: Clock;
}

const DEFAULT_GRACE_MS = 5000;

/**
 * @throws {TypeError} for a value of another kind.
 * @throws {RangeError} for a value out of range.
 */
export function poolSettings(executor: string, options: PoolOptions & MemoryOptions): PoolSettings {
  const { taskModules = [], maxWorkers = availableParallelism(), environment = systemEnvironment } = options;
  const {
    maxTasksPerChild = Infinity,
    maxRssMb = Infinity,
    graceMs = DEFAULT_GRACE_MS,
    terminateOnAbort = false,
  } = options;
  if (!isCount(maxWorkers)) throw refused(`maxWorkers of ${executor}`, 'a whole number from 1', maxWorkers);
  if (!isCount(maxTasksPerChild) && maxTasksPerChild !== Infinity) {
    throw refused('maxTasksPerChild', 'a whole number from 1, or Infinity', maxTasksPerChild);
  }
  if (typeof maxRssMb !== 'number' || !(maxRssMb > 0)) throw refused('maxRssMb', 'mebibytes above 0', maxRssMb);
  if (typeof graceMs !== 'number' || !(graceMs >= 0 && graceMs < Infinity)) {
    throw refused('graceMs', 'milliseconds from 0', graceMs);
  }
  if (typeof terminateOnAbort !== 'boolean') {
    throw new TypeError(`terminateOnAbort takes true or false, got ${String(terminateOnAbort)}`);
  }
  if (!Array.isArray(taskModules)) {
    throw new TypeError(`taskModules takes a list of paths, URLs and names of packages, got ${String(taskModules)}`);
  }
  const modules = taskModules.map(moduleUrl);
  return {
    taskModules: modules,
    maxWorkers,
    maxTasksPerChild,
    maxRssMb,
    terminateOnAbort,
    graceMs,
    clock: environment.clock,
  };
}

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 1;
}

function refused(option: string, takes: string, got: unknown): RangeError {
  return new RangeError(`${option} takes ${takes}, got ${String(got)}`);
}

/** A path is one of this process: it means the same wherever it is loaded. */
export function moduleUrl(module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module !== 'string' || module === '') {
    throw new TypeError(`taskModules takes paths, URLs and names of packages, got ${String(module)}`);
  }
  return /^(\.{0,2}\/|\.{1,2}$|[a-z]:[\\/])/i.test(module) ? pathToFileURL(resolve(module)).href : module;
}
