import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Compilation, PlanNode } from '../../src/compiler/compilation.js';
import { isAtom } from '../../src/compiler/compilation.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { Readiness } from '../../src/engines/readiness.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

function engineFor(test: ConformanceCase): Promise<Engine> {
  const stage = { isDead: false, trace: () => undefined, suspend: () => undefined };
  const { root } = buildFlow(test.flow, behavioursOf(test.flow, new CallCounts(), stage));
  return load(root, { deferReverts: test.engine.deferReverts });
}

/** All nodes that can be come to, by looking at each edge again. */
function reachable(compilation: Compilation, from: PlanNode, direction: 'successors' | 'predecessors'): PlanNode[] {
  const seen = new Set<PlanNode>();
  const pending = compilation[direction](from);
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    pending.push(...compilation[direction](node));
  }
  return [...seen].filter(isAtom);
}

/** What TaskFlow's selector would find, by going through the whole graph for each atom. */
function naively(engine: Engine, compilation: Compilation, node: PlanNode): { execute: boolean; revert: boolean } {
  const { storage } = engine;
  const state = storage.getAtomState(node.name);
  const intention = storage.getAtomIntention(node.name);
  const isDone = ({ name }: PlanNode) =>
    ['SUCCESS', 'IGNORE'].includes(String(storage.getAtomState(name))) &&
    ['EXECUTE', 'IGNORE'].includes(storage.getAtomIntention(name));
  const isUndone = ({ name }: PlanNode) =>
    ['PENDING', 'REVERTED', 'IGNORE'].includes(String(storage.getAtomState(name)));
  return {
    execute:
      (state === 'PENDING' || state === 'RETRYING') &&
      intention === 'EXECUTE' &&
      reachable(compilation, node, 'predecessors').every(isDone),
    revert:
      (state === 'SUCCESS' || state === 'FAILURE') &&
      (intention === 'REVERT' || intention === 'RETRY') &&
      reachable(compilation, node, 'successors').every(isUndone),
  };
}

afterEach(() => vi.restoreAllMocks());

describe('what may run', () => {
  it('is known at every change exactly as if it were looked for in the whole graph', async () => {
    // The engine keeps its own to itself.
    const rebuild = vi.spyOn(Readiness.prototype, 'rebuild');
    let comparisons = 0;
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
        const engine = await engineFor(test);
        engine.compile();
        const wrong: string[] = [];
        const compare = (event: string) => {
          const { compilation } = engine;
          const readiness = rebuild.mock.contexts.at(-1);
          if (compilation === null || !(readiness instanceof Readiness)) return;
          for (const node of compilation.atoms) {
            const expected = naively(engine, compilation, node);
            const known = { execute: readiness.canExecute(node.index), revert: readiness.canRevert(node.index, false) };
            comparisons += 1;
            for (const what of ['execute', 'revert'] as const) {
              if (known[what] !== expected[what]) wrong.push(`${event}: ${what} ${node.name} is ${known[what]}`);
            }
          }
        };
        engine.notifier.register('*', (event) => compare(`flow ${event}`));
        engine.atomNotifier.register('*', (event, details) => compare(`${JSON.stringify(details)} ${event}`));
        await engine.run().catch(() => undefined);
        compare('the end');
        expect(wrong).toEqual([]);
        expect(engine.statistics.listenerErrors).toBe(0);
      }),
      { numRuns: 200 },
    );
    expect(comparisons).toBeGreaterThan(1000);
  }, 60_000);

  it('is looked for at most twice at each node and edge in a run without failures', async () => {
    const peaceful = generatedCases({ failures: 'none', revertFailures: false, retries: true, deciders: false });
    await fc.assert(
      fc.asyncProperty(peaceful, async (test) => {
        const engine = await engineFor(test);
        await engine.run();
        const { nodes, edges } = engine.compilation ?? { nodes: [], edges: [] };
        expect(engine.statistics.readinessChecks).toBeLessThanOrEqual(2 * (nodes.length + edges.length));
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
