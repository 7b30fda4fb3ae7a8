import { flowMachine, retryMachine } from '../../machines/index.js';
import type { FlowState, Intention } from '../../machines/index.js';
import type { FailureRecord } from '../failure-record.js';
import type { AtomDetail, AtomState, Attempt, FlowDetail, LogBook, Meta, TaskDetail } from './details.js';
import type { AttemptRecord } from './failure-text.js';
import { Fields } from './record-fields.js';

/** An atom detail as plain data. */
export interface AtomRecord {
  readonly uuid: string;
  readonly name: string;
  readonly position: number;
  readonly kind: AtomDetail['kind'];
  readonly version: string | null;
  readonly state: AtomState | null;
  readonly intention: Intention;
  readonly meta: Meta;
  /** Of a retry: its attempts, as `AttemptRecord`s. */
  readonly results: unknown;
  readonly failure: FailureRecord | null;
  readonly revertResults: unknown;
  readonly revertFailure: FailureRecord | null;
}

/** A flow detail as plain data, without its atoms. */
export type FlowRecord = Omit<FlowDetail, 'atoms'>;

/** A logbook as plain data, without its flows. */
export type LogBookRecord = Omit<LogBook, 'flows'>;

/** The plain data of an atom detail: everything but what its values and its failures' properties hold is JSON already. */
export function atomToRecord(detail: AtomDetail): AtomRecord {
  return {
    uuid: detail.uuid,
    name: detail.name,
    position: detail.position,
    kind: detail.kind,
    version: detail.version,
    state: detail.state,
    intention: detail.intention,
    meta: detail.meta,
    results: resultsToRecord(detail),
    failure: detail.failure?.toRecord() ?? null,
    revertResults: detail.revertResults,
    revertFailure: detail.revertFailure?.toRecord() ?? null,
  };
}

/** Of a retry, its attempts as records. */
export function resultsToRecord({ kind, results }: AtomDetail): unknown {
  return kind === 'retry' ? results.map(attemptToRecord) : results;
}

export function attemptToRecord({ provided, failures }: Attempt): AttemptRecord {
  // undefined would not survive inside a list; alone it counts as null, and so it does here.
  return [provided ?? null, Array.from(failures, ([atom, failure]) => [atom, failure.toRecord()] as const)];
}

/**
 * The atom detail that `atomToRecord` made a record of.
 *
 * @throws {InvalidFormatError} naming the atom and what is wrong with its record.
 */
export function atomFromRecord(record: unknown): AtomDetail {
  return readAtom(new Fields('atom', record));
}

/** The same, for values that are secret: its error does not quote what stands in place of results and failures. */
export function atomFromSecretRecord(record: unknown): AtomDetail {
  return readAtom(new Fields('atom', record, false));
}

function readAtom(fields: Fields): AtomDetail {
  const isRetry = fields.oneOf('kind', isAtomKind, atomKinds) === 'retry';
  const task: TaskDetail = {
    uuid: fields.text('uuid'),
    name: fields.text('name'),
    position: fields.count('position'),
    version: fields.isNull('version') ? null : fields.text('version'),
    state: fields.isNull('state') ? null : fields.oneOf('state', isAtomState, atomStates),
    intention: fields.oneOf('intention', isIntention, intentions),
    meta: fields.meta('meta'),
    failure: fields.isNull('failure') ? null : fields.failure('failure'),
    revertResults: fields.value('revertResults'),
    revertFailure: fields.isNull('revertFailure') ? null : fields.failure('revertFailure'),
    kind: 'task',
    results: isRetry ? null : fields.value('results'),
  };
  return isRetry ? { ...task, kind: 'retry', results: fields.attempts('results') } : task;
}

export function flowToRecord(flow: FlowRecord): FlowRecord {
  const { uuid, name, state, meta, revision, createdAt, updatedAt, fence, lastCommit } = flow;
  return { uuid, name, state, meta, revision, createdAt, updatedAt, fence, lastCommit };
}

/** @throws {InvalidFormatError} naming the flow detail and what is wrong with its record. */
export function flowFromRecord(record: unknown, atoms: readonly AtomDetail[] = []): FlowDetail {
  const fields = new Fields('flow detail', record);
  return {
    uuid: fields.text('uuid'),
    name: fields.text('name'),
    state: fields.isNull('state') ? null : fields.oneOf('state', isFlowState, flowStates),
    meta: fields.meta('meta'),
    revision: fields.count('revision'),
    createdAt: fields.time('createdAt'),
    updatedAt: fields.time('updatedAt'),
    fence: fields.count('fence'),
    lastCommit: fields.isNull('lastCommit') ? null : fields.text('lastCommit'),
    atoms,
  };
}

export function logbookToRecord({ uuid, name, meta, createdAt, updatedAt }: LogBookRecord): LogBookRecord {
  return { uuid, name, meta, createdAt, updatedAt };
}

/** @throws {InvalidFormatError} naming the logbook and what is wrong with its record. */
export function logbookFromRecord(record: unknown, flows: readonly FlowDetail[] = []): LogBook {
  const fields = new Fields('logbook', record);
  return {
    uuid: fields.text('uuid'),
    name: fields.text('name'),
    meta: fields.meta('meta'),
    createdAt: fields.time('createdAt'),
    updatedAt: fields.isNull('updatedAt') ? null : fields.time('updatedAt'),
    flows,
  };
}

export const atomStates: ReadonlySet<string> = new Set(Object.keys(retryMachine.states));
export const isAtomState = (text: string): text is AtomState => atomStates.has(text);

export const flowStates: ReadonlySet<string> = new Set(Object.keys(flowMachine.states));
export const isFlowState = (text: string): text is FlowState => flowStates.has(text);

const intentions: ReadonlySet<string> = new Set<Intention>(['EXECUTE', 'REVERT', 'RETRY', 'IGNORE']);
const isIntention = (text: string): text is Intention => intentions.has(text);

const atomKinds: ReadonlySet<string> = new Set<AtomDetail['kind']>(['task', 'retry']);
const isAtomKind = (text: string): text is AtomDetail['kind'] => atomKinds.has(text);
