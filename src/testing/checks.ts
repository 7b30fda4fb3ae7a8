import { deepStrictEqual, ok, rejects as rejectsAs } from 'node:assert/strict';
import { Failure } from '../failure.js';

type ErrorClass = abstract new (...args: never[]) => Error;

/**
 * Checks that two values are the same as data: a failure is its record, and a property that is undefined is none.
 *
 * @throws {AssertionError} which shows the difference.
 */
export function same(actual: unknown, expected: unknown): void {
  deepStrictEqual(plain(actual), plain(expected));
}

/** Checks that an object has these properties, whatever else it has. */
export function includes(actual: object | null | undefined, part: object): void {
  ok(actual !== null && actual !== undefined, 'there is nothing');
  same(Object.fromEntries(Object.entries(actual).filter(([name]) => Object.hasOwn(part, name))), part);
}

/** Checks that a promise is rejected with an error of a class, with one like another, or with a message. */
export async function rejects(promise: Promise<unknown>, expected: ErrorClass | Error | RegExp): Promise<void> {
  await rejectsAs(promise, (error: unknown) => {
    ok(error instanceof Error, `it was rejected with ${String(error)}`);
    if (expected instanceof RegExp)
      ok(expected.test(error.message), `${String(error)} does not match ${String(expected)}`);
    else if (expected instanceof Error) same([error.name, error.message], [expected.name, expected.message]);
    else ok(error instanceof expected, `it was rejected with ${error.stack ?? String(error)}`);
    return true;
  });
}

function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Failure) return { failure: value.toRecord() };
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return { map: Array.from(value, plain) };
  // A list of pairs, so that a property called `__proto__` is one like any other.
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return { object: entries.toSorted(byName).map(([name, each]) => [name, plain(each)]) };
}

function byName([left]: [string, unknown], [right]: [string, unknown]): number {
  return left < right ? -1 : 1;
}
