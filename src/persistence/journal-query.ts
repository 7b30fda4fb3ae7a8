import type { JournalQuery } from './backend.js';

/** @throws {RangeError} for a query of numbers that cannot be. */
export function checkJournalQuery({ after = 0, limit = 0 }: JournalQuery): void {
  if (!Number.isSafeInteger(after) || after < 0)
    throw new RangeError(`after takes a whole number from 0, got ${after}`);
  if (!Number.isSafeInteger(limit) || limit < 0)
    throw new RangeError(`limit takes a whole number from 0, got ${limit}`);
}
