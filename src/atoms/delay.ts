import { isPlainObject, shown } from './arguments.js';
import type { History } from './history.js';

/** A delay that grows with each attempt. */
export interface Backoff {
  /** Milliseconds before the second attempt. */
  readonly firstMs: number;
  /** By what the delay is multiplied each time, from 1. @default 2 */
  readonly factor?: number | undefined;
  /** No delay is longer, in milliseconds. @default no limit */
  readonly maxMs?: number | undefined;
  /** The part of each delay that is random, from 0 to 1, so that not all come back at the same moment. @default 0 */
  readonly jitter?: number | undefined;
}

/** How long is waited before a flow is tried again: milliseconds, a growing delay, or a function of what was tried. */
export type Delay = number | Backoff | ((history: History) => number);

const TAKES = 'milliseconds from 0, a function of the history, or an object with firstMs, factor, maxMs and jitter';

interface Accepted {
  readonly accepts: (value: number) => boolean;
  readonly takes: string;
}

const MILLISECONDS: Accepted = { accepts: (value) => value >= 0 && value < Infinity, takes: 'milliseconds from 0' };
const PARTS: Readonly<Record<keyof Backoff, Accepted>> = {
  firstMs: MILLISECONDS,
  factor: { accepts: (value) => value >= 1 && value < Infinity, takes: 'a factor from 1' },
  maxMs: MILLISECONDS,
  jitter: { accepts: (value) => value >= 0 && value <= 1, takes: 'a number from 0 to 1' },
};

/** @throws {RangeError|TypeError} naming the retry, what it takes and what it got. */
export function readDelay(retry: string, given: Delay | undefined): Delay | undefined {
  if (given === undefined || typeof given === 'function') return given;
  if (typeof given === 'number') return checked(`delay of ${retry}`, { ...MILLISECONDS, takes: TAKES }, given);
  if (!isPlainObject(given)) throw new TypeError(`delay of ${retry} takes ${TAKES}, got ${shown(given)}`);
  const foreign = Object.keys(given).find((part) => !Object.hasOwn(PARTS, part));
  if (foreign !== undefined) throw new RangeError(`delay of ${retry} takes ${TAKES}, got ${shown(foreign)}`);
  for (const [part, accepted] of Object.entries(PARTS)) {
    const value: unknown = given[part];
    if (value !== undefined || part === 'firstMs') checked(`delay.${part} of ${retry}`, accepted, value);
  }
  return { ...given };
}

function checked(option: string, { accepts, takes }: Accepted, value: unknown): number {
  if (typeof value !== 'number') throw new TypeError(`${option} takes ${takes}, got ${shown(value)}`);
  if (!accepts(value)) throw new RangeError(`${option} takes ${takes}, got ${shown(value)}`);
  return value;
}

/**
 * How many milliseconds are waited before the next attempt.
 *
 * @param history - What was tried so far: at least one attempt.
 * @throws {RangeError|TypeError} for a function that gives no milliseconds, and what it throws itself.
 */
export function delayBefore(retry: string, delay: Delay, history: History, random: () => number): number {
  if (typeof delay === 'number') return delay;
  if (typeof delay === 'function') return checked(`delay of the retry ${retry}`, MILLISECONDS, delay(history));
  const { firstMs, factor = 2, maxMs = Number.MAX_SAFE_INTEGER, jitter = 0 } = delay;
  const ms = Math.min(firstMs * factor ** (history.length - 1), maxMs);
  return jitter === 0 ? ms : ms * (1 - jitter * random());
}
