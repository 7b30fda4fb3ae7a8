import { types } from 'node:util';

import { classNamesOf, isRegisteredName, ONLY_ERROR } from './error-classes.js';
import { jsonCopy } from './failure-record.js';
import type { JsonObject, JsonValue } from './failure-record.js';

/** What a failure keeps of the thrown value at once. */
export interface Facts {
  readonly typeNames: readonly string[];
  readonly message: string;
  readonly code: string | number | undefined;
  readonly properties: JsonObject;
}

const MAX_PROPERTIES = 1000;
/** Kept in other ways. A code that is neither a string nor a number is kept as a property. */
const NOT_PROPERTIES: ReadonlySet<string> = new Set(['name', 'message', 'stack', 'cause']);
const NOT_PROPERTIES_NOR_CODE: ReadonlySet<string> = new Set([...NOT_PROPERTIES, 'code']);
export const NO_PROPERTIES: JsonObject = Object.freeze({});

/** Reads whatever was thrown. Never throws itself: what cannot be read is left out. */
export function factsOf(thrown: unknown): Facts {
  if (!isObject(thrown)) {
    return { typeNames: ONLY_ERROR, message: textOf(thrown), code: undefined, properties: NO_PROPERTIES };
  }
  const isError = isErrorObject(thrown);
  const message = read(thrown, 'message');
  const code = codeOf(thrown);
  return {
    typeNames: isError ? typeNamesOf(thrown) : ONLY_ERROR,
    message: typeof message === 'string' ? message : textOf(isError ? (message ?? '') : thrown),
    code,
    properties: propertiesOf(thrown, code === undefined ? NOT_PROPERTIES : NOT_PROPERTIES_NOR_CODE),
  };
}

function codeOf(thrown: object): string | number | undefined {
  const code = read(thrown, 'code');
  if (typeof code === 'string') return code;
  // Adding 0 makes -0 the 0 that JSON makes of it.
  return typeof code === 'number' && Number.isFinite(code) ? code + 0 : undefined;
}

function typeNamesOf(error: object): readonly string[] {
  try {
    const names = classNamesOf(error);
    const name = read(error, 'name');
    if (typeof name !== 'string' || name === '' || names.includes(name)) return names;
    const [first = 'Error', ...others] = names;
    // A class that can come back is looked for by the first name.
    return Object.freeze(isRegisteredName(first) ? [first, name, ...others] : [name, ...names]);
  } catch {
    return ONLY_ERROR;
  }
}

function propertiesOf(thrown: object, others: ReadonlySet<string>): JsonObject {
  try {
    if (Array.isArray(thrown) || ArrayBuffer.isView(thrown)) return NO_PROPERTIES;
    const kept: [string, JsonValue][] = [];
    for (const key of Object.keys(thrown).slice(0, MAX_PROPERTIES)) {
      if (others.has(key)) continue;
      const value = jsonCopy(read(thrown, key));
      if (value !== undefined) kept.push([key, value]);
    }
    return kept.length === 0 ? NO_PROPERTIES : Object.freeze(Object.fromEntries(kept));
  } catch {
    return NO_PROPERTIES;
  }
}

export function stackOf(thrown: unknown): string | null {
  const stack = isObject(thrown) ? read(thrown, 'stack') : null;
  return typeof stack === 'string' ? stack : null;
}

/** Like instanceof, and false where that throws. */
export function isInstance<T>(value: unknown, wanted: abstract new (...args: never[]) => T): value is T {
  try {
    return value instanceof wanted;
  } catch {
    return false;
  }
}

function isErrorObject(value: object): boolean {
  // Errors of another realm are native and no instances; a DOMException is the reverse.
  return isInstance(value, Error) || types.isNativeError(value);
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** What a property holds; undefined when reading it throws. */
export function read(object: object, key: string): unknown {
  try {
    return Reflect.get(object, key);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return 'something that has no text form';
  }
}
