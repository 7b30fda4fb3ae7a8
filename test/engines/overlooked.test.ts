import { describe, expect, it } from 'vitest';
import { alwaysRevertAll, forEach } from '../../src/atoms/retries.js';
import { task } from '../../src/atoms/function-task.js';
import { load } from '../../src/engines/load.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';

/*
 * TaskFlow's walks from a completed atom do not come to every atom that has become ready: not to one that they passed
 * before a decider made it ready, and not behind a retry that was ignored. A run does not end before those have run.
 */

/** `t1` can be reverted only when `t2` is, and between them is a retry that was ignored. */
function flow() {
  const inner = linear('f2', { retry: forEach({ values: [0], name: 'r2' }) }).add(
    linear('f3').add(task({ name: 't2', execute: () => 2 })),
  );
  const failing = linear('f5', { retry: alwaysRevertAll({ name: 'r5' }) }).add(
    task({
      name: 't3',
      execute: () => {
        throw new Error('t3 failed');
      },
    }),
  );
  const t1 = task({ name: 't1', execute: () => 1 });
  return graph('f1')
    .add(t1, inner, linear('f4').add(failing), task({ name: 't4', execute: () => 4 }))
    .link(t1, inner, { decider: () => false, depth: 'NEIGHBORS' });
}

describe('an atom that becomes ready when all are looked at again', () => {
  it('is run, though it stands before the one that was turned down then', async () => {
    const a = task({ name: 'a', execute: () => 1 });
    const inner = linear('s', { retry: forEach({ values: [0], name: 'r' }) }).add(
      linear('n').add(task({ name: 't', execute: () => 2 })),
    );
    const before = linear('w').add(task({ name: 'b', execute: () => 3 }));
    const outer = graph('f')
      .add(a, inner, before)
      .link(a, inner, { decider: () => false, depth: 'FLOW' })
      .link(a, before, { decider: () => false, depth: 'ATOM' })
      .link(before, inner);
    const engine = await load(outer);
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.storage.getAtomsStates(['b', 'r', 't'])).toEqual(
      new Map([
        ['b', ['IGNORE', 'IGNORE']],
        ['r', ['IGNORE', 'IGNORE']],
        ['t', ['SUCCESS', 'EXECUTE']],
      ]),
    );
  });
});

describe('an atom behind a retry that was ignored', () => {
  it('is reverted in a run that asks the decider', async () => {
    const engine = await load(flow(), { deferReverts: false });
    await expect(engine.run()).rejects.toThrow('t3 failed');
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(engine.storage.getAtomState('t1')).toBe('REVERTED');
  });

  it('is reverted in a run that takes up after the decider was asked (C6)', async () => {
    const backend = memoryBackend();
    const first = await load(flow(), { backend, deferReverts: false });
    let left: FlowDetail | undefined;
    first.atomNotifier.register(
      'RUNNING',
      () => {
        if (first.storage.getAtomState('r2') === 'IGNORE') left ??= first.storage.flowDetail();
      },
      { durable: true },
    );
    await expect(first.run()).rejects.toThrow('t3 failed');
    const second = await load(flow(), { flowDetail: left, deferReverts: false });
    await expect(second.run()).rejects.toThrow('t3 failed');
    expect(second.storage.getFlowState()).toBe('REVERTED');
    expect(second.storage.getAtomState('t1')).toBe('REVERTED');
  });
});

describe('an atom before a retry that was ignored by an earlier flow', () => {
  it('is reverted in a flow without deciders, too', async () => {
    const a = () => task({ name: 'a', execute: () => 1 });
    const inner = () =>
      linear('s', { retry: forEach({ values: [0], name: 'r' }) }).add(
        linear('n').add(task({ name: 't', execute: () => 2 })),
      );
    const failing = () =>
      task({
        name: 'u',
        execute: () => {
          throw new Error('u failed');
        },
      });
    const made = (decided: boolean) => {
      const [first, second, third] = [a(), inner(), failing()];
      const links = decided ? ({ decider: () => false, depth: 'FLOW' } as const) : {};
      return graph('f').add(first, second, third).link(first, second, links).link(second, third);
    };
    const backend = memoryBackend();
    const first = await load(made(true), { backend });
    first.atomNotifier.register('IGNORE', () => first.suspend());
    expect(await first.run()).toBe('SUSPENDED');
    const second = await load(made(false), {
      backend,
      flowDetail: first.storage.flowDetail(),
      onPlanChange: 'accept',
    });
    await expect(second.run()).rejects.toThrow('u failed');
    expect(second.storage.getFlowState()).toBe('REVERTED');
    expect(second.storage.getAtomState('a')).toBe('REVERTED');
  });
});
