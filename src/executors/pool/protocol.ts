import type { Listing, TaskAddress } from '../../atoms/task-registry.js';
import type { Task } from '../../atoms/task.js';
import { UPDATE_PROGRESS } from '../../atoms/task.js';
import { Failure } from '../../failure.js';
import type { FailureRecord } from '../../failure.js';
import { ANY } from '../../notifications/notifier.js';

/*
 * What an engine and a thread or process that runs its tasks tell each other: plain data, one task at a time, in order.
 */

/** Arguments without what only its record survives. */
export interface SentArguments {
  readonly values: Readonly<Record<string, unknown>>;
  readonly failures?: Readonly<Record<string, FailureRecord>>;
  /** Such as `flowFailures`: failures by atom. */
  readonly failureMaps?: Readonly<Record<string, readonly (readonly [string, FailureRecord])[]>>;
}

export interface RunRequest {
  readonly type: 'run';
  readonly address: TaskAddress;
  /** What the atom is called in its flow. */
  readonly atom: string;
  readonly method: 'execute' | 'revert';
  readonly args: SentArguments;
  readonly idempotencyKey: string;
  /** The events that somebody listens to; `*` stands for all but progress. */
  readonly events: readonly string[];
}

export type Request =
  | RunRequest
  /** Aborts the signal of the task that is being run. */
  | { readonly type: 'abort'; readonly reason: FailureRecord }
  /** Ends the thread or process. */
  | { readonly type: 'stop' };

export type Reply =
  | { readonly type: 'ready'; readonly listings: readonly Listing[] }
  | { readonly type: 'unloadable'; readonly module: string; readonly failure: FailureRecord }
  | { readonly type: 'event'; readonly event: string; readonly details: Record<string, unknown> }
  | { readonly type: 'done'; readonly value: unknown; readonly rssMb?: number }
  /** Something of the task cannot be sent. */
  | { readonly type: 'uncrossable'; readonly what: string; readonly why: FailureRecord; readonly rssMb?: number }
  | { readonly type: 'failed'; readonly failure: FailureRecord; readonly rssMb?: number };

/** What a thread or process is started with. */
export interface Start {
  /** URLs of modules, or names of packages. */
  readonly taskModules: readonly string[];
  /** Whether each reply says how much memory the process has. */
  readonly tellsMemory: boolean;
  /** What it is. */
  readonly noun: 'thread' | 'process';
}

const TYPES: ReadonlySet<unknown> = new Set<Reply['type']>([
  'ready',
  'unloadable',
  'event',
  'done',
  'uncrossable',
  'failed',
]);

/** Whether it is one of ours: tasks may send messages of their own. */
export function isReply(message: unknown): message is Reply {
  return typeof message === 'object' && message !== null && 'type' in message && TYPES.has(message.type);
}

export function sentArguments(args: Readonly<Record<string, unknown>>): SentArguments {
  const failures: [string, FailureRecord][] = [];
  const failureMaps: [string, (readonly [string, FailureRecord])[]][] = [];
  const values: [string, unknown][] = [];
  for (const [name, value] of Object.entries(args)) {
    if (value instanceof Failure) failures.push([name, value.toRecord()]);
    else if (isFailureMap(value)) failureMaps.push([name, [...value].map(([atom, each]) => [atom, each.toRecord()])]);
    else values.push([name, value]);
  }
  return {
    // Unlike assignment, fromEntries keeps an argument called __proto__ an argument.
    values: Object.fromEntries(values),
    ...(failures.length === 0 ? {} : { failures: Object.fromEntries(failures) }),
    ...(failureMaps.length === 0 ? {} : { failureMaps: Object.fromEntries(failureMaps) }),
  };
}

function isFailureMap(value: unknown): value is ReadonlyMap<string, Failure> {
  return value instanceof Map && [...value.values()].every((each) => each instanceof Failure);
}

/** The events of a task that somebody listens to where the engine is. */
export function eventsHeard(task: Task): string[] {
  const events = task.onProgress === null ? [] : [UPDATE_PROGRESS];
  if (!task.hasListeners) return events;
  const listened = [...task.notifier.listeners()].map(([event]) => event);
  // Those who listen to all hear of progress, too.
  if (listened.includes(ANY)) listened.push(UPDATE_PROGRESS);
  return [...new Set([...events, ...listened])];
}

export function receivedArguments({ values, failures, failureMaps }: SentArguments): Record<string, unknown> {
  if (failures === undefined && failureMaps === undefined) return values;
  const revived = Object.entries(failures ?? {}).map(([name, record]) => [name, Failure.fromRecord(record)] as const);
  const maps = Object.entries(failureMaps ?? {}).map(([name, records]) => {
    return [name, new Map(records.map(([atom, record]) => [atom, Failure.fromRecord(record)]))] as const;
  });
  return Object.fromEntries([...Object.entries(values), ...revived, ...maps]);
}
