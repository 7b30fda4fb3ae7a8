import { isPlainObject, shown } from './arguments.js';

/** How long each method of an atom may take, in milliseconds. */
export interface TimeLimits {
  readonly execute?: number | undefined;
  readonly revert?: number | undefined;
}

const METHODS = ['execute', 'revert'];
const TAKES = 'milliseconds above 0, or an object with such numbers for execute and revert';

/** @throws {RangeError|TypeError} naming the atom, what it takes and what it got. */
export function readTimeLimits(atom: string, given: number | TimeLimits | undefined): TimeLimits | undefined {
  if (given === undefined) return undefined;
  if (typeof given === 'number') {
    checkLimit(`timeoutMs of ${atom}`, TAKES, given);
    return Object.freeze({ execute: given, revert: given });
  }
  if (!isPlainObject(given)) throw new TypeError(`timeoutMs of ${atom} takes ${TAKES}, got ${shown(given)}`);
  const foreign = Object.keys(given).find((key) => !METHODS.includes(key));
  if (foreign !== undefined) throw new RangeError(`timeoutMs of ${atom} takes ${TAKES}, got ${shown(foreign)}`);
  const { execute, revert }: TimeLimits = given;
  for (const [method, limit] of Object.entries({ execute, revert })) {
    if (limit !== undefined) checkLimit(`timeoutMs.${method} of ${atom}`, 'milliseconds above 0', limit);
  }
  return Object.freeze({ execute, revert });
}

function checkLimit(option: string, takes: string, limit: unknown): void {
  if (typeof limit !== 'number') throw new TypeError(`${option} takes ${takes}, got ${shown(limit)}`);
  if (!(limit > 0 && limit < Infinity)) throw new RangeError(`${option} takes ${takes}, got ${shown(limit)}`);
}
