import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { checkCrashes } from '../conformance/crash.js';
import type { CaseNode, FlowNode, TaskNode } from '../conformance/case.js';
import { caseOf, EVERYTHING, generatedCases } from './generated-cases.js';

const failure = (name: string) => ({ raise: { type: 'RuntimeError' as const, message: `${name} failed` } });

function works(name: string): TaskNode {
  return { type: 'task', name, provides: name, execute: [{ return: name }], revert: [{ return: `${name} undone` }] };
}

/** Fails as often, from its first execution. */
function fails(name: string, times: number): TaskNode {
  const failing = Array.from({ length: times }, () => failure(name));
  return { ...works(name), execute: [...failing, { return: name }] };
}

function flow(name: string, children: readonly CaseNode[], more: Partial<FlowNode> = {}): FlowNode {
  return { type: 'flow', pattern: 'linear', name, children, ...more };
}

const again = (name: string, attempts: number) => ({ retry: { kind: 'Times' as const, name, attempts } });
const unordered = { pattern: 'unordered' as const };

const FLOWS: [string, FlowNode][] = [
  ['a chain', flow('f', [works('a'), works('b'), works('c')])],
  ['a chain that is undone', flow('f', [works('a'), works('b'), fails('c', 9)])],
  [
    'tasks side by side, one of which fails',
    flow('f', [works('a'), flow('u', [works('b'), fails('c', 9), works('d')], unordered)]),
  ],
  ['a flow that is tried three times', flow('f', [works('a'), fails('b', 2)], again('r', 3))],
  ['a flow that is given up', flow('f', [works('z'), flow('g', [works('a'), fails('b', 9)], again('r', 2))])],
  [
    'retries in retries',
    flow('f', [works('a'), flow('g', [fails('b', 3), works('c')], again('inner', 2))], again('outer', 3)),
  ],
  ['a revert that fails', flow('f', [{ ...works('a'), revert: [failure('revert of a')] }, fails('b', 9)])],
  [
    'a decider that says no',
    flow('f', [works('a'), works('b'), works('c')], {
      pattern: 'graph',
      links: [
        { from: 'a', to: 'b', decider: { kind: 'const', value: false }, deciderDepth: 'ATOM' },
        { from: 'b', to: 'c' },
      ],
    }),
  ],
];

describe('C6: a process that dies at any commit, made or not', () => {
  it.each(FLOWS)('of %s', async (_, root) => {
    for (const engine of ['serial', 'parallel'] as const) {
      for (const interpreter of ['compiled', 'native'] as const) {
        const report = await checkCrashes(caseOf(root), {
          engine,
          interpreter,
          openBackend: async () => memoryBackend(),
        });
        expect(report.reasons).toEqual([]);
        expect(report.resumed).toBe(report.points);
        expect(report.points).toBeGreaterThanOrEqual(8);
      }
    }
  });

  it.each([
    ['serial', 40],
    ['parallel', 20],
  ] as const)(
    'leaves what another %s engine brings to the same end, executing again only what was under way',
    async (engine, numRuns) => {
      let points = 0;
      await fc.assert(
        fc.asyncProperty(generatedCases(EVERYTHING), async (test) => {
          const report = await checkCrashes(test, {
            engine,
            interpreter: 'compiled',
            openBackend: async () => memoryBackend(),
          });
          points += report.points;
          expect(report.reasons).toEqual([]);
        }),
        { numRuns },
      );
      expect(points).toBeGreaterThan(numRuns);
    },
    60_000,
  );
});
