import type { Environment } from '../environment.js';
import type { RetryPolicy } from './retry-policy.js';

/** What every transport is given, whatever carries it. */
export interface TransportBasics {
  /** The name of everything that belongs together at the broker. */
  readonly exchange: string;
  readonly policy: RetryPolicy;
  readonly environment: Environment;
}
