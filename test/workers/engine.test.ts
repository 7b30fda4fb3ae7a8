import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { asyncExecutor, engines, linear, task, typed, WorkerExecutor } from '../../src/index.js';
import type { Engine, LoadOptions } from '../../src/index.js';
import { runMailbox } from '../../src/workers/protocol/codec.js';
import { transport } from '../../src/workers/transport-registry.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { Worker } from '../../src/workers/worker/worker.js';

/* The engine `workers` as its users have it, over a broker in memory. */

const one = task({ name: 'one', provides: 'x', execute: () => 1 });
const more = task({ name: 'more', requires: { x: typed<number>() }, provides: 'y', execute: ({ x }) => x + 1 });

let broker: MemoryBroker;
let worker: Worker;
beforeEach(async () => {
  broker = new MemoryBroker();
  worker = new Worker({ ...place(), topic: 'topic', tasks: [one, more] });
  void worker.run();
  await worker.waitUntilReady();
});
afterEach(async () => {
  await worker.stop();
  expect(broker.links).toBe(0);
});

const place = () => ({ transport: 'memory', transportOptions: { broker } });
const flow = () => linear('f').add(one, more);

describe.each(['workers', 'worker-based'] as const)('the engine %s', (engine) => {
  it('runs a flow on workers, and closes its connection with itself', async () => {
    expect(await engines.run(flow(), { engine, ...place() })).toEqual({ x: 1, y: 2 });
  });
});

describe('the engine workers', () => {
  it('shares an executor with others, which run at the same time, and leaves it open', async () => {
    const executor = new WorkerExecutor(place());
    const loaded = await Promise.all([1, 2, 3].map(() => engines.load(flow(), { engine: 'workers', executor })));
    expect(await Promise.all(loaded.map((each) => each.run()))).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS']);
    await Promise.all(loaded.map((each) => each.close()));
    const again = await engines.load(flow(), { engine: 'workers', executor });
    expect(await again.run()).toBe('SUCCESS');
    await again.close();
    await executor.close();
  });

  it('acknowledges a result when it is in the store, and not before', async () => {
    const order: string[] = [];
    broker.intercept(({ kind, message }) => {
      if (kind === 'ack' && message.properties.type === 'RESPONSE') order.push('ack');
      return undefined;
    });
    const engine = await engines.load(flow(), { engine: 'workers', ...place(), backend: 'memory' });
    engine.atomNotifier.register('SUCCESS', () => order.push('known'));
    engine.atomNotifier.register('SUCCESS', () => order.push('durable'), { durable: true });
    await engine.run();
    await engine.close();
    expect(order).toEqual(['known', 'durable', 'ack', 'known', 'durable', 'ack']);
  });

  describe('removes the mailbox of a run', () => {
    const undone = task({ name: 'one', provides: 'x', execute: () => 1, revert: () => undefined });
    const failing = task({
      name: 'more',
      execute: () => {
        throw new Error('declined');
      },
    });

    async function stays(engine: Engine): Promise<boolean> {
      await engine.close();
      const link = await (await transport(place())).open();
      const isThere = await link.post(runMailbox(engine.storage.flowUuid), {
        properties: { type: 'RESPONSE' },
        body: Buffer.from('late'),
      });
      await link.close();
      return isThere;
    }

    it.each([
      ['SUCCESS', [one, more]],
      ['REVERTED', [undone, failing]],
    ])('that has ended %s, whatever comes after that', async (state, tasks) => {
      const other = new Worker({ ...place(), topic: 'other', tasks: [...tasks] });
      void other.run();
      await other.waitUntilReady();
      broker.intercept(({ kind }) => (kind === 'post' ? 'duplicate' : undefined));
      const engine = await engines.load(linear('f').addAll(tasks), {
        engine: 'workers',
        ...place(),
        topics: ['other'],
      });
      await engine.run().catch(() => undefined);
      expect(engine.storage.getFlowState()).toBe(state);
      expect(await stays(engine)).toBe(false);
      await other.stop();
    });

    it('and makes another when it is run again', async () => {
      const engine = await engines.load(flow(), { engine: 'workers', ...place() });
      for (let time = 0; time < 2; time++) {
        expect(await engine.run()).toBe('SUCCESS');
        await engine.reset();
      }
      expect(await stays(engine)).toBe(false);
    });

    it('and not of one that is suspended', async () => {
      const engine = await engines.load(flow(), { engine: 'workers', ...place() });
      engine.atomNotifier.register('SUCCESS', () => engine.suspend());
      expect(await engine.run()).toBe('SUSPENDED');
      expect(await stays(engine)).toBe(true);
    });
  });

  it.each([
    [{ engine: 'serial', topics: ['a'] }, 'topics is an option of the engine workers, got engine serial'],
    [{ engine: 'parallel', leaseMs: 5 }, 'leaseMs is an option of the engine workers, got engine parallel'],
    [{ engine: 'workers', maxWorkers: 5 }, 'maxWorkers is an option of the parallel engine and of workers'],
    [{ engine: 'workers', taskModules: ['a'] }, 'taskModules is an option of the executors'],
    [
      { engine: 'workers', transitionTimeout: 5 },
      'There is no engine option "transitionTimeout"; did you mean transitionTimeoutMs?',
    ],
    [{ engine: 'workers' }, 'A transport takes a url, or one of the names'],
    [{ engine: 'workers', transport: 'pigeon' }, "There is no transport named 'pigeon'"],
    [{ engine: 'workers', executor: 'async' }, 'executor of the engine workers takes a WorkerExecutor, got "async"'],
    [{ engine: 'workers', executor: asyncExecutor() }, 'takes a WorkerExecutor, got async'],
  ])('refuses %o', async (options, message) => {
    await expect(engines.load(flow(), options as LoadOptions)).rejects.toThrow(message);
  });

  it('refuses options that belong to an executor which was given', async () => {
    const executor = new WorkerExecutor(place());
    const options = { engine: 'workers', executor, topics: ['a'] } as const;
    await expect(engines.load(flow(), options)).rejects.toThrow('topics belongs to the executor, which was given');
    await executor.close();
  });
});
