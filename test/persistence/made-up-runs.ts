import type { Environment } from '../../src/environment.js';
import { virtualEnvironment } from '../../src/testing/virtual-environment.js';

export { aBook, aFailure, aFlow, aRetry, aRetryThatFailed, aTask } from '../../src/testing/made-up-runs.js';

/** Ids that count up, a clock that stands still. */
export function countingEnvironment(prefix = 'id'): Environment {
  return virtualEnvironment({ prefix });
}
