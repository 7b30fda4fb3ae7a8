import { DisallowedAccessError, NotFoundError } from '../errors.js';
import { Failure } from '../failure.js';
import type { AtomDetail } from '../persistence/details.js';

/** What became of an attempt to read a result. */
export type Reading =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'ignored' }
  | { readonly kind: 'none'; readonly state: string | null };

const IGNORED: Reading = { kind: 'ignored' };

/** What `execute` left: its result, or its failure in whatever state the atom is. */
export function readExecuted(detail: AtomDetail): Reading {
  return read(detail, detail.failure, ['SUCCESS', 'FAILURE', 'REVERTING'], detail.results);
}

/** As `readExecuted`, but of a retry what it provided last. */
export function readLast(detail: AtomDetail): Reading {
  if (detail.kind === 'task' || detail.failure !== null) return readExecuted(detail);
  const last = detail.results.at(-1);
  const reading = readExecuted(detail);
  if (reading.kind !== 'value') return reading;
  return last === undefined ? { kind: 'none', state: detail.state } : { kind: 'value', value: last.provided };
}

/** What `revert` left. */
export function readReverted(detail: AtomDetail): Reading {
  return read(detail, detail.revertFailure, ['REVERTED', 'REVERT_FAILURE', 'REVERTING'], detail.revertResults);
}

function read(detail: AtomDetail, failure: Failure | null, states: readonly string[], value: unknown): Reading {
  if (failure !== null) return { kind: 'value', value: failure };
  if (detail.state !== null && states.includes(detail.state)) return { kind: 'value', value };
  return detail.state === 'IGNORE' ? IGNORED : { kind: 'none', state: detail.state };
}

/** @throws {NotFoundError} for a reading that gave no value, naming the atom and what was read. */
export function valueOf(reading: Reading, what: string, name: string): unknown {
  if (reading.kind === 'value') return reading.value;
  const state = reading.kind === 'none' ? reading.state : 'IGNORE';
  const because = reading.kind === 'ignored' ? ' (as it was ignored)' : '';
  throw new NotFoundError(`The result of the ${what} of ${name} is not known${because}`, {
    cause: new DisallowedAccessError(`${name} has no such result in the state ${String(state)}`, state),
  });
}

/** A value that was found; wrapped, because any value may be one. */
export interface Found {
  readonly value: unknown;
}

/**
 * Takes what a symbol stands for out of a result: the whole (null), a position of something indexable, or an own
 * property of an object or key of a map. A failure has no parts, and what is indexable has no keys.
 */
export function extract(result: unknown, part: number | string | null): Found | undefined {
  if (part === null) return { value: result };
  if (result instanceof Failure || result === null) return undefined;
  const isList = Array.isArray(result) || ArrayBuffer.isView(result);
  if (typeof part === 'number') {
    if (typeof result === 'string') return part < result.length ? { value: result[part] } : undefined;
    return isList && part in result ? { value: (result as unknown as ArrayLike<unknown>)[part] } : undefined;
  }
  if (isList) return undefined;
  if (result instanceof Map) return result.has(part) ? { value: result.get(part) } : undefined;
  if (typeof result !== 'object' || !Object.hasOwn(result, part)) return undefined;
  return { value: (result as Record<string, unknown>)[part] };
}

/** What was stored as an object. */
export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
