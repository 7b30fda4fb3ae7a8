import { describe, expect, it } from 'vitest';
import { engines, linear, task, typed, unordered } from '../../src/index.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import type { Fate } from '../../src/workers/transports/memory/faults.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { Worker } from '../../src/workers/worker/worker.js';

/* Messages that come twice, late and in another order, drawn by seeds. */

const LONGEST_DELAY_MS = 20;

/** What becomes of one message in three, or of an answer to one. */
function fateFrom(random: () => number): Fate {
  const fates: readonly Fate[] = ['duplicate', { delayMs: Math.floor(random() * LONGEST_DELAY_MS) }];
  return random() < 0.67 ? 'deliver' : (fates[Math.floor(random() * fates.length)] ?? 'deliver');
}

const double = (name: string, from: string) =>
  task({
    name,
    requires: { [from]: typed<number>() },
    provides: `${name}.out`,
    execute: (args) => 2 * Number(Object.values(args)[0]),
  });

const first = task({ name: 'first', provides: 'first.out', execute: () => 1 });
const chain = [double('a', 'first.out'), double('b', 'a.out'), double('c', 'b.out')];
const side = [double('d', 'first.out'), double('e', 'first.out'), double('f', 'first.out')];

describe('a flow on workers whose messages come twice, late and in disorder', () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])('ends right, with each result committed once (seed %i)', async (seed) => {
    const random = seededRandom(seed);
    const broker = new MemoryBroker();
    const place = { transport: 'memory', transportOptions: { broker } } as const;
    const tasks = [first, ...chain, ...side];
    const workers = ['w1', 'w2'].map(
      (workerId) => new Worker({ ...place, topic: 'topic', tasks, workerId, heartbeatMs: 100 }),
    );
    for (const worker of workers) void worker.run();
    await Promise.all(workers.map((worker) => worker.waitUntilReady()));
    const flow = linear('f').add(first, unordered('u').add(linear('chain').addAll(chain), ...side));
    const engine = await engines.load(flow, { engine: 'workers', ...place, leaseMs: 500, maxDeliveries: 100 });
    const committed: string[] = [];
    engine.atomNotifier.register(
      'SUCCESS',
      (_, details) => {
        if ('taskName' in details) committed.push(details.taskName);
      },
      { durable: true },
    );
    broker.intercept(({ kind }) => (kind === 'announce' ? undefined : fateFrom(random)));
    expect(await engine.run()).toBe('SUCCESS');
    expect(committed.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'first']);
    expect(engine.storage.fetch('c.out')).toBe(8);
    await engine.close();
    await Promise.all(workers.map((worker) => worker.stop({ drainMs: 100 })));
  });
});
