import type { Environment } from '../environment.js';
import type { RetryPolicy } from './retry-policy.js';

/** What every transport is given, whatever carries it. */
export interface TransportBasics {
  /** The name of everything that belongs together at the broker. */
  readonly exchange: string;
  readonly policy: RetryPolicy;
  readonly environment: Environment;
}

/** The milliseconds above 0 that an option takes. @param owner - The transport. @throws {RangeError} */
export function positiveMs(owner: string, name: string, value: number): number {
  if (value > 0) return value;
  throw new RangeError(`The option ${name} of ${owner} takes milliseconds above 0, got ${value}`);
}
