import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVERYTHING, generatedCases, interleavings } from './generated-cases.js';
import { recorded } from './recording.js';

const ENDS = ['SUCCESS', 'REVERTED', 'FAILURE'];

describe('whatever the flow, whatever fails', () => {
  it('the serial engine keeps the invariants, and stores all it knows', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
        expect((await recorded(test)).wrong).toEqual([]);
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  it('so does the parallel engine, in whatever order tasks end', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), interleavings, async (test, interleaving) => {
        expect((await recorded(test, { engine: 'parallel', interleaving })).wrong).toEqual([]);
      }),
      { numRuns: 600 },
    );
  }, 60_000);

  it('a run that nobody suspends leaves nothing ready, and comes to an end', async () => {
    await fc.assert(
      fc.asyncProperty(
        generatedCases({ ...EVERYTHING, deciders: false }),
        interleavings,
        async (test, interleaving) => {
          for (const engine of ['serial', 'parallel'] as const) {
            const { run } = await recorded(test, { engine, interleaving });
            expect(run.flowState).toBeOneOf(ENDS);
          }
        },
      ),
      { numRuns: 150 },
    );
  }, 60_000);

  it('also where deciders turn atoms down', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
        expect((await recorded(test)).run.flowState).toBeOneOf(ENDS);
      }),
      { numRuns: 400 },
    );
  }, 60_000);
});
