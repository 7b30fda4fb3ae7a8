import type { Environment } from '../environment.js';
import { checkMaxWorkers } from '../executors/async.js';
import type { Executor } from '../executors/executor.js';
import { executorName } from '../executors/named.js';
import type { ExecutorName } from '../executors/named.js';
import { nearestName } from '../nearest-name.js';
import type { CommitRetryPolicy } from '../storage/commit-retry.js';
import { commitRetryPolicy } from '../storage/commit-retry.js';
import { WORKER_OPTION_NAMES } from '../workers/client/options.js';
import type { OnPlanChange } from './plan-consent.js';

/** How an engine runs a flow. */
export interface EngineOptions {
  /** A retry that says REVERT leaves the decision to the retry around it; without one everything is reverted (D22). */
  readonly deferReverts: boolean;
  /** Failures are not resolved: nothing is reverted or tried again, and the run ends FAILURE. */
  readonly neverResolve: boolean;
  /** What atoms inject for themselves stays in memory; otherwise it is kept with the run. */
  readonly injectTransient: boolean;
  /** Whether every change of a state is noted, in the commit that makes it durable. */
  readonly journal: boolean;
  /** Whether stages are timed. Counting is always on. */
  readonly gatherStatistics: boolean;
  /** One commit for all changes of a round (C3), or one before each notification (C3b). */
  readonly checkpoint: 'round' | 'change';
  /** Flowstate's compiled charts, or XState's own interpreter. They do the same, at different speed. */
  readonly interpreter: 'compiled' | 'native';
  /** For a run whose flow is not the one that it was stored with (D20). */
  readonly onPlanChange: OnPlanChange;
  /** Longest time, in milliseconds, that progress waits for a commit that takes it along (C4). */
  readonly progressFlushMs: number;
  /** How a commit that the store failed is tried again. */
  readonly commitRetry: CommitRetryPolicy;
  /** The fence token of the claim under which the run is written; a claim that was taken over is refused (C5). */
  readonly fence: number | undefined;
  /** For the parallel engine: how many atoms may be under way at once. */
  readonly maxWorkers: number;
  /** For the parallel engine: where tasks run, by name, or given: then it stays the caller's. */
  readonly executor: Executor | ExecutorName | undefined;
  /** For executors with threads or processes: the modules that export the tasks. */
  readonly taskModules: readonly (string | URL)[] | undefined;
  /** For executors with threads or processes: after how many tasks one is replaced. */
  readonly maxTasksPerChild: number | undefined;
  /** For `childProcess`: with how much memory, in MiB, a process is replaced. */
  readonly maxRssMb: number | undefined;
  /** For executors with threads or processes: whether a task that does not listen to its signal is ended. */
  readonly terminateOnAbort: boolean | undefined;
  /** For executors with threads or processes: how long, in milliseconds, it may go on after the signal. */
  readonly graceMs: number | undefined;
  /** How long a run may take, in milliseconds, until it is cancelled. */
  readonly deadlineMs: number | undefined;
  readonly environment: Environment | undefined;
}

const DEFAULTS: EngineOptions = {
  deferReverts: true,
  neverResolve: false,
  injectTransient: true,
  journal: false,
  gatherStatistics: true,
  checkpoint: 'round',
  interpreter: 'compiled',
  onPlanChange: 'refuse',
  progressFlushMs: 1000,
  commitRetry: commitRetryPolicy(),
  fence: undefined,
  maxWorkers: Infinity,
  executor: undefined,
  taskModules: undefined,
  maxTasksPerChild: undefined,
  maxRssMb: undefined,
  terminateOnAbort: undefined,
  graceMs: undefined,
  deadlineMs: undefined,
  environment: undefined,
};

const CHOICES = {
  checkpoint: ['round', 'change'],
  interpreter: ['compiled', 'native'],
} as const;

/** What `engines.load` takes beside these. */
const OPTIONS_OF_LOAD = ['store', 'engine', 'flowDetail', 'book', 'backend', ...WORKER_OPTION_NAMES];

const FLAGS = ['deferReverts', 'neverResolve', 'injectTransient', 'journal', 'gatherStatistics'] as const;

/**
 * Fills in defaults and checks what was given.
 *
 * @throws {RangeError} for an option that there is not, naming the nearest (D18), and for a value out of range.
 * @throws {TypeError} for a value of another kind.
 */
export function engineOptions(given: Readonly<Record<string, unknown>>): EngineOptions {
  const known = [...Object.keys(DEFAULTS), ...OPTIONS_OF_LOAD];
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(DEFAULTS, name)) {
      const meant = nearestName(name, known);
      throw new RangeError(
        `There is no engine option ${JSON.stringify(name)}` +
          (meant === null ? `; there are ${known.join(', ')}` : `; did you mean ${meant}?`),
      );
    }
  }
  const options: EngineOptions = { ...DEFAULTS, ...withoutUndefined(given) };
  for (const name of FLAGS) {
    if (typeof options[name] !== 'boolean')
      throw new TypeError(`${name} takes true or false, got ${String(options[name])}`);
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof typeof CHOICES];
    if (!choices.some((choice) => choice === value)) {
      throw new RangeError(
        `${name} takes ${choices.map((choice) => `'${choice}'`).join(' or ')}, got ${JSON.stringify(value)}`,
      );
    }
  }
  const { onPlanChange } = options;
  if (onPlanChange !== 'accept' && onPlanChange !== 'refuse' && typeof onPlanChange !== 'function') {
    throw new RangeError(`onPlanChange takes 'accept', 'refuse' or a function, got ${JSON.stringify(onPlanChange)}`);
  }
  checkMaxWorkers(options.maxWorkers);
  const commitRetry = commitRetryPolicy(options.commitRetry);
  const { fence } = options;
  if (fence !== undefined && !(Number.isSafeInteger(fence) && fence >= 1)) {
    throw new RangeError(`fence takes a whole number from 1, got ${String(fence)}`);
  }
  if (!(options.progressFlushMs >= 0)) {
    throw new RangeError(`progressFlushMs takes milliseconds from 0, got ${String(options.progressFlushMs)}`);
  }
  const { deadlineMs } = options;
  if (deadlineMs !== undefined && !(typeof deadlineMs === 'number' && deadlineMs > 0 && deadlineMs < Infinity)) {
    throw new RangeError(`deadlineMs takes milliseconds above 0, got ${String(deadlineMs)}`);
  }
  const executor = readExecutor(options.executor);
  const { environment } = options;
  if (environment !== undefined && typeof (environment as Partial<Environment>).clock?.now !== 'function') {
    throw new TypeError('environment takes an object with a clock, newId and random');
  }
  return { ...options, executor, commitRetry };
}

function readExecutor(given: unknown): EngineOptions['executor'] {
  if (typeof given === 'string') return executorName(given);
  if (given !== undefined && typeof submitOf(given) !== 'function') {
    throw new TypeError(
      `executor takes an object with a submit method, or the name of an executor, got ${given === null ? 'null' : typeof given}`,
    );
  }
  return given as Executor | undefined;
}

function submitOf(executor: unknown): unknown {
  return typeof executor === 'object' && executor !== null && 'submit' in executor ? executor.submit : undefined;
}

function withoutUndefined(given: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
