import { types } from 'node:util';
import { stringify, unflatten } from 'devalue';
import { UnstorableValueError } from './errors.js';
import { classNameOf, pathOf } from './value-place.js';
import type { Place } from './value-place.js';

/** Values nested deeper than this are refused: writing and reading go down one call a level. */
const MAX_DEPTH = 1000;

/**
 * Writes a value as text, with what JSON has no words for: undefined inside a value, NaN, infinities, -0, bigints, Map,
 * Set, Date, RegExp, URL, URLSearchParams, Buffer, ArrayBuffer and its views, holes, cycles, and objects that occur
 * twice, which come back as one.
 *
 * @throws {UnstorableValueError} with the path of what would not come back as it was.
 */
export function writeRichText(value: unknown): string {
  const text = plainText(value);
  if (text !== null) return text;
  refuseUnstorable(value, null, 1, new Set());
  try {
    return stringify(value, REDUCERS);
  } catch {
    // The error of the library holds the value.
    throw new UnstorableValueError('$', 'it cannot be written as text');
  }
}

/** @throws what is wrong with a text that `writeRichText` did not write. */
export function readRichText(text: string): unknown {
  const parsed: unknown = JSON.parse(text);
  if (Array.isArray(parsed) && parsed.length === 1) {
    const value: unknown = parsed[0];
    if (typeof value !== 'object' || value === null) return value;
  }
  return unflatten(parsed as unknown[], REVIVERS);
}

/** The text of a value that is a list or a record of plain values, or one of them, which most are; null for others. */
function plainText(value: unknown): string | null {
  const text = plainPart(value);
  if (text !== null) return `[${text}]`;
  if (typeof value !== 'object' || value === null || Object.getOwnPropertySymbols(value).length > 0) return null;
  const isArray = Array.isArray(value);
  if (Object.getPrototypeOf(value) !== (isArray ? Array.prototype : Object.prototype)) return null;
  const keys = Object.keys(value);
  if (keys.length > MOST_PARTS || (isArray && keys.length !== value.length)) return null;
  // What occurs twice is written once.
  const texts: string[] = [];
  const parts: string[] = [];
  for (const [index, key] of keys.entries()) {
    if (isArray ? key !== String(index) : !PLAIN_KEY.test(key) || key === '__proto__') return null;
    const part = plainPart((value as Readonly<Record<string, unknown>>)[key]);
    if (part === null) return null;
    let at = texts.indexOf(part);
    if (at < 0) at = texts.push(part) - 1;
    parts.push(isArray ? String(at + 1) : `"${key}":${at + 1}`);
  }
  const own = isArray ? `[${parts.join(',')}]` : `{${parts.join(',')}}`;
  return `[${[own, ...texts].join(',')}]`;
}

const MOST_PARTS = 8;
const PLAIN_KEY = /^\w+$/;
/** Without what is escaped. */
const PLAIN_CHARACTERS = /^[ !#-;=-[\]-~]*$/;

function plainPart(value: unknown): string | null {
  if (typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0) ? String(value) : null;
  return typeof value === 'string' && PLAIN_CHARACTERS.test(value) ? `"${value}"` : null;
}

const REDUCERS = {
  Buffer: (value: unknown) => (Buffer.isBuffer(value) ? [value.toString('base64')] : undefined),
  /** Without this the whole buffer would be written, with what does not belong to the value. */
  Part: (value: unknown) => (isPartialView(value) ? wholeCopyOf(value) : undefined),
};

const REVIVERS = {
  Buffer: ([text]: [unknown]) => {
    // An object with a length would be copied, however great it says that its length is.
    if (typeof text !== 'string') throw new TypeError('a Buffer takes text in base64');
    return Buffer.from(text, 'base64');
  },
  Part: (view: unknown) => view,
};

function isPartialView(value: unknown): value is ArrayBufferView {
  return ArrayBuffer.isView(value) && !Buffer.isBuffer(value) && value.byteLength !== value.buffer.byteLength;
}

function wholeCopyOf(view: ArrayBufferView): ArrayBufferView {
  if (types.isTypedArray(view)) return view.slice();
  return new DataView(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
}

/**
 * Goes through all parts of a value, in the order in which it will be written: then it goes as deep.
 *
 * @throws {UnstorableValueError} for a part that would not come back as it was.
 */
function refuseUnstorable(value: unknown, place: Place | null, depth: number, seen: Set<object>): void {
  if (typeof value === 'function' || typeof value === 'symbol') {
    throw new UnstorableValueError(pathOf(place), `a ${typeof value}`);
  }
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  if (depth > MAX_DEPTH) throw new UnstorableValueError(pathOf(place), `nested deeper than ${MAX_DEPTH} levels`);
  seen.add(value);
  for (const [key, part] of readable(value, place)) {
    refuseUnstorable(part, { above: place, key }, depth + 1, seen);
  }
}

type Part = readonly [key: Place['key'], value: unknown];

function readable(value: object, place: Place | null): Iterable<Part> {
  try {
    return partsOf(value, place);
  } catch (cause) {
    if (cause instanceof UnstorableValueError) throw cause;
    throw new UnstorableValueError(pathOf(place), 'it cannot be read', { cause });
  }
}

/** How many prototypes a value of a built-in class has, in any realm; one of a class of somebody's own has more. */
const PLAIN = 1;
const BUILT_IN = 2;
const TYPED_ARRAY = 3;
const BUFFER = 4;

function partsOf(value: object, place: Place | null): Iterable<Part> {
  if (Object.getOwnPropertySymbols(value).length > 0 && !ArrayBuffer.isView(value)) {
    throw new UnstorableValueError(pathOf(place), 'an object with symbols as keys');
  }
  const refuseUnless = (prototypes: number) => {
    if (prototypesOf(value) !== prototypes) throw ofClass(value, place);
  };
  if (Array.isArray(value)) {
    refuseUnless(BUILT_IN);
    return elementsOf(value, place);
  }
  if (ArrayBuffer.isView(value)) {
    refuseUnless(Buffer.isBuffer(value) ? BUFFER : types.isTypedArray(value) ? TYPED_ARRAY : BUILT_IN);
    return [[{ step: '.buffer' }, value.buffer]];
  }
  const parts = builtInPartsOf(value, place);
  if (parts !== null) {
    refuseUnless(BUILT_IN);
    if (Object.keys(value).length > 0) {
      throw new UnstorableValueError(pathOf(place), `a ${classNameOf(value)} with properties of its own`);
    }
    return parts;
  }
  if (prototypesOf(value) > PLAIN) throw ofClass(value, place);
  if (Object.hasOwn(value, '__proto__'))
    throw new UnstorableValueError(pathOf(place), 'an object with a key __proto__');
  return Object.entries(value);
}

const NO_PARTS: readonly Part[] = [];

/** null for what is none of the built-in objects that can be kept. */
function builtInPartsOf(value: object, place: Place | null): Iterable<Part> | null {
  if (types.isMap(value)) {
    return Array.from(value).flatMap(([key, part], index): Part[] => [
      // A key of a Map is a value like others: it is not quoted.
      [{ step: `.entries()[${index}][0]` }, key],
      [{ step: `.entries()[${index}][1]` }, part],
    ]);
  }
  if (types.isSet(value)) return Array.from(value, (part, index): Part => [{ step: `.values()[${index}]` }, part]);
  if (types.isRegExp(value)) {
    if (value.lastIndex === 0) return NO_PARTS;
    throw new UnstorableValueError(pathOf(place), 'a RegExp in the middle of a search: its lastIndex is not 0');
  }
  if (types.isArrayBuffer(value)) {
    if (Reflect.get(value, 'resizable') !== true) return NO_PARTS;
    throw new UnstorableValueError(pathOf(place), 'an ArrayBuffer that can be resized');
  }
  return types.isDate(value) || isUrl(value) ? NO_PARTS : null;
}

function isUrl(value: object): boolean {
  return value instanceof URL || value instanceof URLSearchParams;
}

function elementsOf(array: readonly unknown[], place: Place | null): Iterable<Part> {
  const elements: Part[] = [];
  for (const key of Object.keys(array)) {
    const index = Number(key);
    if (!Number.isInteger(index) || index < 0 || index >= array.length || String(index) !== key) {
      throw new UnstorableValueError(pathOf(place), 'an array with properties beside its elements');
    }
    elements.push([index, array[index]]);
  }
  return elements;
}

function prototypesOf(value: object): number {
  let count = 0;
  for (let each: unknown = Object.getPrototypeOf(value); each !== null; each = Object.getPrototypeOf(each)) count += 1;
  return count;
}

function ofClass(value: object, place: Place | null): UnstorableValueError {
  return new UnstorableValueError(pathOf(place), `an object of the class ${classNameOf(value)}`);
}
