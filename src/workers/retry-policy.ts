import { nearestName } from '../nearest-name.js';

/** How often, and after how long, something that failed for want of a connection is tried again. */
export interface RetryOptions {
  /** Pause before the first retry, in milliseconds. @default 1000 */
  readonly intervalStartMs?: number | undefined;
  /** By how much each further pause is longer. @default 1000 */
  readonly intervalStepMs?: number | undefined;
  /** The longest pause. @default 1000 */
  readonly intervalMaxMs?: number | undefined;
  /** null for no limit. @default 3 */
  readonly maxRetries?: number | null | undefined;
}

const NAMES = ['intervalStartMs', 'intervalStepMs', 'intervalMaxMs', 'maxRetries'] as const;

/**
 * Retry options, checked.
 *
 * @throws {RangeError} for an option that is unknown, or takes another value.
 */
export class RetryPolicy {
  readonly #startMs: number;
  readonly #stepMs: number;
  readonly #maxMs: number;
  /** Infinity for no limit. */
  readonly maxRetries: number;

  constructor(options: RetryOptions = {}) {
    const known: readonly string[] = NAMES;
    for (const name of Object.keys(options)) {
      if (known.includes(name)) continue;
      const meant = nearestName(name, NAMES);
      const hint = meant === null ? '' : `; did you mean '${meant}'?`;
      throw new RangeError(`retryOptions takes ${NAMES.join(', ')}, got '${name}'${hint}`);
    }
    this.#startMs = milliseconds('intervalStartMs', options.intervalStartMs ?? 1000);
    this.#stepMs = milliseconds('intervalStepMs', options.intervalStepMs ?? 1000);
    this.#maxMs = milliseconds('intervalMaxMs', options.intervalMaxMs ?? 1000);
    this.maxRetries = retries(options.maxRetries === undefined ? 3 : options.maxRetries);
  }

  /** How long to wait before a retry, in milliseconds. The first is number 0. */
  delayMs(retry: number): number {
    return Math.min(this.#startMs + retry * this.#stepMs, this.#maxMs);
  }
}

function milliseconds(name: string, value: number): number {
  if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
  throw new RangeError(`The option ${name} of retryOptions takes milliseconds from 0, got ${String(value)}`);
}

function retries(value: number | null): number {
  if (value === null || value === Infinity) return Infinity;
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new RangeError(
    `The option maxRetries of retryOptions takes a whole number from 0, or null, got ${String(value)}`,
  );
}
