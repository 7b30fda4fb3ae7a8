import { isDeepStrictEqual } from 'node:util';

import { nameOfClass, reviveError } from './error-classes.js';
import { parseFailureRecord } from './failure-record.js';
import type { FailureRecord, JsonObject } from './failure-record.js';
import { factsOf, isInstance, isObject, NO_PROPERTIES, read, stackOf } from './thrown.js';
import type { Facts } from './thrown.js';

export { registerErrorClass } from './error-classes.js';
export type { ErrorClass, ErrorClassOptions, StoredError } from './error-classes.js';
export type { FailureRecord } from './failure-record.js';

/** A type to look for: a class, or the name of one. */
export type FailureType = string | (abstract new (...args: never[]) => unknown);

/** Causes and members that are followed from one error; those beyond are left out. */
const MAX_RELATED = 1000;

const NONE: readonly Failure[] = Object.freeze([]);

/** Where a thrown value was found: what led to it, and how much more may be followed. */
interface Origin {
  readonly thrown: unknown;
  readonly parent: Origin | undefined;
  readonly budget: { left: number };
}

/** What belongs to a failure that was read from a record. */
interface Recorded {
  readonly stack: string | null;
  readonly cause: Failure | null;
  readonly errors: readonly Failure[];
  readonly revived: Error | undefined;
}

/**
 * The record of what went wrong in an atom. Never changes, and survives storage and the way to another process.
 *
 * Anything can be thrown, so anything can be recorded: what cannot be read (a getter that throws) or kept as JSON is
 * left out. Own enumerable properties are kept when made with the failure; stack, causes and members are read from the
 * error when first asked for.
 *
 * @see TaskFlow `types/failure.py`. Differs: keeps code, properties and members (B6) in place of constructor arguments.
 */
export class Failure {
  /** Most specific first; the last is `Error`. A `name` that no class of the error has comes before the classes. */
  readonly typeNames: readonly string[];
  readonly message: string;
  readonly code: string | number | undefined;
  /** Own enumerable properties of the error, frozen; without those that JSON would change or lose. */
  readonly properties: JsonObject;
  /** What was thrown, itself: present while live, also when it is undefined. */
  declare readonly error?: unknown;

  /** null for a failure that was read from a record. */
  readonly #origin: Origin | null;
  #stack: string | null | undefined;
  #cause: Failure | null | undefined;
  #causes: readonly Failure[] | undefined;
  #errors: readonly Failure[] | undefined;

  private constructor(facts: Facts, source: Origin | Recorded) {
    this.typeNames = facts.typeNames;
    this.message = facts.message;
    this.code = facts.code;
    this.properties = facts.properties;
    if ('budget' in source) {
      this.#origin = source;
      this.error = source.thrown;
    } else {
      this.#origin = null;
      this.#stack = source.stack;
      this.#cause = source.cause;
      this.#errors = source.errors;
      if (source.revived !== undefined) this.error = source.revived;
    }
    Object.freeze(this);
  }

  /** Records what was thrown. A Failure is given back as it is. Never throws. */
  static from(thrown: unknown): Failure {
    if (Failure.#is(thrown)) return thrown;
    return new Failure(factsOf(thrown), { thrown, parent: undefined, budget: { left: MAX_RELATED } });
  }

  /** @throws {InvalidFormatError} naming the path of what is wrong. */
  static fromRecord(record: unknown): Failure {
    return Failure.#fromParsed(parseFailureRecord(record));
  }

  static #fromParsed(record: FailureRecord): Failure {
    let cause: Failure | null = null;
    for (const each of (record.causes ?? []).toReversed()) cause = Failure.#fromLink(each, cause);
    return Failure.#fromLink(record, cause);
  }

  static #fromLink(record: FailureRecord, cause: Failure | null): Failure {
    const { typeNames, message, stack, code, properties = NO_PROPERTIES } = record;
    const errors = record.errors === undefined ? NONE : Object.freeze(record.errors.map(Failure.#fromParsed));
    const facts: Facts = { typeNames, message, code, properties };
    const original = (failure: Failure) => (failure.isLive ? failure.error : failure);
    const revived = reviveError({
      ...facts,
      stack,
      cause: cause === null ? undefined : original(cause),
      errors: errors.map(original),
    });
    return new Failure(facts, { stack, cause, errors, revived });
  }

  /** Unlike instanceof, this cannot be made to throw. */
  static #is(value: unknown): value is Failure {
    return typeof value === 'object' && value !== null && #origin in value;
  }

  /** The most specific type name. */
  get name(): string {
    return this.typeNames[0] ?? 'Error';
  }

  /** Whether `error` is there: not after storage or transport, unless its class is registered. */
  get isLive(): boolean {
    return Object.hasOwn(this, 'error');
  }

  get stack(): string | null {
    if (this.#stack === undefined) this.#stack = stackOf(this.error);
    return this.#stack;
  }

  /** The chain of causes, nearest first, none twice. */
  get causes(): readonly Failure[] {
    if (this.#causes === undefined) {
      const causes: Failure[] = [];
      for (let each = this.#nearestCause(); each !== null; each = each.#nearestCause()) causes.push(each);
      this.#causes = causes.length === 0 ? NONE : Object.freeze(causes);
    }
    return this.#causes;
  }

  /** Members of an AggregateError, or the failures of a WrappedFailureError. */
  get errors(): readonly Failure[] {
    if (this.#errors === undefined) {
      const members = membersOf(this.error, this.typeNames).flatMap((member) => this.#follow(member) ?? []);
      this.#errors = members.length === 0 ? NONE : Object.freeze(members);
    }
    return this.#errors;
  }

  #nearestCause(): Failure | null {
    if (this.#cause === undefined) {
      const cause = isObject(this.error) ? read(this.error, 'cause') : undefined;
      this.#cause = cause === undefined || cause === null ? null : this.#follow(cause);
    }
    return this.#cause;
  }

  #follow(found: unknown): Failure | null {
    let thrown = found;
    if (Failure.#is(found)) {
      // One from a record is finite. One from an error may lead back here, so its error is followed from here.
      if (found.#origin === null) return found;
      thrown = found.error;
    }
    const parent = this.#origin ?? undefined;
    for (let each = parent; each !== undefined; each = each.parent) {
      if (each.thrown === thrown) return null;
    }
    const budget = parent?.budget ?? { left: 0 };
    if (budget.left <= 0) return null;
    budget.left -= 1;
    return new Failure(factsOf(thrown), { thrown, parent, budget });
  }

  /** The first of the types given that the error is of, or null. Inherited types count. */
  check<const T extends readonly FailureType[]>(...types: T): T[number] | null {
    return types.find((type) => this.#isOf(type)) ?? null;
  }

  #isOf(type: FailureType): boolean {
    return this.typeNames.includes(typeof type === 'string' ? type : nameOfClass(type));
  }

  /** Whether both say the same, live or not: types, message, stack, code, properties, causes and members. */
  matches(other: unknown): boolean {
    return Failure.#is(other) && (other === this || isDeepStrictEqual(this.toRecord(), other.toRecord()));
  }

  /** An equal failure, with the same live `error`. */
  copy(): Failure {
    const origin = this.#origin;
    if (origin !== null) return new Failure(this, { ...origin, budget: { left: MAX_RELATED } });
    return new Failure(this, {
      stack: this.stack,
      cause: this.#nearestCause(),
      errors: this.errors,
      revived: isInstance(this.error, Error) ? this.error : undefined,
    });
  }

  toRecord(): FailureRecord {
    const { causes } = this;
    const record = this.#linkRecord();
    return causes.length === 0 ? record : { ...record, causes: causes.map((cause) => cause.#linkRecord()) };
  }

  toJSON(): FailureRecord {
    return this.toRecord();
  }

  #linkRecord(): FailureRecord {
    const { typeNames, message, stack, code, properties, errors } = this;
    return {
      version: 1,
      typeNames,
      message,
      stack,
      ...(code === undefined ? {} : { code }),
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(errors.length === 0 ? {} : { errors: errors.map((error) => error.toRecord()) }),
    };
  }

  /** @throws what was thrown while that is live, otherwise a WrappedFailureError of this. */
  reraise(): never {
    if (this.isLive) throw this.error;
    throw new WrappedFailureError([this]);
  }

  toString(): string {
    return `Failure: ${this.name}: ${this.message}`;
  }

  /** @param options.stack - Whether to add the stack below. Default: false. */
  format({ stack = false }: { readonly stack?: boolean } = {}): string {
    if (!stack) return this.toString();
    return `${this.toString()}\n${this.stack ?? 'Stack not available.'}`;
  }
}

/**
 * Thrown for failures that cannot be thrown as themselves: several at once, or one whose error is no longer live.
 * It stands for what atoms threw, and is no FlowstateError.
 */
export class WrappedFailureError extends Error {
  override readonly name = 'WrappedFailureError';
  /** A failure that is itself a live WrappedFailureError is replaced by its members. */
  readonly failures: readonly Failure[];

  constructor(failures: Iterable<Failure>) {
    const flat = [...failures].flatMap((failure) =>
      isInstance(failure.error, WrappedFailureError) ? failure.error.failures : [failure],
    );
    super(`[${flat.join(', ')}]`);
    this.failures = Object.freeze(flat);
  }

  /** The first of the types given that a failure is of, or null; failures are asked in order. */
  check<const T extends readonly FailureType[]>(...types: T): T[number] | null {
    for (const failure of this.failures) {
      const found = failure.check(...types);
      if (found !== null) return found;
    }
    return null;
  }

  [Symbol.iterator](): Iterator<Failure> {
    return this.failures[Symbol.iterator]();
  }
}

/** Throws what the failures stand for: nothing for none, the error itself for a live one, else WrappedFailureError. */
export function throwFailures(failures: readonly Failure[]): void {
  const [first, ...others] = failures;
  if (first === undefined) return;
  if (others.length > 0) throw new WrappedFailureError(failures);
  first.reraise();
}

export interface FormatErrorOptions {
  /** Spaces by which each cause stands further in than what it caused. @default 2 */
  readonly indent?: number;
  /** Whether the first line has the type too, as those of causes have. @default false */
  readonly type?: boolean;
}

/** An error's message with those of its causes below it, a line each. */
export function formatError(error: unknown, { indent = 2, type = false }: FormatErrorOptions = {}): string {
  if (!Number.isSafeInteger(indent) || indent < 0) {
    throw new RangeError(`indent takes a whole number from 0, got ${indent}`);
  }
  const failure = Failure.from(error);
  return [failure, ...failure.causes]
    .map(({ name, message }, depth) => ' '.repeat(indent * depth) + (depth > 0 || type ? `${name}: ` : '') + message)
    .join('\n');
}

function membersOf(thrown: unknown, typeNames: readonly string[]): readonly unknown[] {
  if (isInstance(thrown, WrappedFailureError)) return thrown.failures;
  if (!isObject(thrown) || !typeNames.includes('AggregateError')) return NONE;
  const members = read(thrown, 'errors');
  try {
    return Array.isArray(members) ? Array.from<unknown>(members) : NONE;
  } catch {
    return NONE;
  }
}
