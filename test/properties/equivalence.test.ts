import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, member } from '../conformance/json.js';
import { EVERYTHING, generatedCases, interleavings } from './generated-cases.js';
import { recorded } from './recording.js';

/** The state of each atom, by name. */
function statesIn(atoms: unknown): Record<string, unknown> {
  if (!isObject(atoms)) return {};
  return Object.fromEntries(
    Object.entries(atoms).map(([name, atom]) => [name, isObject(atom) ? member(atom, 'state') : atom]),
  );
}

describe('the same flow', () => {
  it('is run the same by the compiled charts and by XState itself', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
        const compiled = await recorded(test);
        const native = await recorded(test, { interpreter: 'native' });
        expect(native.run).toEqual(compiled.run);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('C3b: is run the same with a commit each round and with one for each change', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
        const round = await recorded(test);
        const change = await recorded(test, { checkpoint: 'change' });
        expect(change.run).toEqual(round.run);
      }),
      { numRuns: 150 },
    );
  }, 60_000);

  it('comes to the same states and results in parallel, where nothing fails and nothing is turned down', async () => {
    const peaceful = generatedCases({ failures: 'none', revertFailures: false, retries: true, deciders: false });
    await fc.assert(
      fc.asyncProperty(peaceful, interleavings, async (test, interleaving) => {
        const { run: serial } = await recorded(test);
        const { run: parallel } = await recorded(test, { engine: 'parallel', interleaving });
        expect({ ...parallel, trace: [] }).toEqual({ ...serial, trace: [] });
        expect(serial.flowState).toBe('SUCCESS');
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it('comes to the same failure in parallel, where one task fails: all that ran is undone', async () => {
    const oneFailure = generatedCases({ failures: 'one', revertFailures: false, retries: false, deciders: false });
    await fc.assert(
      fc.asyncProperty(oneFailure, interleavings, async (test, interleaving) => {
        const { run: serial } = await recorded(test);
        const { run: parallel } = await recorded(test, { engine: 'parallel', interleaving });
        expect(parallel.flowState).toBe(serial.flowState);
        expect(parallel.end).toEqual(serial.end);
        expect(parallel.executeFailures).toEqual(serial.executeFailures);
        expect(parallel.revertFailures).toEqual({});
        // How far the others had come when it failed depends on the order.
        for (const states of [statesIn(serial.atoms), statesIn(parallel.atoms)]) {
          const allowed = serial.flowState === 'SUCCESS' ? ['SUCCESS'] : ['PENDING', 'REVERTED'];
          for (const state of Object.values(states)) expect(state).toBeOneOf(allowed);
        }
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
