import { InvalidFormatError, UnstorableValueError } from '../errors.js';
import type { Codec } from './backend.js';
import { jsonCodec } from './codec.js';
import type { AtomDetail, FlowDetail, LogBook } from './details.js';
import { atomFromRecord, atomToRecord, flowFromRecord, flowToRecord, logbookFromRecord } from './records.js';
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
export type Read<Row> = { readonly [Column in keyof Row]: unknown };

/**
 * Turns details into rows and back.
 *
 * The codec keeps results and metadata; failures are always JSON.
 *
 * @throws {UnstorableValueError} when encoding, naming the path of what cannot be kept and whose it is.
 * @throws {InvalidFormatError} when decoding, naming the record that is corrupted.
 */
export class RowFormat {
  readonly #codec: Codec;

  constructor(codec: Codec) {
    this.#codec = codec;
  }

  encodeAtom(detail: AtomDetail): AtomRow {
    const record = atomToRecord(detail);
    const owner = () => `${detail.kind} '${detail.name}'`;
    return {
      ...record,
      meta: this.#encode(record.meta, 'meta', owner),
      results: this.#encodeOrNull(record.results, 'results', owner),
      failure: encodeFailure(record.failure, 'failure', owner),
      revertResults: this.#encodeOrNull(record.revertResults, 'revert results', owner),
      revertFailure: encodeFailure(record.revertFailure, 'revert failure', owner),
    };
  }

  decodeAtom(row: Read<AtomRow>): AtomDetail {
    const owner = () => `atom '${String(row.name)}'`;
    return atomFromRecord({
      ...row,
      meta: decode(this.#codec, row.meta, 'meta', owner),
      results: decode(this.#codec, row.results, 'results', owner),
      failure: decode(jsonCodec, row.failure, 'failure', owner),
      revertResults: decode(this.#codec, row.revertResults, 'revert results', owner),
      revertFailure: decode(jsonCodec, row.revertFailure, 'revert failure', owner),
    });
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

  #encode(value: unknown, what: string, owner: () => string): string {
    const text = encode(this.#codec, value, what, owner);
    // Strict JSON escapes both; text from elsewhere has to be safe in every store.
    if (this.#codec !== jsonCodec && UNSAFE_TEXT.test(text)) {
      throw new UnstorableValueError('$', `the codec wrote the ${what} of ${owner()} with a NUL or half a character`);
    }
    return text;
  }
}

/** NUL, and surrogates that stand alone: stores cut or replace them. */
const UNSAFE_TEXT = /\0|\p{Surrogate}/u;

function encodeFailure(record: AtomRecord['failure'], what: string, owner: () => string): string | null {
  if (record === null) return null;
  try {
    return JSON.stringify(record);
  } catch (cause) {
    throw new UnstorableValueError('$', `the ${what} of ${owner()} cannot be written as text`, { cause });
  }
}

function encode(codec: Codec, value: unknown, what: string, owner: () => string): string {
  try {
    return codec.encode(value);
  } catch (cause) {
    if (!(cause instanceof UnstorableValueError)) {
      throw new UnstorableValueError('$', `the codec cannot keep the ${what} of ${owner()}`, { cause });
    }
    const reason = cause.message.slice(cause.message.lastIndexOf('cannot be stored: ') + 'cannot be stored: '.length);
    throw new UnstorableValueError(cause.path, `${reason}, in the ${what} of ${owner()}`, { cause });
  }
}

function decode(codec: Codec, text: unknown, what: string, owner: () => string): unknown {
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
