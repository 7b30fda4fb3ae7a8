import { ValueTooLargeError } from '../errors.js';
import type { FailureRecord } from '../failure-record.js';
import type { Codec } from './backend.js';
import { LimitedCodec } from './codecs/limited.js';
import { jsonCodec } from './codecs/json.js';

/** Bytes, as JSON, that are kept of a message where nothing else is: what is left fits into any limit, encrypted or not. */
const SHORT_MESSAGE = 60;
/** And of the name of a type. */
const SHORT_NAME = 40;

/**
 * Failures as text: JSON, and with a codec that keeps secrets that JSON through the codec.
 *
 * A failure is never too large: where there is a limit, as much is left out as is needed, in this order: stacks,
 * properties, causes and members, the end of the message, and then all but its first type and the beginning of both.
 */
export class FailureText {
  readonly #codec: Codec;
  readonly #limit: number;

  constructor(codec: Codec) {
    this.#codec = codec instanceof LimitedCodec ? codec.within : codec;
    this.#limit = codec instanceof LimitedCodec ? codec.maxValueBytes : Infinity;
  }

  encode(record: FailureRecord): string {
    let text = this.#written(record);
    if (this.#limit === Infinity) return text;
    for (const shorter of shorterThan(record)) {
      if (Buffer.byteLength(text) <= this.#limit) break;
      text = this.#written(shorter);
    }
    return text;
  }

  /** A short text about failures, such as the cause in a journal, as they are. */
  encodeText(text: string): string {
    return this.#written(text);
  }

  decode(text: string): unknown {
    if (this.#codec.keepsSecrets !== true) return jsonCodec.decode(text);
    const json = this.#codec.decode(text);
    return typeof json === 'string' ? jsonCodec.decode(json) : json;
  }

  #written(record: FailureRecord | string): string {
    // As JSON it is a value that any codec can keep, however deep its causes go.
    const json = JSON.stringify(record);
    return this.#codec.keepsSecrets === true ? this.#codec.encode(json) : json;
  }
}

function* shorterThan(record: FailureRecord): IterableIterator<FailureRecord> {
  const withoutStacks = mapAll(record, (each) => ({ ...each, stack: null }));
  yield withoutStacks;
  yield mapAll(withoutStacks, ({ properties: _, ...rest }) => rest);
  const alone = withoutRelated(record);
  yield alone;
  for (let length = alone.message.length; length > SHORT_MESSAGE; length = Math.floor(length / 2)) {
    yield { ...alone, message: beginningOf(alone.message, length) };
  }
  yield leastOf(record);
}

/** What is left of a failure at last. */
function leastOf({ typeNames, message }: FailureRecord): FailureRecord {
  const [first = 'Error'] = typeNames;
  const name = withinBytes(first, SHORT_NAME);
  return {
    version: 1,
    typeNames: name === 'Error' ? [name] : [name, 'Error'],
    message: withinBytes(message, SHORT_MESSAGE),
    stack: null,
  };
}

function withoutRelated({ version, typeNames, message, code }: FailureRecord): FailureRecord {
  return { version, typeNames, message, stack: null, ...(code === undefined ? {} : { code }) };
}

function withinBytes(text: string, most: number): string {
  let short = text.length > most ? beginningOf(text, most) : text;
  for (let length = short.length; Buffer.byteLength(JSON.stringify(short)) > most;) {
    length = Math.floor(length / 2);
    short = beginningOf(text, length);
  }
  return short;
}

function beginningOf(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length)}…`;
}

function mapAll(record: FailureRecord, change: (each: FailureRecord) => FailureRecord): FailureRecord {
  const { causes, errors, ...own } = record;
  return {
    ...change(own),
    ...(causes === undefined ? {} : { causes: causes.map((each) => mapAll(each, change)) }),
    ...(errors === undefined ? {} : { errors: errors.map((each) => mapAll(each, change)) }),
  };
}

/** An attempt of a retry as plain data. Atom names are values here, not keys: any name is safe. */
export type AttemptRecord = readonly [provided: unknown, failures: readonly (readonly [atom: string, FailureRecord])[]];

/**
 * The attempts of a retry as text. Where they are too large, only the least is kept of their failures, and where that is
 * still too much, the failures of the oldest attempts are left out. What the retry provided is kept whole or refused.
 *
 * @throws {UnstorableValueError}
 */
export function encodeAttempts(codec: Codec, attempts: readonly AttemptRecord[]): string {
  try {
    return codec.encode(attempts);
  } catch (error) {
    if (!(error instanceof ValueTooLargeError)) throw error;
  }
  for (let withFailures = attempts.length; withFailures > 0; withFailures = Math.floor(withFailures / 2)) {
    try {
      return codec.encode(shortenedAttempts(attempts, withFailures));
    } catch (error) {
      if (!(error instanceof ValueTooLargeError)) throw error;
    }
  }
  return codec.encode(shortenedAttempts(attempts, 0));
}

function shortenedAttempts(attempts: readonly AttemptRecord[], withFailures: number): AttemptRecord[] {
  const first = attempts.length - withFailures;
  return attempts.map(([provided, failures], index) => [
    provided,
    index < first ? [] : failures.map(([atom, failure]) => [atom, leastOf(failure)]),
  ]);
}
