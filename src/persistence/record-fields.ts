import { InvalidFormatError } from '../errors.js';
import { Failure } from '../failure.js';
import type { Attempt, Meta } from './details.js';

/** Reads the fields of one stored record, and says whose record it is when one of them is wrong. */
export class Fields {
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
