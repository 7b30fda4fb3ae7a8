import { DuplicateError } from './errors.js';

export type ErrorClass<E extends Error = Error> = abstract new (...args: never[]) => E;

/** What is known of a stored error when its class builds it again. */
export interface StoredError {
  readonly typeNames: readonly string[];
  readonly message: string;
  readonly stack: string | null;
  readonly code: string | number | undefined;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The error itself when its class is registered too, otherwise its Failure; undefined when there is none. */
  readonly cause: unknown;
  /** Members of an AggregateError, each like `cause`. */
  readonly errors: readonly unknown[];
}

export interface ErrorClassOptions<E extends Error = Error> {
  /** The name under which the class is stored; give one when a bundler may rename classes. @default the class's name */
  readonly name?: string;
  /**
   * Builds the error from what was stored. Message, stack and fields that it does not set are filled in afterwards.
   * @default an instance made without running the constructor
   */
  readonly revive?: (stored: StoredError) => E;
}

interface Registration {
  readonly errorClass: ErrorClass;
  readonly revive: ((stored: StoredError) => Error) | undefined;
}

const registrations = new Map<string, Registration>();
const registeredNames = new WeakMap<object, string>();
let namesByPrototype = new WeakMap<object, readonly string[]>();

/**
 * Lets a class come back as itself: a stored failure of exactly this class is read as one with a live `error`.
 *
 * @returns Disposing it ends the registration.
 * @throws {DuplicateError} when another class has the name.
 */
export function registerErrorClass<E extends Error>(
  errorClass: ErrorClass<E>,
  { name = errorClass.name, revive }: ErrorClassOptions<E> = {},
): Disposable {
  if (typeof errorClass !== 'function' || !isErrorPrototype(errorClass.prototype)) {
    throw new TypeError(`errorClass takes a class that extends Error, got ${typeof errorClass}`);
  }
  if (name === '') throw new RangeError('name takes a name for the class: it has none of its own');
  if (revive !== undefined && typeof revive !== 'function') {
    throw new TypeError(`revive takes a function, got ${typeof revive}`);
  }
  const before = registrations.get(name);
  if (before !== undefined && before.errorClass !== errorClass) {
    throw new DuplicateError(`Another error class is registered as ${name}`);
  }
  const registration: Registration = { errorClass, revive };
  registrations.set(name, registration);
  registeredNames.set(errorClass, name);
  namesByPrototype = new WeakMap();
  return {
    [Symbol.dispose]() {
      if (registrations.get(name) !== registration) return;
      registrations.delete(name);
      registeredNames.delete(errorClass);
      namesByPrototype = new WeakMap();
    },
  };
}

/** The name under which a class is found among type names. */
export function nameOfClass(errorClass: abstract new (...args: never[]) => unknown): string {
  return registeredNames.get(errorClass) ?? errorClass.name;
}

export function isRegisteredName(name: string): boolean {
  return registrations.has(name);
}

/** Names of an error's classes, most specific first, `Error` last. Classes without a name are left out. */
export function classNamesOf(error: object): readonly string[] {
  const prototype: unknown = Object.getPrototypeOf(error);
  if (!isObject(prototype)) return ONLY_ERROR;
  const known = namesByPrototype.get(prototype);
  if (known !== undefined) return known;

  const names = new Set<string>();
  for (let each: unknown = prototype; isObject(each) && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    const errorClass: unknown = Object.getOwnPropertyDescriptor(each, 'constructor')?.value;
    if (typeof errorClass !== 'function') continue;
    const name: unknown = registeredNames.get(errorClass) ?? errorClass.name;
    // An Error of another realm ends in that realm's Object.
    if (typeof name === 'string' && name !== '' && name !== 'Object') names.add(name);
  }
  names.delete('Error');
  const found = Object.freeze([...names, 'Error']);
  namesByPrototype.set(prototype, found);
  return found;
}

export const ONLY_ERROR: readonly string[] = Object.freeze(['Error']);

/** The error that was stored, when its class is registered and can build it; otherwise undefined. */
export function reviveError(stored: StoredError): Error | undefined {
  const registration = registrations.get(stored.typeNames[0] ?? '');
  if (registration === undefined) return undefined;
  try {
    const error = registration.revive?.(stored) ?? bareInstance(registration.errorClass, stored.message);
    if (!(error instanceof Error)) return undefined;
    complete(error, stored);
    return error;
  } catch {
    return undefined;
  }
}

function bareInstance(errorClass: ErrorClass, message: string): Error {
  // Runs Error's constructor alone: that of the class may take other arguments.
  const error: unknown = Reflect.construct(Error, [message], errorClass);
  if (!(error instanceof Error))
    throw new TypeError(`errorClass takes a class that extends Error, got ${errorClass.name}`);
  return error;
}

function complete(error: Error, stored: StoredError): void {
  const [name = 'Error'] = stored.typeNames;
  const set = (key: string, value: unknown, enumerable: boolean) =>
    // Unlike Object.defineProperty, this is silent about a frozen error.
    Reflect.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
  const fillIn = (key: string, value: unknown, enumerable: boolean) => {
    if (value !== undefined && !Object.hasOwn(error, key)) set(key, value, enumerable);
  };
  set('stack', stored.stack ?? `${name}: ${stored.message}`, false);
  if (error.name !== name) fillIn('name', name, false);
  fillIn('cause', stored.cause, false);
  if (stored.typeNames.includes('AggregateError')) fillIn('errors', stored.errors, false);
  fillIn('code', stored.code, true);
  for (const [key, value] of Object.entries(stored.properties)) fillIn(key, value, true);
}

function isErrorPrototype(prototype: unknown): boolean {
  return prototype === Error.prototype || prototype instanceof Error;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
