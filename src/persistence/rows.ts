import { InvalidFormatError, UnstorableValueError } from '../errors.js';
import type { FailureRecord } from '../failure-record.js';
import type { Codec } from './backend.js';
import { jsonCodec } from './codecs/json.js';
import { LimitedCodec } from './codecs/limited.js';
import type { AtomDetail, FlowDetail, LogBook } from './details.js';
import { encodeAttempts, FailureText } from './failure-text.js';
import {
  atomFromRecord,
  atomFromSecretRecord,
  attemptToRecord,
  flowFromRecord,
  flowToRecord,
  logbookFromRecord,
  resultsToRecord,
} from './records.js';
import type { AtomRecord, FlowRecord, LogBookRecord } from './records.js';
import type { JournalEntry } from './journal-entry.js';
import type { JournalRecord } from './journal-records.js';
import { entryFromRecord, entryToRecord } from './journal-records.js';

/** An atom's record with its values as text; null where there is none. This is what backends keep. */
export interface AtomRow extends Omit<AtomRecord, Encoded> {
  readonly meta: string;
  readonly results: string | null;
  readonly failure: string | null;
  readonly revertResults: string | null;
  readonly revertFailure: string | null;
}

type Encoded = 'meta' | 'results' | 'failure' | 'revertResults' | 'revertFailure';

export interface FlowRow extends Omit<FlowRecord, 'meta'> {
  readonly meta: string;
}

export interface LogBookRow extends Omit<LogBookRecord, 'meta'> {
  readonly meta: string;
}

/** An entry of a journal with its cause as text. */
export type JournalRow = JournalRecord;

/** Unchecked: a row as it was read from a store. */
export type Read<Row> = { readonly [Column in keyof Row]: unknown };

/**
 * Turns details into rows and back.
 *
 * The codec keeps results and metadata; failures are JSON, unless it keeps secrets. A failure is never too large.
 *
 * @throws {UnstorableValueError} when encoding, naming the path of what cannot be kept and whose it is.
 * @throws {InvalidFormatError} when decoding, naming the record that is corrupted.
 */
export class RowFormat {
  readonly #codec: Codec;
  readonly #failures: FailureText;

  constructor(codec: Codec) {
    this.#codec = codec;
    this.#failures = new FailureText(codec);
  }

  encodeAtom(detail: AtomDetail): AtomRow {
    const { uuid, name, position, kind, version, state, intention, failure, revertFailure } = detail;
    return {
      uuid,
      name,
      position,
      kind,
      version,
      state,
      intention,
      meta: this.#encode(detail.meta, 'meta', detail),
      results: this.#encodeResults(detail),
      failure: failure === null ? null : this.#encodeFailure(failure.toRecord(), 'failure', detail),
      revertResults: this.#encodeOrNull(detail.revertResults, 'revert results', detail),
      revertFailure:
        revertFailure === null ? null : this.#encodeFailure(revertFailure.toRecord(), 'revert failure', detail),
    };
  }

  decodeAtom(row: Read<AtomRow>): AtomDetail {
    const owner = { kind: 'atom', name: row.name };
    const record = {
      uuid: row.uuid,
      name: row.name,
      position: row.position,
      kind: row.kind,
      version: row.version,
      state: row.state,
      intention: row.intention,
      meta: decode(this.#codec, row.meta, 'meta', owner),
      results: decode(this.#codec, row.results, 'results', owner),
      failure: decode(this.#failures, row.failure, 'failure', owner),
      revertResults: decode(this.#codec, row.revertResults, 'revert results', owner),
      revertFailure: decode(this.#failures, row.revertFailure, 'revert failure', owner),
    };
    return this.#codec.keepsSecrets === true ? atomFromSecretRecord(record) : atomFromRecord(record);
  }

  encodeFlow(flow: FlowRecord): FlowRow {
    return { ...flowToRecord(flow), meta: this.encodeFlowMeta(flow.name, flow.meta) };
  }

  encodeFlowMeta(flow: string, meta: FlowDetail['meta']): string {
    return this.#encode(meta, 'meta', { kind: 'flow', name: flow });
  }

  decodeFlow(row: Read<FlowRow>, atoms: readonly AtomDetail[] = []): FlowDetail {
    const meta = decode(this.#codec, row.meta, 'meta', { kind: 'flow', name: row.name });
    return flowFromRecord({ ...row, meta }, atoms);
  }

  encodeLogbook({ uuid, name, meta, createdAt, updatedAt }: LogBookRecord): LogBookRow {
    return { uuid, name, meta: this.#encode(meta, 'meta', { kind: 'logbook', name }), createdAt, updatedAt };
  }

  decodeLogbook(row: Read<LogBookRow>, flows: readonly FlowDetail[] = []): LogBook {
    const meta = decode(this.#codec, row.meta, 'meta', { kind: 'logbook', name: row.name });
    return logbookFromRecord({ ...row, meta }, flows);
  }

  encodeEntry(entry: JournalEntry): JournalRow {
    const { cause } = entry;
    const owner = { kind: entry.entity.kind, name: entry.entity.name };
    const text = cause === null ? null : this.#written(() => this.#failures.encodeText(cause), 'cause', owner);
    return { ...entryToRecord(entry), cause: text };
  }

  decodeEntry(row: Read<JournalRow>): JournalEntry {
    const owner = { kind: 'journal entry of', name: row.name };
    return entryFromRecord({ ...row, cause: decode(this.#failures, row.cause, 'cause', owner) });
  }

  #encodeOrNull(value: unknown, what: string, owner: Owner): string | null {
    return value === null || value === undefined ? null : this.#encode(value, what, owner);
  }

  #encodeResults(detail: AtomDetail): string | null {
    const { state } = detail;
    // What is in no state is no atom's: flowstate's own notes are as large as they have to be.
    if (state === null && this.#codec instanceof LimitedCodec) {
      return new RowFormat(this.#codec.within).#encodeOrNull(resultsToRecord(detail), 'results', detail);
    }
    if (detail.kind === 'task') return this.#encodeOrNull(detail.results, 'results', detail);
    const attempts = detail.results.map(attemptToRecord);
    return this.#written(() => encodeAttempts(this.#codec, attempts), 'results', detail);
  }

  #encodeFailure(record: FailureRecord, what: string, owner: Owner): string {
    return this.#written(() => this.#failures.encode(record), what, owner);
  }

  #written(write: () => string, what: string, owner: Owner): string {
    let text: string;
    try {
      text = write();
    } catch (cause) {
      throw unstorable(cause, what, owner);
    }
    return this.#checked(text, what, owner);
  }

  #encode(value: unknown, what: string, owner: Owner): string {
    let text: string;
    try {
      text = this.#codec.encode(value);
    } catch (cause) {
      throw unstorable(cause, what, owner);
    }
    return this.#checked(text, what, owner);
  }

  #checked(text: string, what: string, owner: Owner): string {
    // Strict JSON escapes both; text from elsewhere has to be safe in every store.
    if (this.#codec !== jsonCodec && UNSAFE_TEXT.test(text)) {
      throw new UnstorableValueError(
        '$',
        `the codec wrote the ${what} of ${named(owner)} with a NUL or half a character`,
      );
    }
    return text;
  }
}

/** Whose values they are, for messages. */
interface Owner {
  readonly kind: string;
  readonly name: unknown;
}

const named = ({ kind, name }: Owner) => `${kind} '${String(name)}'`;

/** NUL, and surrogates that stand alone: stores cut or replace them. */
const UNSAFE_TEXT = /\0|\p{Surrogate}/u;

function unstorable(cause: unknown, what: string, owner: Owner): UnstorableValueError {
  if (cause instanceof UnstorableValueError) return cause.of(`the ${what} of ${named(owner)}`);
  return new UnstorableValueError('$', `the codec cannot keep the ${what} of ${named(owner)}`, { cause });
}

function decode(codec: Pick<Codec, 'decode'>, text: unknown, what: string, owner: Owner): unknown {
  if (text === null || text === undefined) return null;
  if (typeof text !== 'string') {
    throw new InvalidFormatError(
      `The record of ${named(owner)} is corrupted: its ${what} take text, got a ${typeof text}`,
    );
  }
  try {
    return codec.decode(text);
  } catch (cause) {
    throw new InvalidFormatError(`The record of ${named(owner)} is corrupted: its ${what} cannot be read`, { cause });
  }
}
