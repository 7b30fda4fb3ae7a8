import { flowMachine, retryMachine } from '../../machines/index.js';
import type { FlowState, Intention } from '../../machines/index.js';
import { InvalidFormatError } from '../errors.js';
import type { FailureRecord } from '../failure-record.js';
import { Failure } from '../failure.js';
import type { AtomDetail, AtomState, Attempt, FlowDetail, LogBook, Meta, TaskDetail } from './details.js';
import type { AttemptRecord } from './failure-text.js';

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

const atomStates: ReadonlySet<string> = new Set(Object.keys(retryMachine.states));
const isAtomState = (text: string): text is AtomState => atomStates.has(text);

const flowStates: ReadonlySet<string> = new Set(Object.keys(flowMachine.states));
const isFlowState = (text: string): text is FlowState => flowStates.has(text);

const intentions: ReadonlySet<string> = new Set<Intention>(['EXECUTE', 'REVERT', 'RETRY', 'IGNORE']);
const isIntention = (text: string): text is Intention => intentions.has(text);

const atomKinds: ReadonlySet<string> = new Set<AtomDetail['kind']>(['task', 'retry']);
const isAtomKind = (text: string): text is AtomDetail['kind'] => atomKinds.has(text);

/** Reads the fields of one stored record, and says whose record it is when one of them is wrong. */
class Fields {
  readonly #kind: string;
  readonly #record: Readonly<Record<string, unknown>>;
  readonly #quoteValues: boolean;

  constructor(kind: string, record: unknown, quoteValues = true) {
    this.#quoteValues = quoteValues;
    this.#kind = kind;
    if (!isObject(record))
      throw new InvalidFormatError(`The record of ${kind} is not an object but ${describe(record)}`);
    this.#record = record;
  }

  get #what(): string {
    const id = this.#record['name'] ?? this.#record['uuid'];
    return typeof id === 'string' ? `${this.#kind} '${id}'` : this.#kind;
  }

  value(key: string): unknown {
    return this.#record[key] ?? null;
  }

  isNull(key: string): boolean {
    return this.value(key) === null;
  }

  text(key: string): string {
    const value = this.value(key);
    if (typeof value === 'string') return value;
    throw this.#corrupted(key, 'takes text', value);
  }

  count(key: string): number {
    const value = this.value(key);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#corrupted(key, 'takes a whole number from 0', value);
  }

  time(key: string): number {
    const value = this.value(key);
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw this.#corrupted(key, 'takes milliseconds since 1970', value);
  }

  oneOf<Name extends string>(key: string, accepts: (text: string) => text is Name, names: Iterable<string>): Name {
    const value = this.value(key);
    if (typeof value === 'string' && accepts(value)) return value;
    throw this.#corrupted(key, `takes one of ${[...names].join(', ')}`, value);
  }

  /** Anything that is not an object reads as an empty one, as in TaskFlow. */
  meta(key: string): Meta {
    const value = this.value(key);
    return isObject(value) ? value : {};
  }

  failure(key: string): Failure {
    return this.#failureOf(key, this.value(key));
  }

  attempts(key: string): readonly Attempt[] {
    return this.#list(key, this.value(key) ?? []).map((attempt, index) => {
      const where = `${key}[${index}]`;
      const [provided = null, failures] = this.#list(where, attempt);
      return {
        provided,
        failures: new Map(
          this.#list(`${where}[1]`, failures).map((entry): [string, Failure] => {
            const [atom, failure] = this.#list(`${where}[1][…]`, entry);
            if (typeof atom !== 'string')
              throw this.#corruptedValue(`${where}[1]`, 'takes pairs of atom and failure', entry);
            return [atom, this.#failureOf(`${where}[1]['${this.#quoteValues ? atom : '…'}']`, failure)];
          }),
        ),
      };
    });
  }

  #list(where: string, value: unknown): readonly unknown[] {
    if (Array.isArray(value)) return value;
    throw this.#corruptedValue(where, 'takes a list', value);
  }

  #failureOf(where: string, record: unknown): Failure {
    try {
      return Failure.fromRecord(record);
    } catch (cause) {
      throw this.#corruptedValue(where, 'takes the record of a failure', record, cause);
    }
  }

  /** For what went through the codec. */
  #corruptedValue(where: string, accepts: string, given: unknown, cause?: unknown): InvalidFormatError {
    if (this.#quoteValues) return this.#corrupted(where, accepts, given, cause);
    return new InvalidFormatError(`The record of ${this.#what} is corrupted: ${where} ${accepts}`);
  }

  #corrupted(where: string, accepts: string, given: unknown, cause?: unknown): InvalidFormatError {
    return new InvalidFormatError(
      `The record of ${this.#what} is corrupted: ${where} ${accepts}, got ${describe(given)}`,
      cause === undefined ? undefined : { cause },
    );
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  return String(value);
}
