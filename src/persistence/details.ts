import type { FlowState, Intention, RetryState } from '../../machines/index.js';
import type { Attempt } from '../atoms/history.js';
import type { Failure } from '../failure.js';

export type { Attempt } from '../atoms/history.js';

/** A state of a task or of a retry. */
export type AtomState = RetryState;

/** Facts kept beside a record: factory details, injected values, progress, timings. Plain data. */
export type Meta = Readonly<Record<string, unknown>>;

interface AtomDetailBase {
  readonly uuid: string;
  readonly name: string;
  /** The order in which atoms were first registered in their flow, from 0. */
  readonly position: number;
  /** The version of the atom when its detail was made, such as `1.0`. */
  readonly version: string | null;
  /** null only for records that are no atom's: injected values before there are any, and the plan of the flow. */
  readonly state: AtomState | null;
  readonly intention: Intention;
  readonly meta: Meta;
  readonly failure: Failure | null;
  readonly revertResults: unknown;
  readonly revertFailure: Failure | null;
}

/** What is known of a task. Records are never changed: a new one takes the place of the old. */
export interface TaskDetail extends AtomDetailBase {
  readonly kind: 'task';
  readonly results: unknown;
}

/** What is known of a retry: one attempt for each time its `execute` succeeded. */
export interface RetryDetail extends AtomDetailBase {
  readonly kind: 'retry';
  readonly results: readonly Attempt[];
}

export type AtomDetail = TaskDetail | RetryDetail;

/** One run of a flow. */
export interface FlowDetail {
  readonly uuid: string;
  readonly name: string;
  /** null reads as PENDING. */
  readonly state: FlowState | null;
  readonly meta: Meta;
  /** Counts the commits; a commit that expects another revision is refused (C5). */
  readonly revision: number;
  /** In milliseconds since 1970, as all times. */
  readonly createdAt: number;
  /** When it was last committed. */
  readonly updatedAt: number;
  /** The greatest fence token that it was committed with; 0 without a claim. */
  readonly fence: number;
  /** The id of the commit that was applied last, if it had one. */
  readonly lastCommit: string | null;
  /** By position. Empty when read lazily. */
  readonly atoms: readonly AtomDetail[];
}

/** A book of runs. */
export interface LogBook {
  readonly uuid: string;
  readonly name: string;
  readonly meta: Meta;
  readonly createdAt: number;
  /** null until a flow detail is added. */
  readonly updatedAt: number | null;
  /** In the order in which they were added. Empty when read lazily. */
  readonly flows: readonly FlowDetail[];
}
