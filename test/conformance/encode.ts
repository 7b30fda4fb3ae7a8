import { History } from '../../src/atoms/history.js';
import { Failure } from '../../src/failure.js';
import type { Attempt } from '../../src/persistence/details.js';
import { failureBody } from './error-kinds.js';
import { isObject } from './json.js';

/*
 * Values as the cases write them. What comes back shares nothing with what was given: it says what was true
 * when it was recorded.
 */

/** `{failure: {type, message}}`. */
export function encodeFailure(failure: Failure): unknown {
  return { failure: failureBody(failure) };
}

/** Failures by atom. */
export function encodeFailures(failures: ReadonlyMap<string, Failure>): unknown {
  return Object.fromEntries([...failures].map(([name, failure]) => [name, encodeFailure(failure)]));
}

/** The attempts of a retry. */
export function encodeAttempts(attempts: Iterable<Attempt>): unknown {
  return [...attempts].map(({ provided, failures }) => ({
    provided: encode(provided),
    failures: encodeFailures(failures),
  }));
}

/** Any value; undefined stays undefined, which equals nothing that a case can state. */
export function encode(value: unknown): unknown {
  if (value instanceof Failure) return encodeFailure(value);
  if (value instanceof History) {
    return { attempts: encodeAttempts(value), failure: value.failure === null ? null : encodeFailure(value.failure) };
  }
  if (value instanceof Map) return encodeMembers(value);
  if (Array.isArray(value)) return value.map(encode);
  return isObject(value) ? encodeMembers(Object.entries(value)) : value;
}

function encodeMembers(members: Iterable<readonly [unknown, unknown]>): Record<string, unknown> {
  return Object.fromEntries([...members].map(([name, item]) => [String(name), encode(item)]));
}

/** What a method was given, by the names that the cases use. */
export function encodeArguments(args: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const names = Object.entries(args).map(([name, value]) => [name === 'flowFailures' ? 'flow_failures' : name, value]);
  return encodeMembers(names.map(([name, value]) => [name, value] as const));
}
