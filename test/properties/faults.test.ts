import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { ATTEMPTS, perform } from '../../src/testing/backend-suite/fault-sweep.js';
import { STORIES } from '../../src/testing/backend-suite/stories.js';
import type { Interruption } from '../../src/testing/index.js';
import { never } from '../../src/testing/index.js';

/** What becomes of so many commits in a row. */
const faults = fc.array(
  fc.record({
    commits: fc.integer({ min: 1, max: 2 * ATTEMPTS }),
    fault: fc.constantFrom('none', 'failed', 'made and unanswered'),
  }),
  { minLength: 1, maxLength: 12, size: 'max' },
);

function disturbed(given: readonly { readonly commits: number; readonly fault: string }[]): Interruption {
  const each = given.flatMap(({ commits, fault }) => Array.from({ length: commits }, () => fault));
  return {
    async onCommit(n, _unit, commit) {
      const fault = each[n - 1] ?? 'none';
      if (fault !== 'failed') await commit();
      if (fault !== 'none') throw new StorageError(`the ${n}th commit was ${fault}`);
    },
  };
}

describe('a run whose store fails again and again, is given up on and comes back', () => {
  it.each(STORIES)('comes to the same end: $name', async (story) => {
    const undisturbed = await perform(story, memoryBackend(), never, null);
    let gaveUp = 0;
    await fc.assert(
      fc.asyncProperty(
        faults,
        fc.constantFrom('by the same engine' as const, 'by a new engine' as const),
        async (given, resumed) => {
          const performance = await perform(story, memoryBackend(), disturbed(given), resumed);
          expect(performance.end).toEqual(undisturbed.end);
          expect(performance.witness.objections(undisturbed.witness)).toEqual([]);
          gaveUp += performance.gaveUp;
        },
      ),
      { numRuns: 60 },
    );
    expect(gaveUp).toBeGreaterThan(10);
  });
});
