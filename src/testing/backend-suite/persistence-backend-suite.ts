import { atomPromises } from './atoms.js';
import { bookPromises } from './books.js';
import { commitPromises } from './commits.js';
import { connectionPromises } from './connections.js';
import { copyPromises } from './copies.js';
import { faultPromises } from './fault-sweep.js';
import { journalPromises } from './journals.js';
import { rivalPromises } from './rivals.js';
import type { BackendSuiteOptions } from './suite.js';
import { suiteOf } from './suite.js';

/**
 * Tests what every persistence backend promises: what is stored and comes back, that commits are whole, in order and
 * made once, one writer at a time, and that runs on it survive any commit that goes wrong.
 *
 * A few tests store much. Where a runner limits the time of a test, ten seconds are enough for a store that is near.
 *
 * @param options.describe - The test runner's, as `it`: of node:test, vitest, mocha, jest.
 */
export function persistenceBackendSuite(options: BackendSuiteOptions): void {
  const suite = suiteOf(options);
  suite.describe(`${options.name} persistence`, () => {
    for (const promises of [bookPromises, commitPromises, journalPromises, atomPromises, connectionPromises])
      promises(suite);
    if (options.runs ?? true) for (const promises of [rivalPromises, faultPromises]) promises(suite);
  });
}

/** Tests what those backends promise beside that keep copies, as text: nearly all, but for one in memory. */
export function copyingBackendSuite(options: BackendSuiteOptions): void {
  const suite = suiteOf(options);
  suite.describe(`${options.name} persistence, as it copies,`, () => copyPromises(suite));
}
