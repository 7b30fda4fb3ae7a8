import { TimeoutError } from '../errors.js';
import { Failure } from '../failure.js';
import type { Storage } from '../storage/storage.js';
import { asRecord } from '../storage/values.js';

/* That a run is to be undone, and by when it has to be done, is kept in its metadata: whoever takes it up knows. */

const CANCELLED = '_flowstate_cancelled';
const DEADLINE = '_flowstate_deadline';

/** When a run has to be done. */
export interface Deadline {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly limitMs: number;
}

/** Why a run is cancelled. */
export interface Cancellation {
  /** What the atoms that are under way are told. */
  readonly reason: unknown;
  /** The deadline that has passed, in milliseconds from the beginning; null when somebody cancelled the run. */
  readonly limitMs: number | null;
}

export function askedToCancel(flowName: string, reason: unknown): Cancellation {
  const given = reason ?? new DOMException(`The run of ${flowName} was cancelled`, 'AbortError');
  return { reason: given, limitMs: null };
}

export function overdue(flowName: string, limitMs: number): Cancellation {
  return { reason: new TimeoutError(`The run of ${flowName}`, limitMs), limitMs };
}

/** Whether everything that ran is to be undone. */
export function isCancelled(storage: Storage): boolean {
  return asRecord(storage.flowMeta[CANCELLED]) !== undefined;
}

export function markCancelled(storage: Storage, { reason, limitMs }: Cancellation): void {
  storage.updateFlowMetadata({ [CANCELLED]: { reason: Failure.from(reason).message, limitMs } });
}

/** Why a run is to be undone; null where nobody cancelled it. */
export function reasonOfCancellation(storage: Storage): string | null {
  const reason = asRecord(storage.flowMeta[CANCELLED])?.['reason'];
  return typeof reason === 'string' ? reason : null;
}

/** What is thrown when a run that was cancelled has been undone: nothing, unless its deadline had passed. */
export function failuresOfCancellation(storage: Storage): Failure[] {
  const limitMs = asRecord(storage.flowMeta[CANCELLED])?.['limitMs'];
  return typeof limitMs === 'number' ? [Failure.from(overdue(storage.flowName, limitMs).reason)] : [];
}

/** The metadata of a run that starts over: it is not cancelled, and has all its time. */
export function withoutCancellation(storage: Storage): Record<string, null> {
  return Object.fromEntries(
    [CANCELLED, DEADLINE].filter((key) => storage.flowMeta[key] !== undefined).map((key) => [key, null]),
  );
}

/**
 * When the run that begins has to be done: one that was interrupted has what was left of its time.
 *
 * @param deadlineMs - What a run has from its beginning. Default: no limit.
 */
export function deadlineFor(storage: Storage, deadlineMs: number | undefined, now: number): Deadline | null {
  const stored = asRecord(storage.flowMeta[DEADLINE]);
  const [at, limitMs] = [stored?.['at'], stored?.['limitMs']];
  const isTakenUp = storage.getFlowState() === 'SUSPENDED';
  if (isTakenUp && typeof at === 'number' && typeof limitMs === 'number') return { at, limitMs };
  const deadline = deadlineMs === undefined ? null : { at: now + deadlineMs, limitMs: deadlineMs };
  if (deadline !== null || stored !== undefined) storage.updateFlowMetadata({ [DEADLINE]: deadline });
  return deadline;
}
