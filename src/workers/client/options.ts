import type { Environment } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';
import { DEFAULT_MAX_MESSAGE_BYTES } from '../protocol/codec.js';
import type { SigningOptions } from '../protocol/signing.js';
import type { TransportOptions } from '../transport-registry.js';
import type { Transport } from '../transport.js';
import { checkCount, countsOf, refuseUnknown, timesOf } from '../worker/options.js';

/** How an engine asks workers. */
export interface WorkerExecutorOptions extends Omit<TransportOptions, 'transport' | 'environment'>, SigningOptions {
  /** The name of the transport, where no URL says it; or a transport. */
  readonly transport?: string | Transport | undefined;
  /** Topics whose workers are asked. @default all that are heard of */
  readonly topics?: readonly string[] | undefined;
  /** How long, in milliseconds, a request may wait until a worker begins with it; null: for ever. @default 60000 */
  readonly transitionTimeoutMs?: number | null | undefined;
  /** How long, in milliseconds, a request may wait while no worker is there for it. @default transitionTimeoutMs */
  readonly noWorkerMs?: number | null | undefined;
  /** After how many milliseconds of silence a worker is forgotten; null: never. @default 60000 */
  readonly workerExpiryMs?: number | null | undefined;
  /** After how many milliseconds of silence a worker that runs a task is taken for lost. @default 15000 */
  readonly leaseMs?: number | undefined;
  /** Whether the task of a lost worker is given to another, or fails. @default 'redispatch' */
  readonly onWorkerLost?: 'redispatch' | 'fail' | undefined;
  /** How often a task is given to a worker before it fails with a WorkerLostError. @default 3 */
  readonly maxDeliveries?: number | undefined;
  /** How many requests may be with workers at once. @default Infinity */
  readonly maxInFlight?: number | undefined;
  /** How long, in milliseconds, those who may know an interrupted task are waited for. @default 1000 */
  readonly adoptMs?: number | undefined;
  /** How long, in milliseconds, replies to a run that has not ended are kept while no engine reads them. @default 86400000, one day */
  readonly mailboxExpiryMs?: number | undefined;
  /** How large, in bytes, a message may be. @default 10 MiB */
  readonly maxMessageBytes?: number | undefined;
  /** Hears of what is unexpected, a line at a time. @default nobody */
  readonly log?: ((line: string) => void) | undefined;
  readonly environment?: Environment | undefined;
}

/** Options that were checked, with their defaults. */
export interface WorkerExecutorSettings {
  /** null: all that are heard of. */
  readonly topics: ReadonlySet<string> | null;
  readonly transitionTimeoutMs: number;
  readonly noWorkerMs: number;
  readonly workerExpiryMs: number;
  readonly leaseMs: number;
  readonly redispatches: boolean;
  readonly maxDeliveries: number;
  readonly maxInFlight: number;
  readonly adoptMs: number;
  readonly mailboxExpiryMs: number;
  readonly maxMessageBytes: number;
  readonly environment: Environment;
  readonly log: (line: string) => void;
}

const TIMES = { leaseMs: 15_000, adoptMs: 1000, mailboxExpiryMs: 24 * 60 * 60 * 1000 } as const;
const COUNTS = { maxDeliveries: 3, maxMessageBytes: DEFAULT_MAX_MESSAGE_BYTES } as const;
const DEFAULT_TIMEOUT_MS = 60_000;

/** Options of the executor that an engine takes, too. */
export const WORKER_OPTION_NAMES = [
  'url',
  'exchange',
  'topics',
  'transport',
  'transportOptions',
  'retryOptions',
  'transitionTimeoutMs',
  'noWorkerMs',
  'workerExpiryMs',
  'leaseMs',
  'onWorkerLost',
  'maxDeliveries',
  'maxInFlight',
  'adoptMs',
  'mailboxExpiryMs',
  'maxMessageBytes',
  'keys',
  'keyId',
  'maxSkewMs',
  'messageTtlMs',
] as const satisfies readonly (keyof WorkerExecutorOptions)[];

const NAMES: ReadonlySet<string> = new Set([...WORKER_OPTION_NAMES, 'registry', 'log', 'environment']);

/** @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
export function workerExecutorSettings(options: WorkerExecutorOptions): WorkerExecutorSettings {
  refuseUnknown(options, NAMES, 'worker executor');
  const { topics, onWorkerLost = 'redispatch', maxInFlight = Infinity, environment = systemEnvironment } = options;
  if (
    topics !== undefined &&
    !(Array.isArray(topics) && topics.every((topic) => typeof topic === 'string' && topic !== ''))
  ) {
    throw new TypeError(`topics takes a list of names, got ${String(topics)}`);
  }
  if (!['redispatch', 'fail'].includes(onWorkerLost)) {
    throw new RangeError(`onWorkerLost takes 'redispatch' or 'fail', got ${JSON.stringify(onWorkerLost)}`);
  }
  if (maxInFlight !== Infinity) checkCount('maxInFlight', maxInFlight);
  const transitionTimeoutMs = orNever(options, 'transitionTimeoutMs', DEFAULT_TIMEOUT_MS);
  return {
    topics: topics === undefined || topics.length === 0 ? null : new Set(topics),
    transitionTimeoutMs,
    noWorkerMs: orNever(options, 'noWorkerMs', transitionTimeoutMs),
    workerExpiryMs: orNever(options, 'workerExpiryMs', DEFAULT_TIMEOUT_MS),
    ...timesOf(options, TIMES),
    ...countsOf(options, COUNTS),
    redispatches: onWorkerLost === 'redispatch',
    maxInFlight,
    environment,
    log: options.log ?? (() => undefined),
  };
}

function orNever(
  options: WorkerExecutorOptions,
  name: 'transitionTimeoutMs' | 'noWorkerMs' | 'workerExpiryMs',
  usual: number,
): number {
  const value = options[name];
  if (value === undefined) return usual;
  if (value === null) return Infinity;
  if (typeof value === 'number' && value > 0) return value;
  throw new RangeError(`${name} takes milliseconds above 0, or null, got ${String(value)}`);
}
