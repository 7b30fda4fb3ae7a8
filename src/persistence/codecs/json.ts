import { InvalidFormatError, UnstorableValueError } from '../../errors.js';
import type { Codec } from '../backend.js';
import { abbreviate, classNameOf, pathOf } from '../../value-place.js';
import type { Place } from '../../value-place.js';

/** Values nested deeper than this are refused: JSON itself would run out of stack somewhere above it. */
const MAX_DEPTH = 1000;

interface Visit {
  readonly value: object;
  readonly place: Place | null;
  readonly depth: number;
}

/**
 * Keeps values as strict JSON: what comes back is what went in, or encoding throws.
 *
 * Refused with the path of the culprit is all that JSON would change or drop: undefined inside a value, functions,
 * symbols, numbers that are not finite, bigints, sparse arrays, cycles, and objects that are more than plain data.
 * A value that is undefined as a whole counts as null. An object that occurs twice comes back as two.
 */
export const jsonCodec: Codec = {
  encode(value) {
    if (value === undefined) return 'null';
    refuseUnstorable(value);
    try {
      return JSON.stringify(value);
    } catch (cause) {
      throw new UnstorableValueError('$', 'it cannot be written as text', { cause });
    }
  },
  decode(text) {
    try {
      const value: unknown = JSON.parse(text);
      return value;
    } catch (cause) {
      throw new InvalidFormatError(`What is stored is not JSON: ${abbreviate(text)}`, { cause });
    }
  },
};

/** Goes through all parts of a value, without recursion. @throws {UnstorableValueError} for one that JSON would not keep. */
function refuseUnstorable(root: unknown): void {
  if (!isContainer(root, null) || isFlat(root)) return;
  const open = new Set<object>();
  // A visit stays where it is while what is below it is looked at; met again, it is done with.
  const pending: Visit[] = [{ value: root, place: null, depth: 1 }];
  for (let visit = pending.at(-1); visit !== undefined; visit = pending.at(-1)) {
    if (open.delete(visit.value)) {
      pending.pop();
      continue;
    }
    if (visit.depth > MAX_DEPTH)
      throw new UnstorableValueError(pathOf(visit.place), `nested deeper than ${MAX_DEPTH} levels`);
    open.add(visit.value);
    for (const [key, value] of entriesOf(visit.value, visit.place)) {
      if (isPlainLeaf(value)) continue;
      const place = { above: visit.place, key };
      if (!isContainer(value, place)) continue;
      if (open.has(value)) throw new UnstorableValueError(pathOf(place), 'it contains itself');
      pending.push({ value, place, depth: visit.depth + 1 });
    }
  }
}

/** Whether it is a plain object of plain leaves, which most metadata is: nothing to walk through. */
function isFlat(value: object): boolean {
  if (Object.getPrototypeOf(value) !== Object.prototype || Object.getOwnPropertySymbols(value).length > 0) return false;
  try {
    for (const key in value) if (!isPlainLeaf((value as Record<string, unknown>)[key])) return false;
    return true;
  } catch {
    // Which property cannot be read is found on the walk.
    return false;
  }
}

/** What needs no second look, nor a place. */
function isPlainLeaf(value: unknown): boolean {
  return typeof value === 'string' || value === null || typeof value === 'boolean' || Number.isFinite(value);
}

/** Tells containers from leaves. @throws {UnstorableValueError} for a leaf that JSON does not have. */
function isContainer(value: unknown, place: Place | null): value is object {
  switch (typeof value) {
    case 'object':
      return value !== null;
    case 'string':
    case 'boolean':
      return false;
    case 'number':
      if (Number.isFinite(value)) return false;
      throw new UnstorableValueError(pathOf(place), `the number ${value}`);
    default:
      throw new UnstorableValueError(pathOf(place), value === undefined ? 'undefined' : `a ${typeof value}`);
  }
}

function entriesOf(value: object, place: Place | null): Iterable<[string | number, unknown]> {
  try {
    if (Array.isArray(value)) {
      refuseOddArray(value, place);
      return value.entries();
    }
    refuseOddObject(value, place);
    return Object.entries(value);
  } catch (cause) {
    if (cause instanceof UnstorableValueError) throw cause;
    throw new UnstorableValueError(pathOf(place), 'it cannot be read', { cause });
  }
}

function refuseOddArray(array: readonly unknown[], place: Place | null): void {
  if (Object.getPrototypeOf(array) !== Array.prototype && classNameOf(array) !== 'Array') {
    throw new UnstorableValueError(pathOf(place), `an object of the class ${classNameOf(array)}`);
  }
  // When the counts agree a hole can only be there beside a property, and will be met as undefined.
  if (Object.keys(array).length === array.length) return;
  const hole = array.findIndex((_, index) => !(index in array));
  if (hole >= 0) throw new UnstorableValueError(pathOf({ above: place, key: hole }), 'a hole in an array');
  throw new UnstorableValueError(pathOf(place), 'an array with properties beside its elements');
}

function refuseOddObject(value: object, place: Place | null): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  // The prototype of plain objects, in any realm, is the one that has none itself.
  if (prototype !== null && prototype !== Object.prototype && Object.getPrototypeOf(prototype) !== null) {
    throw new UnstorableValueError(pathOf(place), `an object of the class ${classNameOf(value)}`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    throw new UnstorableValueError(pathOf(place), 'an object with symbols as keys');
  }
}
