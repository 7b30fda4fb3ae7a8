import { availableParallelism } from 'node:os';
import type { Environment } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';
import type { Executor } from '../../executors/executor.js';
import { executorName, executorNamed, refuseForeignOptions } from '../../executors/named.js';
import type { ExecutorName, NamedPoolOptions } from '../../executors/named.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../protocol/codec.js';
import type { SigningOptions } from '../protocol/signing.js';
import type { TransportOptions } from '../transport-registry.js';
import type { Transport } from '../transport.js';
import type { TaskItem } from './allow-list.js';

export interface WorkerOptions
  extends Omit<TransportOptions, 'transport' | 'environment'>, NamedPoolOptions, SigningOptions {
  /** The name of the transport, where no URL says it; or a transport. */
  readonly transport?: string | Transport | undefined;
  /** Whose requests it takes. All workers of one topic run the same tasks. */
  readonly topic: string;
  /** What it runs, and nothing else. May be empty where there are `taskModules`. */
  readonly tasks?: readonly TaskItem[] | undefined;
  /** Modules whose tasks it runs, too. Threads and processes load them. */
  readonly taskModules?: readonly (string | URL)[] | undefined;
  /** Where tasks run: by name, then it is the worker's own, or given. @default 'async' */
  readonly executor?: Executor | ExecutorName | (string & {}) | undefined;
  /** How many tasks it runs at once. @default 16; with threads and processes os.availableParallelism() */
  readonly maxWorkers?: number | undefined;
  /** What it is known by: no two workers may have the same. @default made up */
  readonly workerId?: string | undefined;
  /** Milliseconds between two signs of life while a task runs. @default 5000 */
  readonly heartbeatMs?: number | undefined;
  /** After how many milliseconds of standing still its event loop is given up on. @default 15000 */
  readonly leaseMs?: number | undefined;
  /** Milliseconds between two notices to engines. @default 5000 */
  readonly notifyMs?: number | undefined;
  /** How long, in milliseconds, results are kept to be told again. @default 3600000, one hour */
  readonly resultTtlMs?: number | undefined;
  /** How many results are kept. @default 10000 */
  readonly maxResults?: number | undefined;
  /** How large, in bytes, a message may be. @default 10 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Hears of what happens, a line at a time. @default nobody */
  readonly log?: ((line: string) => void) | undefined;
  readonly environment?: Environment | undefined;
}

/** Options that were checked, with their defaults. */
export interface WorkerSettings {
  readonly topic: string;
  readonly exchange: string;
  readonly capacity: number;
  readonly workerId: string;
  readonly heartbeatMs: number;
  readonly leaseMs: number;
  readonly notifyMs: number;
  readonly resultTtlMs: number;
  readonly maxResults: number;
  readonly maxMessageBytes: number;
  readonly environment: Environment;
  readonly executorName: string;
  readonly log: (line: string) => void;
}

const DEFAULT_CAPACITY = 16;
const TIMES = { heartbeatMs: 5000, leaseMs: 15_000, notifyMs: 5000, resultTtlMs: 60 * 60 * 1000 } as const;
const COUNTS = { maxResults: 10_000, maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES } as const;

const NAMES: ReadonlySet<string> = new Set<keyof WorkerOptions>([
  'url',
  'exchange',
  'transport',
  'transportOptions',
  'retryOptions',
  'registry',
  'topic',
  'tasks',
  'taskModules',
  'executor',
  'maxWorkers',
  'maxTasksPerChild',
  'maxRssMb',
  'terminateOnAbort',
  'graceMs',
  'workerId',
  'heartbeatMs',
  'leaseMs',
  'notifyMs',
  'resultTtlMs',
  'maxResults',
  'maxMessageBytes',
  'log',
  'environment',
  'keys',
  'keyId',
  'maxSkewMs',
  'messageTtlMs',
]);

/** @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
export function workerSettings(options: WorkerOptions): WorkerSettings {
  refuseUnknown(options, NAMES, 'worker');
  const { topic, exchange = 'default', environment = systemEnvironment, maxWorkers, executor = 'async' } = options;
  for (const [option, value] of Object.entries({ topic, exchange })) {
    if (typeof (value as unknown) !== 'string' || value === '') {
      throw new TypeError(`${option} takes text that is not empty, got ${JSON.stringify(value)}`);
    }
  }
  const name = typeof executor === 'string' ? executorName(executor) : executor.name;
  const capacity =
    maxWorkers ?? (name === 'workerThreads' || name === 'childProcess' ? availableParallelism() : DEFAULT_CAPACITY);
  checkCount('maxWorkers', capacity);
  return {
    topic,
    exchange,
    capacity,
    workerId: options.workerId ?? environment.newId(),
    ...timesOf(options, TIMES),
    ...countsOf(options, COUNTS),
    environment,
    executorName: name,
    log: options.log ?? (() => undefined),
  };
}

/** Makes the executor of a worker, or takes the one that was given, which is not closed with it. */
export function executorOf(
  options: WorkerOptions,
  { capacity }: WorkerSettings,
): { executor: Executor; isOurs: boolean } {
  const {
    executor = 'async',
    taskModules = [],
    tasks = [],
    maxTasksPerChild,
    maxRssMb,
    terminateOnAbort,
    graceMs,
  } = options;
  if (typeof executor !== 'string') {
    // Modules are loaded for the list of what may be run, wherever it is run.
    refuseForeignOptions('one that was given', { maxTasksPerChild, maxRssMb, terminateOnAbort, graceMs });
    return { executor, isOurs: false };
  }
  const name = executorName(executor);
  const poolOptions = { maxTasksPerChild, maxRssMb, terminateOnAbort, graceMs };
  if (name === 'async')
    return { executor: executorNamed(name, { ...poolOptions, maxWorkers: capacity }), isOurs: true };
  const texts = tasks.filter((item) => typeof item === 'string').map((item) => item.replace(/:[A-Za-z_$][\w$]*$/, ''));
  const modules = [...new Set([...taskModules, ...texts])];
  return {
    executor: executorNamed(name, { ...poolOptions, taskModules: modules, maxWorkers: capacity }),
    isOurs: true,
  };
}

/** @throws {RangeError} for an option that there is not (D18). */
export function refuseUnknown(given: object, known: ReadonlySet<string>, what: string): void {
  for (const name of Object.keys(given)) {
    if (!known.has(name))
      throw new RangeError(`There is no ${what} option ${JSON.stringify(name)}; there are ${[...known].join(', ')}`);
  }
}

export function timesOf<Name extends string>(
  given: object,
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const entries = Object.entries<number>(defaults).map(([name, usual]) => {
    const value: unknown = Reflect.get(given, name) ?? usual;
    if (typeof value !== 'number' || !(value > 0 && value < Infinity)) {
      throw new RangeError(`${name} takes milliseconds above 0, got ${String(value)}`);
    }
    return [name, value] as const;
  });
  return Object.fromEntries(entries) as Record<Name, number>;
}

export function countsOf<Name extends string>(
  given: object,
  defaults: Readonly<Record<Name, number>>,
): Record<Name, number> {
  const entries = Object.entries<number>(defaults).map(([name, usual]) => [
    name,
    checkCount(name, Reflect.get(given, name) ?? usual),
  ]);
  return Object.fromEntries(entries) as Record<Name, number>;
}

export function checkCount(name: string, value: unknown): number {
  if (Number.isSafeInteger(value) && Number(value) >= 1) return Number(value);
  throw new RangeError(`${name} takes a whole number from 1, got ${String(value)}`);
}
