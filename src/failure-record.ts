import { InvalidFormatError } from './errors.js';

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** A failure as plain JSON: what is stored and sent. Fields that are not known are ignored when it is read. */
export interface FailureRecord {
  readonly version: 1;
  /** Most specific first; the last is `Error`. */
  readonly typeNames: readonly string[];
  readonly message: string;
  readonly stack: string | null;
  readonly code?: string | number;
  readonly properties?: JsonObject;
  /** The whole chain, nearest first, so an entry has no causes of its own. */
  readonly causes?: readonly FailureRecord[];
  /** Members of an AggregateError, or the failures of a WrappedFailureError. */
  readonly errors?: readonly FailureRecord[];
}

/** How deep `errors` may be nested in one another: reading a record recurses. */
const MAX_DEPTH = 1000;
const MAX_VALUE_DEPTH = 50;
const MAX_VALUES = 10_000;

/**
 * A frozen copy of `value` that survives JSON unchanged.
 *
 * @returns undefined for what JSON would change or lose (functions, dates, class instances, NaN, holes, cycles), for
 * what throws when it is read, and for what is deeper than 50 levels or has more than 10,000 parts.
 */
export function jsonCopy(value: unknown): JsonValue | undefined {
  const budget = { left: MAX_VALUES };
  const copy = (part: unknown, depth: number): JsonValue | undefined => {
    budget.left -= 1;
    if (budget.left < 0 || depth > MAX_VALUE_DEPTH) return undefined;
    switch (typeof part) {
      case 'string':
      case 'boolean':
        return part;
      case 'number':
        // Adding 0 makes -0 the 0 that JSON makes of it.
        return Number.isFinite(part) ? part + 0 : undefined;
      case 'object':
        if (part === null) return null;
        return Array.isArray(part) ? copyArray(part, depth + 1) : copyObject(part, depth + 1);
      default:
        return undefined;
    }
  };
  const copyArray = (array: readonly unknown[], depth: number): JsonValue | undefined => {
    const parts: JsonValue[] = [];
    for (const part of array) {
      const copied = copy(part, depth);
      if (copied === undefined) return undefined;
      parts.push(copied);
    }
    return Object.freeze(parts);
  };
  const copyObject = (object: object, depth: number): JsonValue | undefined => {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== Object.prototype && prototype !== null) return undefined;
    const parts: [string, JsonValue][] = [];
    for (const [key, part] of Object.entries(object)) {
      const copied = copy(part, depth);
      if (copied === undefined) return undefined;
      parts.push([key, copied]);
    }
    // Unlike assignment, fromEntries keeps a key called __proto__ a key.
    return Object.freeze(Object.fromEntries(parts));
  };
  try {
    return copy(value, 0);
  } catch {
    return undefined;
  }
}

/** @throws {InvalidFormatError} naming the path, such as `$.causes[0].message`, what it takes and what it got. */
export function parseFailureRecord(value: unknown, path = '$', depth = 0): FailureRecord {
  const record = fieldsOf(value, path);
  const refuse = (field: string, takes: string): never => refuseAt(`${path}.${field}`, takes, record[field]);
  const { version, typeNames, message, stack, code } = record;

  if (version !== 1) return refuse('version', 'version 1');
  if (!isListOfNames(typeNames)) return refuse('typeNames', 'a list of type names that ends with Error');
  if (typeof message !== 'string') return refuse('message', 'a string');
  if (stack !== null && typeof stack !== 'string') return refuse('stack', 'a string or null');
  if (code !== undefined && typeof code !== 'string' && !isFiniteNumber(code)) {
    return refuse('code', 'a string or a finite number');
  }

  const properties = record.properties === undefined ? undefined : parseProperties(record.properties, path);
  const causes = parseList(record.causes, `${path}.causes`, depth);
  for (const [index, cause] of causes.entries()) {
    if (cause.causes !== undefined) {
      refuseAt(`${path}.causes[${index}].causes`, 'nothing: the chain stands in the outermost record', cause.causes);
    }
  }
  const errors = parseList(record.errors, `${path}.errors`, depth);
  return {
    version,
    typeNames: Object.freeze([...typeNames]),
    message,
    stack,
    ...(code === undefined ? {} : { code }),
    ...(properties === undefined ? {} : { properties }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(errors.length === 0 ? {} : { errors }),
  };
}

function parseList(value: unknown, path: string, depth: number): readonly FailureRecord[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return refuseAt(path, 'a list of failure records', value);
  if (depth >= MAX_DEPTH) return refuseAt(path, `at most ${MAX_DEPTH} levels`, value);
  return value.map((entry, index) => parseFailureRecord(entry, `${path}[${index}]`, depth + 1));
}

function parseProperties(value: unknown, path: string): JsonObject {
  const properties = Object.entries(fieldsOf(value, `${path}.properties`)).map(([key, property]) => {
    const copied = jsonCopy(property);
    if (copied === undefined) return refuseAt(`${path}.properties.${key}`, 'what JSON can hold', property);
    return [key, copied] as const;
  });
  return Object.freeze(Object.fromEntries(properties));
}

function fieldsOf(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuseAt(path, 'an object', value);
  return { ...value };
}

function isListOfNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string') && value.at(-1) === 'Error';
}

function isFiniteNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function refuseAt(path: string, takes: string, got: unknown): never {
  const shown = jsonCopy(got) === undefined ? typeof got : JSON.stringify(got);
  const excerpt = shown.length > 80 ? `${shown.slice(0, 79)}…` : shown;
  throw new InvalidFormatError(`A failure record takes ${takes} at ${path}, got ${excerpt}`);
}
