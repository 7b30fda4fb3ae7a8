import { nearestName } from '../nearest-name.js';

/** How often, and how patiently, a commit whose store failed is sent again. */
export interface CommitRetryPolicy {
  /** Times that a commit is sent in all. @default 3 */
  readonly attempts: number;
  /** Milliseconds before it is sent the second time. @default 5000 */
  readonly delayMs: number;
  /** By what the delay is multiplied each time, from 1. @default 1 */
  readonly backoff: number;
  /** No delay is longer, in milliseconds. @default a minute, or `delayMs` where that is longer */
  readonly maxDelayMs: number;
  /** The part of each delay that is random, from 0 to 1, so that not all come back at the same moment. @default 0 */
  readonly jitter: number;
}

const DEFAULTS = { attempts: 3, delayMs: 5000, backoff: 1, jitter: 0 };
const MINUTE = 60_000;

/** What a timer can wait for: a longer delay would be none. */
const LONGEST_TIMER = 2 ** 31 - 1;

const isMilliseconds = (value: number) => value >= 0 && value <= LONGEST_TIMER;

const ACCEPTED: Readonly<
  Record<keyof CommitRetryPolicy, { readonly accepts: (value: number) => boolean; readonly takes: string }>
> = {
  attempts: { accepts: (value) => Number.isInteger(value) && value >= 1, takes: 'a whole number from 1' },
  delayMs: { accepts: isMilliseconds, takes: `milliseconds from 0 to ${LONGEST_TIMER}` },
  backoff: { accepts: (value) => value >= 1 && value < Infinity, takes: 'a factor from 1' },
  maxDelayMs: { accepts: isMilliseconds, takes: `milliseconds from 0 to ${LONGEST_TIMER}` },
  jitter: { accepts: (value) => value >= 0 && value <= 1, takes: 'a number from 0 to 1' },
};

const KNOWN = Object.keys(ACCEPTED);

/**
 * Fills in defaults and checks what was given.
 *
 * @throws {RangeError} naming the option, what it takes and what it got.
 * @throws {TypeError} for something without options.
 */
export function commitRetryPolicy(given: Partial<CommitRetryPolicy> = {}): CommitRetryPolicy {
  if (typeof given !== 'object' || (given as unknown) === null) {
    throw new TypeError(`commitRetry takes an object with ${KNOWN.join(', ')}, got ${JSON.stringify(given)}`);
  }
  const unknown = Object.keys(given).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) {
    const meant = nearestName(unknown, KNOWN);
    throw new RangeError(
      `commitRetry takes ${KNOWN.join(', ')}, got ${JSON.stringify(unknown)}` +
        (meant === null ? '' : `; did you mean ${meant}?`),
    );
  }
  const chosen = { ...DEFAULTS, ...given };
  const policy = { ...chosen, maxDelayMs: given.maxDelayMs ?? Math.max(MINUTE, chosen.delayMs) };
  for (const [name, { accepts, takes }] of Object.entries(ACCEPTED)) {
    const value: unknown = policy[name as keyof CommitRetryPolicy];
    if (typeof value !== 'number' || !accepts(value)) {
      throw new RangeError(`commitRetry.${name} takes ${takes}, got ${String(value)}`);
    }
  }
  return policy;
}

/** How long is waited after an attempt, counted from 1, before the next. */
export function delayAfter(attempt: number, policy: CommitRetryPolicy, random: () => number): number {
  const { delayMs, backoff, maxDelayMs, jitter } = policy;
  const delay = Math.min(delayMs * backoff ** (attempt - 1), maxDelayMs);
  return jitter === 0 ? delay : delay * (1 - jitter * random());
}
