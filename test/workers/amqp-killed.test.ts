import { Connection } from 'rabbitmq-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/index.js';
import { WorkerExecutor } from '../../src/index.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { until } from '../../src/testing/transport-suite/suite.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import { OwnRabbitmq, rabbitmq } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { FaultWorld } from './fault-world.js';
import { step } from './programs/steps.js';

/*
 * A RabbitMQ node of 3.10 that is killed within a second or so of making a quorum queue comes back with one that has no
 * leader, is empty, and answers nobody until it is deleted. What was in it is lost.
 */

const TIMEOUT_MS = 120_000;

let own: OwnRabbitmq | null = null;
const ownServer = { ...rabbitmq, find: async () => (own = await OwnRabbitmq.start()) };

await describeWithServer(ownServer, (url) => {
  let compiled: CompiledSources;
  let world: FaultWorld;
  beforeAll(() => {
    compiled = compileSources();
  }, TIMEOUT_MS);
  afterAll(() => compiled[Symbol.dispose]());
  beforeEach(() => {
    world = new FaultWorld(compiled, { url });
  });
  afterEach(() => world.close());

  /** The broker is killed, and there again. */
  async function kill(meanwhile: () => void): Promise<void> {
    await own?.end('SIGKILL');
    meanwhile();
    await own?.restart();
  }

  const flow = (more = {}) => linear('steps').addAll(world.steps(more).map((each) => step(each)));

  /** As whoever looks after the broker does with a queue that does not answer. */
  async function deleteQueue(): Promise<void> {
    const connection = new Connection(url);
    connection.on('error', () => undefined);
    const channel = await connection.acquire();
    await channel.queueDelete(`flowstate.${world.exchange}.queue.steps`);
    await channel.close();
    await connection.close();
  }

  /** Resolves when an atom is said to wait for something. */
  const waits = (engine: Engine, atom: string, words: RegExp) =>
    until(() => engine.why().some((each) => each.atom === atom && words.test(each.message)));

  describe('a RabbitMQ broker that is killed and starts again', { timeout: TIMEOUT_MS }, () => {
    it('while a task runs: its result is taken, and the others follow when its queue answers', async () => {
      await world.worker();
      const engine = world.remember(await load(flow({ gate: world.gate }), world.options));
      const running = engine.run();
      await world.until('begin b');
      await kill(() => world.open());
      await deleteQueue();
      expect(await running).toBe('SUCCESS');
      expect(world.count('effect b')).toBe(1);
      expect(['a', 'c'].map((name) => world.count(`effect ${name}`))).toEqual([1, 1]);
    });

    it('with a request that it has lost: it is sent again, and what it waits for is said meanwhile', async () => {
      const stopped = await world.worker();
      const { engine: _, ...options } = world.options;
      const executor = new WorkerExecutor(options);
      expect(await executor.waitForWorkers(1, 10_000)).toBe(0);
      const engine = world.remember(await load(flow(), { engine: 'workers', executor }));
      stopped.kill('SIGSTOP');
      const running = engine.run();
      await until(() => engine.why().some(({ waitsFor }) => waitsFor === 'running'));
      stopped.kill('SIGKILL');
      await stopped.ended;
      await own?.end('SIGKILL');
      await waits(engine, 'a', /the broker/);
      await own?.restart();
      await waits(engine, 'a', /a worker of the topic steps; /);
      await deleteQueue();
      await world.worker({ maxWorkers: 1 });
      expect(await running).toBe('SUCCESS');
      expect(world.count('effect a')).toBe(1);
      expect(executor.statistics.redispatches).toBeGreaterThan(0);
      await executor.close();
    });
  });
});
