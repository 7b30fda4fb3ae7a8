import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import { compile } from '../../src/compiler/compile.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { drawFlow, type DrawnFlow } from '../../visualizations/index.js';
import { visible } from '../../visualizations/text.js';
import { flowsOfCases, hostileFlows } from './case-flows.js';
import { configIn } from './exported.js';
import { machineFromScxml } from './scxml-machine.js';
import { walkFlow } from './walk.js';

const named = (name: string) => task({ name, execute: () => null });

const plans = flowsOfCases();

const fromStately = async (flow: DrawnFlow) => createMachine(await configIn(drawFlow(flow, { format: 'stately' })));
const fromScxml = (flow: DrawnFlow) => Promise.resolve(machineFromScxml(drawFlow(flow, { format: 'scxml' })));

describe.each([
  ['Stately, created anew with createMachine', fromStately, (event: string) => event],
  ['SCXML, read and created anew', fromScxml, visible],
])('a flow for %s', (_, recreated, spelled) => {
  it('can be walked in the orders that the flow allows, in all fixtures', async () => {
    for (const [at, plan] of plans.entries()) {
      walkFlow(await recreated(plan), plan, (count) => (at % 2 === 0 ? 0 : count - 1));
    }
  });

  it('can be walked in the orders that the flow allows, whatever it is made of and called', async () => {
    await fc.assert(
      fc.asyncProperty(hostileFlows, fc.infiniteStream(fc.nat()), async (plan, picks) => {
        walkFlow(await recreated(plan), plan, (count) => (picks.next().value ?? 0) % count, spelled);
      }),
      { numRuns: 100 },
    );
  });

  it('begins anew with its retry, from wherever it was', async () => {
    const flow = linear('f').add(
      named('a'),
      linear('g', { retry: times({ name: 'r' }) }).add(named('b'), named('c')),
      named('d'),
    );
    const actor = createActor(await recreated(flow)).start();
    const running = () =>
      ['a', 'b', 'c', 'd', 'r'].filter((name) => actor.getSnapshot().can({ type: `${name} succeeded` }));
    for (const type of ['a succeeded', 'r succeeded', 'b succeeded', 'c failed']) actor.send({ type });
    expect(running()).toEqual([]);
    actor.send({ type: 'r retries' });
    expect(running()).toEqual(['r']);
    for (const type of ['r succeeded', 'b succeeded', 'c succeeded']) actor.send({ type });
    expect(running()).toEqual(['d']);
    actor.send({ type: 'd failed' });
    expect(actor.getSnapshot().status).toBe('active');
  });

  it('lets a decider turn down what its link leads to, atom or flow', async () => {
    const [a, b, g] = [named('a'), named('b'), unordered('g').add(named('c'), named('d'))];
    const flow = graph('f')
      .addAll([a, b, g])
      .link(a, b, { decider: () => false })
      .link(b, g, { decider: () => false });
    const actor = createActor(await recreated(flow)).start();
    const can = (type: string) => actor.getSnapshot().can({ type });
    expect([can('a ignored'), can('b ignored'), can('g ignored')]).toEqual([false, true, true]);
    actor.send({ type: 'a succeeded' });
    expect(can('b ignored')).toBe(false);
    const other = createActor(await recreated(flow)).start();
    for (const type of ['g ignored', 'b ignored']) other.send({ type });
    expect(other.getSnapshot().status).toBe('active');
    other.send({ type: 'a succeeded' });
    expect(other.getSnapshot().status).toBe('done');
  });

  it('can be a single task, and a flow with nothing in it', async () => {
    for (const item of [named('alone'), linear('empty'), unordered('n0'), graph('outer').add(unordered('empty'))]) {
      const plan = compile(item);
      walkFlow(await recreated(plan), plan, () => 0);
    }
  });
});

describe('a flow for Stately', () => {
  it('says the states that atoms are in, and what goes along links', async () => {
    const flow = graph('f').add(
      task({ name: 'a', provides: ['x', 'y'], execute: () => [1, 2] }),
      task({ name: 'b', requires: ['y', 'x'], execute: () => null }),
    );
    const states = { state: 'RUNNING', atoms: [{ name: 'a', state: 'SUCCESS' }] } as const;
    const config = await configIn(drawFlow(flow, { format: 'stately', states }));
    expect(config).toMatchObject({
      id: 'f',
      description: 'RUNNING',
      states: {
        children: {
          states: {
            a: { description: 'SUCCESS', initial: 'RUNNING' },
            b: { description: 'PENDING', states: { PENDING: { states: { a: { description: 'y, x' } } } } },
          },
        },
      },
    });
  });
});
