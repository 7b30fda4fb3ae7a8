import { carriagePromises } from './carriage.js';
import { linkPromises } from './links.js';
import { mailboxPromises } from './mailboxes.js';
import { queuePromises } from './queues.js';
import { suiteOf } from './suite.js';
import type { TransportSuiteOptions } from './suite.js';

/**
 * Tests what every transport promises: that messages come as they were sent, to those whom they are for, again when
 * somebody is gone without an answer, and that links come back and leave nothing behind.
 *
 * It waits for what has to happen, never for time to pass. Where a runner limits the time of a test, thirty seconds are
 * enough for a broker that is near.
 *
 * @param options.describe - The test runner's, as `it`: of node:test, vitest, mocha, jest.
 */
export function transportSuite(options: TransportSuiteOptions): void {
  const suite = suiteOf(options);
  suite.describe(`${options.name} transport`, () => {
    for (const promises of [queuePromises, mailboxPromises, carriagePromises, linkPromises]) promises(suite);
  });
}
