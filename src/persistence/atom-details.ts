import { castDraft, enableMapSet, Immer } from 'immer';
import type { Intention } from '../../machines/index.js';
import { NotFoundError, StorageError } from '../errors.js';
import { systemEnvironment } from '../environment.js';
import type { Environment } from '../environment.js';
import { Failure } from '../failure.js';
import type { AtomDetail, AtomState, Attempt, Meta, RetryDetail, TaskDetail } from './details.js';

enableMapSet();
// Values belong to their users: they are not frozen.
const immer = new Immer({ autoFreeze: false });

/** What is known of an atom before it has run. */
export interface NewAtomDetail {
  readonly name: string;
  /** The order in which atoms were first registered in their flow, from 0. */
  readonly position: number;
  /** @default a new id */
  readonly uuid?: string;
  /** @default null */
  readonly version?: string | null;
  /** @default 'PENDING' */
  readonly state?: AtomState | null;
  /** @default {} */
  readonly meta?: Meta;
}

/** Metadata of most atoms most of the time: nothing, a start, an end. Shared, so that they cost nothing. */
const NO_META: Meta = Object.freeze({});
const STARTED: Meta = Object.freeze({ progress: 0 });
const FINISHED: Meta = Object.freeze({ progress: 1 });

/** Metadata with how far a task is, from 0 to 1. */
export function withProgress(meta: Meta, progress: number): Meta {
  if (meta['progress'] === progress) return meta;
  if (meta === NO_META || meta === STARTED || meta === FINISHED) {
    if (progress === 0) return STARTED;
    if (progress === 1) return FINISHED;
  }
  return { ...meta, progress };
}

/** The detail of a task that has not run. */
export function newTaskDetail(given: NewAtomDetail, environment: Environment = systemEnvironment): TaskDetail {
  const { name, position, uuid = environment.newId(), version = null, state = 'PENDING', meta = NO_META } = given;
  return taskDetail({ uuid, name, position, version }, state, 'EXECUTE', meta, null);
}

type Identity = Pick<TaskDetail, 'uuid' | 'name' | 'position' | 'version'>;

/**
 * The one place where records of tasks are made: all have one shape, whatever becomes of their tasks. Copies made by
 * spread would have others, and all code that reads records would be compiled for each.
 */
function taskDetail(
  { uuid, name, position, version }: Identity,
  state: AtomState | null,
  intention: Intention,
  meta: Meta,
  results: unknown,
  failure: Failure | null = null,
  revertResults: unknown = null,
  revertFailure: Failure | null = null,
): TaskDetail {
  return {
    uuid,
    name,
    position,
    version,
    state,
    intention,
    meta,
    failure,
    revertResults,
    revertFailure,
    kind: 'task',
    results,
  };
}

/** The detail with another state, and metadata that belongs to it. */
export function inState(detail: AtomDetail, state: AtomState, meta = detail.meta): AtomDetail {
  if (detail.kind === 'retry') return { ...detail, state, meta };
  const { intention, results, failure, revertResults, revertFailure } = detail;
  return taskDetail(detail, state, intention, meta, results, failure, revertResults, revertFailure);
}

/** The detail with another intention. */
export function withIntention(detail: AtomDetail, intention: Intention): AtomDetail {
  if (detail.kind === 'retry') return { ...detail, intention };
  const { state, meta, results, failure, revertResults, revertFailure } = detail;
  return taskDetail(detail, state, intention, meta, results, failure, revertResults, revertFailure);
}

/** The detail of a retry that has not run. */
export function newRetryDetail(given: NewAtomDetail, environment: Environment = systemEnvironment): RetryDetail {
  return { ...newTaskDetail(given, environment), kind: 'retry', results: [] };
}

/**
 * The detail after its atom has come to a state with a result.
 *
 * - SUCCESS: the result is what `execute` gave; of a retry, it is a new attempt. Everything else is forgotten.
 * - FAILURE: the result is the failure of `execute`. A retry keeps its attempts.
 * - REVERTED: the result is what `revert` gave. What `execute` gave is kept.
 * - REVERT_FAILURE: the result is the failure of `revert`. A retry keeps its attempts.
 * - Any other state has no result: the result given is not looked at.
 *
 * @param meta - Metadata that is to be kept with it. Default: as it is.
 * @returns The same detail when nothing changed; results and metadata are compared by identity.
 * @throws {TypeError} for a result of FAILURE or REVERT_FAILURE that is not a `Failure`.
 * @see TaskFlow `persistence/models.py`, `TaskDetail.put` and `RetryDetail.put`.
 */
export function put(detail: TaskDetail, state: AtomState, result: unknown, meta?: Meta): TaskDetail;
export function put(detail: RetryDetail, state: AtomState, result: unknown, meta?: Meta): RetryDetail;
export function put(detail: AtomDetail, state: AtomState, result: unknown, meta?: Meta): AtomDetail;
export function put(detail: AtomDetail, state: AtomState, result: unknown, meta = detail.meta): AtomDetail {
  return detail.kind === 'task' ? putTask(detail, state, result, meta) : putRetry(detail, state, result, meta);
}

function putTask(detail: TaskDetail, state: AtomState, result: unknown, meta: Meta): TaskDetail {
  const { intention, results, failure, revertResults, revertFailure } = detail;
  switch (state) {
    case 'SUCCESS':
      return changed(detail, taskDetail(detail, state, intention, meta, result));
    case 'FAILURE':
      return changed(detail, taskDetail(detail, state, intention, meta, null, failureFor(detail, state, result)));
    case 'REVERTED':
      return changed(detail, taskDetail(detail, state, intention, meta, results, failure, result));
    case 'REVERT_FAILURE': {
      const own = failureFor(detail, state, result);
      return changed(detail, taskDetail(detail, state, intention, meta, null, failure, null, own));
    }
    default:
      return changed(
        detail,
        taskDetail(detail, state, intention, meta, results, failure, revertResults, revertFailure),
      );
  }
}

const noFailures: Attempt['failures'] = new Map();

function putRetry(detail: RetryDetail, state: AtomState, result: unknown, meta: Meta): RetryDetail {
  switch (state) {
    case 'SUCCESS': {
      const results = [...detail.results, { provided: result, failures: noFailures }];
      return { ...detail, meta, state, results, failure: null, revertResults: null, revertFailure: null };
    }
    case 'FAILURE': {
      const failure = failureFor(detail, state, result);
      return changed(detail, { ...detail, meta, state, failure, revertResults: null, revertFailure: null });
    }
    case 'REVERTED':
      return changed(detail, { ...detail, meta, state, revertResults: result, revertFailure: null });
    case 'REVERT_FAILURE': {
      const revertFailure = failureFor(detail, state, result);
      return changed(detail, { ...detail, meta, state, revertResults: null, revertFailure });
    }
    default:
      return changed(detail, { ...detail, meta, state });
  }
}

function failureFor(detail: AtomDetail, state: AtomState, result: unknown): Failure {
  if (result instanceof Failure) return result;
  throw new TypeError(
    `The result of ${detail.kind} '${detail.name}' in ${state} takes a Failure, got ${typeof result}`,
  );
}

function changed<Detail extends AtomDetail>(before: Detail, after: Detail): Detail {
  const same =
    before.state === after.state &&
    before.meta === after.meta &&
    Object.is(before.results, after.results) &&
    before.failure === after.failure &&
    Object.is(before.revertResults, after.revertResults) &&
    before.revertFailure === after.revertFailure;
  return same ? before : after;
}

/**
 * The detail as if its atom had never run (D4, D15): no results, failures or attempts, intention EXECUTE.
 *
 * Who and what it is stays: uuid, name, position, version and metadata.
 */
export function resetDetail(detail: TaskDetail, state?: AtomState | null): TaskDetail;
export function resetDetail(detail: RetryDetail, state?: AtomState | null): RetryDetail;
export function resetDetail(detail: AtomDetail, state?: AtomState | null): AtomDetail;
export function resetDetail(detail: AtomDetail, state: AtomState | null = 'PENDING'): AtomDetail {
  if (detail.kind === 'task') return taskDetail(detail, state, 'EXECUTE', detail.meta, null);
  const nothing = { state, intention: 'EXECUTE', failure: null, revertResults: null, revertFailure: null } as const;
  return { ...detail, ...nothing, results: [] };
}

/**
 * The retry's detail with a failure added to its last attempt; the first failure of an atom counts.
 *
 * @throws {StorageError} when there is no attempt yet.
 */
export function addAttemptFailure(detail: RetryDetail, atom: string, failure: Failure): RetryDetail {
  return immer.produce(detail, ({ name, results }) => {
    const last = results.at(-1);
    if (last === undefined) throw new StorageError(`The retry '${name}' has made no attempt that '${atom}' could fail`);
    if (!last.failures.has(atom)) last.failures.set(atom, castDraft(failure));
  });
}

/**
 * What `execute` gave last.
 *
 * @throws {NotFoundError} for a retry that has made no attempt.
 */
export function lastResults(detail: AtomDetail): unknown {
  return detail.kind === 'task' ? detail.results : lastAttempt(detail).provided;
}

/**
 * The failures after the last attempt of a retry, by atom name.
 *
 * @throws {NotFoundError} when it has made no attempt.
 */
export function lastFailures(detail: RetryDetail): Attempt['failures'] {
  return lastAttempt(detail).failures;
}

function lastAttempt(detail: RetryDetail): Attempt {
  const last = detail.results.at(-1);
  if (last === undefined) throw new NotFoundError(`The retry '${detail.name}' has made no attempt`);
  return last;
}

/**
 * The detail of a retry whose attempts know other atoms by the names that they have now; any other detail as it is.
 *
 * @param names - From old to new.
 */
export function withRenamedFailures(detail: AtomDetail, names: ReadonlyMap<string, string>): AtomDetail {
  if (detail.kind === 'task') return detail;
  const isConcerned = detail.results.some(({ failures }) => [...failures.keys()].some((atom) => names.has(atom)));
  if (!isConcerned) return detail;
  const results = detail.results.map(({ provided, failures }) => ({
    provided,
    failures: new Map(Array.from(failures, ([atom, failure]) => [names.get(atom) ?? atom, failure])),
  }));
  return { ...detail, results };
}
