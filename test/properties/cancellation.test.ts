import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCancelled } from '../../src/engines/cancellation.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

function engineFor(test: ConformanceCase, options: LoadOptions): Promise<Engine> {
  const pause = () => new Promise<void>((resolve) => void setImmediate(resolve));
  const stage = { isDead: false, trace: () => undefined, suspend: () => undefined, pause };
  const { root } = buildFlow(test.flow, behavioursOf(test.flow, new CallCounts(), stage));
  return load(root, { ...options, deferReverts: test.engine.deferReverts });
}

const statesOf = ({ storage }: Engine) => new Set(storage.atomNames().map((name) => storage.getAtomState(name)));

/** Everything that ran is undone. */
function expectUndone(engine: Engine): void {
  expect(engine.storage.getFlowState()).toBe('REVERTED');
  for (const state of statesOf(engine)) expect(['PENDING', 'REVERTED', 'IGNORE']).toContain(state);
}

const ENGINES: [name: string, options: LoadOptions][] = [
  ['serial', { engine: 'serial' }],
  ['serial, checkpoint change', { engine: 'serial', checkpoint: 'change' }],
  ['parallel', { engine: 'parallel' }],
  ['parallel with two workers', { engine: 'parallel', maxWorkers: 2 }],
];

describe.each(ENGINES)('a run that is cancelled anywhere, in an engine that is %s', (_, options) => {
  const cases = generatedCases({ ...EVERYTHING, revertFailures: false });

  it('is undone, whoever takes it up after any of its commits', async () => {
    let cancelled = 0;
    let snapshotsTaken = 0;
    await fc.assert(
      fc.asyncProperty(cases, fc.integer({ min: 1, max: 40 }), fc.nat(), async (test, at, pick) => {
        const engine = await engineFor(test, options);
        const snapshots: FlowDetail[] = [];
        const { ledger } = engine.storage;
        const before = ledger.onCommitted;
        ledger.onCommitted = () => {
          before?.();
          if (isCancelled(engine.storage)) snapshots.push(engine.storage.flowDetail());
        };
        let changes = 0;
        const endings: Promise<string>[] = [];
        engine.atomNotifier.register('*', () => {
          changes += 1;
          if (changes === at) endings.push(engine.cancel());
        });
        await engine.run().catch(() => undefined);
        if (endings.length === 0) return;
        cancelled += 1;
        expect(await Promise.all(endings)).toEqual(['REVERTED']);
        expectUndone(engine);

        const snapshot = snapshots[pick % Math.max(1, snapshots.length)];
        if (snapshot === undefined || snapshot.state === 'REVERTED') return;
        snapshotsTaken += 1;
        const next = await load(engine.flow, { ...options, flowDetail: snapshot });
        await next.run().catch(() => undefined);
        expectUndone(next);
      }),
      { numRuns: 200 },
    );
    expect(cancelled).toBeGreaterThan(60);
    expect(snapshotsTaken).toBeGreaterThan(40);
  }, 120_000);
});
