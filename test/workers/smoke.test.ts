import { afterEach, describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { WorkerExecutor } from '../../src/workers/client/worker-executor.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { Worker } from '../../src/workers/worker/worker.js';

describe('smoke', () => {
  it('runs', async () => {
    const broker = new MemoryBroker();
    const a = task({ name: 'a', provides: 'x', execute: () => 1 });
    const b = task({ name: 'b', requires: ['x'], provides: 'y', execute: ({ x }: any) => x + 1 });
    const c = task({
      name: 'c',
      requires: ['y'],
      execute: () => {
        throw new Error('woot');
      },
    });
    const worker = new Worker({
      transport: 'memory',
      transportOptions: { broker },
      topic: 't',
      tasks: [a, b, c],
      log: console.log,
    });
    const running = worker.run();
    const executor = new WorkerExecutor({ transport: 'memory', transportOptions: { broker }, log: console.log });
    const engine = await load(linear('f').add(a, b), { engine: 'parallel', executor });
    console.log(await engine.run(), engine.storage.fetchAll());
    await engine.close();
    const second = await load(linear('f').add(a, b, c), { engine: 'parallel', executor });
    await second.run().catch((e) => console.log('E', e));
    console.log(second.storage.getFlowState());
    await executor.close();
    await worker.stop();
    await running;
    console.log(executor.statistics, worker.statistics, broker.links);
  });
});
