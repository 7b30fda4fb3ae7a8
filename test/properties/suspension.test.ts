import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';
import { recorded } from './recording.js';

// A decider that changes its mind is asked again by the next run; a revert that failed is tried again (D6).
const steady = generatedCases({ ...EVERYTHING, deciders: false, revertFailures: false });
const places = fc.record({
  state: fc.constantFrom('RESUMING', 'SCHEDULING', 'WAITING', 'ANALYZING'),
  nth: fc.integer({ min: 1, max: 8 }),
});

describe('a run that is suspended anywhere', () => {
  it.each(['the same engine', 'another engine'])(
    'is brought to the same end by %s',
    async (who) => {
      let suspended = 0;
      await fc.assert(
        fc.asyncProperty(steady, places, async (test, suspendAt) => {
          const next = who === 'another engine' ? { engine: 'new' as const } : {};
          const interrupted = { ...test, runs: [{ suspendAt }, next] } as ConformanceCase;
          const whole = await recorded(test);
          const { run, states } = await recorded(interrupted);
          if (states[0] !== 'SUSPENDED') return;
          suspended += 1;
          expect(run.flowState).toBe(whole.run.flowState);
          expect(run.atoms).toEqual(whole.run.atoms);
          expect(run.fetchAll).toEqual(whole.run.fetchAll);
          expect(run.executeFailures).toEqual(whole.run.executeFailures);
        }),
        { numRuns: 250 },
      );
      expect(suspended).toBeGreaterThan(30);
    },
    60_000,
  );
});
