import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AtomNode, Compilation, PlanNode } from '../../src/compiler/compilation.js';
import { isAtom } from '../../src/compiler/compilation.js';
import { isCancelled } from '../../src/engines/cancellation.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import type { WaitReason, WaitsFor } from '../../src/engines/why.js';
import { virtualEnvironment } from '../../src/testing/virtual-environment.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

const ENDED = ['SUCCESS', 'FAILURE', 'REVERTED'];
const NEVER_DONE_FIRST: readonly WaitsFor[] = ['result', 'decider', 'predecessor'];

function reachable(compilation: Compilation, from: PlanNode, side: 'successors' | 'predecessors'): AtomNode[] {
  const seen = new Set<PlanNode>();
  const pending = [...compilation[side](from)];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    pending.push(...compilation[side](node));
  }
  return [...seen].filter(isAtom);
}

/** What is wrong with the reasons, by a look at states, intentions and the whole graph. */
function mistakes(engine: Engine): string[] {
  const { compilation, storage } = engine;
  if (compilation === null) return ['nothing is compiled'];
  const state = storage.getFlowState();
  const reasons = engine.why();
  if (ENDED.includes(state)) return reasons.length === 0 ? [] : [`reasons in ${state}`];
  if (reasons.length === 0) return [`no reason in ${state}`];

  const wrong: string[] = [];
  const isDone = ({ name }: PlanNode) =>
    ['SUCCESS', 'IGNORE'].includes(storage.find(name)?.state ?? '') &&
    ['EXECUTE', 'IGNORE'].includes(storage.find(name)?.intention ?? '');
  const isUndone = ({ name }: PlanNode) =>
    ['PENDING', 'REVERTED', 'IGNORE'].includes(storage.find(name)?.state ?? 'PENDING');
  const byName = new Map(compilation.atoms.map((node) => [node.name, node]));
  const named = reasons.filter((reason): reason is WaitReason & { atom: string } => reason.atom !== null);
  if (new Set(named.map(({ atom }) => atom)).size !== named.length) wrong.push('an atom has two reasons');
  if (named.length < reasons.length && named.length > 0) wrong.push('the flow waits for itself beside its atoms');

  for (const reason of named) {
    const node = byName.get(reason.atom);
    const say = (what: string) => wrong.push(`${state}: ${JSON.stringify(reason)}: ${what}`);
    if (node === undefined) {
      say('there is no such atom');
      continue;
    }
    const { state: own, intention } = storage.find(node.name) ?? { state: 'PENDING', intention: 'EXECUTE' };
    const others = reason.of.map((name) => byName.get(name));
    const all = (side: 'successors' | 'predecessors', test: (other: PlanNode) => boolean) => {
      const around = reachable(compilation, node, side);
      return others.length > 0 && others.every((other) => other !== undefined && around.includes(other) && test(other));
    };
    if (isDone(node) && !isCancelled(storage)) say('it is done');
    if (NEVER_DONE_FIRST.includes(reason.waitsFor)) {
      if (!all('predecessors', (other) => !isDone(other))) say('of others than those before it');
    }
    switch (reason.waitsFor) {
      case 'result': {
        const needed = [...node.item.executeMapping.bindings.values()];
        if (!others.some((other) => needed.some((symbol) => other?.item.provides.has(symbol))))
          say('nothing is needed');
        break;
      }
      case 'successors':
        if (!all('successors', (other) => !isUndone(other))) say('of others than those after it');
        break;
      case 'round':
        if (own === 'RUNNING' || own === 'REVERTING' || (own === 'FAILURE' && intention === 'EXECUTE')) break;
        if (intention === 'EXECUTE' && !reachable(compilation, node, 'predecessors').every(isDone)) say('not ready');
        if (intention !== 'EXECUTE' && !reachable(compilation, node, 'successors').every(isUndone)) say('not cleared');
        break;
      case 'delay':
        if (intention !== 'RETRY' || reason.until === undefined) say('nothing is delayed');
        break;
      case 'retry':
        if (others.length !== 1 || storage.find(reason.of[0] ?? '')?.intention !== 'RETRY') say('of no retry');
        break;
      case 'running':
      case 'worker':
        if (own !== 'RUNNING' && own !== 'REVERTING') say('it is not under way');
        break;
      case 'suspended':
        if (!state.startsWith('SUSPEND')) say('nothing is suspended');
        break;
      case 'start':
        if (state !== 'PENDING') say('it has begun');
        break;
      case 'undo':
        if (!isCancelled(storage)) say('nobody cancelled it');
        break;
      case 'predecessor':
      case 'decider':
      case 'end':
        break;
    }
  }

  const isToBeRetried = (node: PlanNode) =>
    reachable(compilation, node, 'predecessors').some(({ name }) => storage.find(name)?.intention === 'RETRY');
  for (const node of compilation.atoms) {
    const { name } = node;
    const { state: own, intention } = storage.find(name) ?? { state: 'PENDING', intention: 'EXECUTE' };
    const isWaiting =
      own === 'RUNNING' ||
      own === 'REVERTING' ||
      intention === 'RETRY' ||
      (intention === 'EXECUTE' && (own === 'PENDING' || own === 'RETRYING')) ||
      (intention === 'REVERT' && (own === 'SUCCESS' || own === 'FAILURE')) ||
      (isUndone(node) && intention === 'REVERT' && isToBeRetried(node));
    if (isWaiting && !named.some(({ atom }) => atom === name)) wrong.push(`${state}: no reason for ${name}, ${own}`);
  }
  return wrong;
}

const ENGINES: [name: string, options: LoadOptions][] = [
  ['serial', { engine: 'serial' }],
  ['parallel', { engine: 'parallel' }],
  ['parallel with two workers', { engine: 'parallel', maxWorkers: 2 }],
];

describe.each(ENGINES)('why a run waits, in a %s engine', (_, options) => {
  it('is known in every state that is not final, for every atom, and right', async () => {
    const met = new Set<WaitsFor>();
    const interruptions = fc.record({ suspendAt: fc.nat(20), cancelAt: fc.nat(60), delay: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), interruptions, async (test: ConformanceCase, interruption) => {
        const pause = () => new Promise<void>((resolve) => void setImmediate(resolve));
        const stage = { isDead: false, trace: () => undefined, suspend: () => undefined, pause };
        const { root } = buildFlow(test.flow, behavioursOf(test.flow, new CallCounts(), stage));
        const environment = virtualEnvironment({ advancesByItself: true });
        const engine = await load(root, { ...options, deferReverts: test.engine.deferReverts, environment });
        const wrong: string[] = [];
        const ask = () => {
          const found = mistakes(engine);
          wrong.push(...found);
          for (const { waitsFor } of engine.why()) met.add(waitsFor);
        };
        engine.compile();
        ask();
        if (interruption.delay) {
          for (const { item } of engine.compilation?.atoms ?? []) {
            if (item.kind === 'retry') Reflect.set(item, 'delay', 1000);
          }
        }
        engine.notifier.register('*', ask);
        engine.atomNotifier.register('*', ask);
        let stages = 0;
        for (let run = 0; run < 3 && !ENDED.includes(engine.storage.getFlowState()); run++) {
          try {
            for await (const _stage of engine.runIter()) {
              ask();
              stages += 1;
              if (stages === interruption.suspendAt) engine.suspend();
              if (stages === interruption.cancelAt) void engine.cancel().catch(() => undefined);
              const asking = setImmediate(ask);
              asking.unref();
            }
          } catch {
            // What failed is none of our business here.
          }
          ask();
        }
        expect(wrong).toEqual([]);
        expect(engine.statistics.listenerErrors).toBe(0);
      }),
      { numRuns: 150 },
    );
    expect([...met].toSorted()).toEqual(
      [
        ...['start', 'suspended', 'round', 'running', 'result', 'decider', 'predecessor', 'successors'],
        ...['retry', 'delay', 'undo', 'end'],
        ...(options.engine === 'serial' || options.maxWorkers === 2 ? ['worker'] : []),
      ].toSorted(),
    );
  }, 120_000);
});
