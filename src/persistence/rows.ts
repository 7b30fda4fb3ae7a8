import { InvalidFormatError, UnstorableValueError } from '../errors.js';
import type { FailureRecord } from '../failure-record.js';
import type { Codec } from './backend.js';
import { jsonCodec } from './codecs/json.js';
import type { AtomDetail, FlowDetail, LogBook } from './details.js';
import { encodeAttempts, FailureText } from './failure-text.js';
import type { AttemptRecord } from './failure-text.js';
import {
  atomFromRecord,
  atomFromSecretRecord,
  atomToRecord,
  flowFromRecord,
  flowToRecord,
  logbookFromRecord,
} from './records.js';
import type { AtomRecord, FlowRecord, LogBookRecord } from './records.js';

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

/** Unchecked: a row as it was read from a store. */
type Read<Row> = { readonly [Column in keyof Row]: unknown };

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
    const record = atomToRecord(detail);
    const owner = () => `${detail.kind} '${detail.name}'`;
    return {
      ...record,
      meta: this.#encode(record.meta, 'meta', owner),
      results: this.#encodeResults(record, owner),
      failure: this.#encodeFailure(record.failure, 'failure', owner),
      revertResults: this.#encodeOrNull(record.revertResults, 'revert results', owner),
      revertFailure: this.#encodeFailure(record.revertFailure, 'revert failure', owner),
    };
  }

  decodeAtom(row: Read<AtomRow>): AtomDetail {
    const owner = () => `atom '${String(row.name)}'`;
    const record = {
      ...row,
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
    return this.#encode(meta, 'meta', () => `flow '${flow}'`);
  }

  decodeFlow(row: Read<FlowRow>, atoms: readonly AtomDetail[] = []): FlowDetail {
    const meta = decode(this.#codec, row.meta, 'meta', () => `flow '${String(row.name)}'`);
    return flowFromRecord({ ...row, meta }, atoms);
  }

  encodeLogbook({ uuid, name, meta, createdAt, updatedAt }: LogBookRecord): LogBookRow {
    return { uuid, name, meta: this.#encode(meta, 'meta', () => `logbook '${name}'`), createdAt, updatedAt };
  }

  decodeLogbook(row: Read<LogBookRow>, flows: readonly FlowDetail[] = []): LogBook {
    const meta = decode(this.#codec, row.meta, 'meta', () => `logbook '${String(row.name)}'`);
    return logbookFromRecord({ ...row, meta }, flows);
  }

  #encodeOrNull(value: unknown, what: string, owner: () => string): string | null {
    return value === null || value === undefined ? null : this.#encode(value, what, owner);
  }

  #encodeResults({ kind, results }: AtomRecord, owner: () => string): string | null {
    if (kind === 'task') return this.#encodeOrNull(results, 'results', owner);
    const encodeHistory = (value: unknown) => encodeAttempts(this.#codec, value as readonly AttemptRecord[]);
    return this.#checked(encode(encodeHistory, results, 'results', owner), 'results', owner);
  }

  #encodeFailure(record: FailureRecord | null, what: string, owner: () => string): string | null {
    if (record === null) return null;
    return this.#checked(
      encode(() => this.#failures.encode(record), record, what, owner),
      what,
      owner,
    );
  }

  #encode(value: unknown, what: string, owner: () => string): string {
    return this.#checked(
      encode((part) => this.#codec.encode(part), value, what, owner),
      what,
      owner,
    );
  }

  #checked(text: string, what: string, owner: () => string): string {
    // Strict JSON escapes both; text from elsewhere has to be safe in every store.
    if (this.#codec !== jsonCodec && UNSAFE_TEXT.test(text)) {
      throw new UnstorableValueError('$', `the codec wrote the ${what} of ${owner()} with a NUL or half a character`);
    }
    return text;
  }
}

/** NUL, and surrogates that stand alone: stores cut or replace them. */
const UNSAFE_TEXT = /\0|\p{Surrogate}/u;

function encode(write: (value: unknown) => string, value: unknown, what: string, owner: () => string): string {
  try {
    return write(value);
  } catch (cause) {
    if (cause instanceof UnstorableValueError) throw cause.of(`the ${what} of ${owner()}`);
    throw new UnstorableValueError('$', `the codec cannot keep the ${what} of ${owner()}`, { cause });
  }
}

function decode(codec: Pick<Codec, 'decode'>, text: unknown, what: string, owner: () => string): unknown {
  if (text === null || text === undefined) return null;
  if (typeof text !== 'string') {
    throw new InvalidFormatError(`The record of ${owner()} is corrupted: its ${what} take text, got a ${typeof text}`);
  }
  try {
    return codec.decode(text);
  } catch (cause) {
    throw new InvalidFormatError(`The record of ${owner()} is corrupted: its ${what} cannot be read`, { cause });
  }
}
