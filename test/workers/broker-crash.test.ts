import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { WorkerExecutor } from '../../src/index.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { until } from '../../src/testing/transport-suite/suite.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import { OwnRedis } from '../servers/redis.js';
import type { ServerKind } from '../servers/server.js';
import { describeWithServer } from '../servers/server.js';
import { FaultWorld, TIMES } from './fault-world.js';
import { step } from './programs/steps.js';

const ownRedis: ServerKind = {
  name: 'a Redis of its own',
  hint: 'apt install redis-server',
  find: () => OwnRedis.start(),
};

await describeWithServer(ownRedis, () => {
  let compiled: CompiledSources;
  let server: OwnRedis;
  let world: FaultWorld;
  beforeAll(() => {
    compiled = compileSources();
  });
  afterAll(() => compiled[Symbol.dispose]());
  beforeEach(async () => {
    const started = await OwnRedis.start();
    if (started === null) throw new Error('Redis did not start');
    server = started;
    world = new FaultWorld(compiled, { url: server.url, transportOptions: { leaseMs: TIMES.leaseMs } });
  });
  afterEach(async () => {
    await world.close();
    await server.stop();
  });

  it('a broker that is killed while a task runs, and started again, loses and repeats nothing', async () => {
    await world.worker();
    const flow = linear('steps').addAll(world.steps({ gate: world.gate }).map((each) => step(each)));
    const engine = world.remember(await load(flow, world.options));
    const running = engine.run();
    await world.until('begin b');
    await server.crash();
    world.open();
    await world.until('effect b');
    await server.restart();
    expect(await running).toBe('SUCCESS');
    expect(world.lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual(
      ['a', 'b', 'c'].flatMap((name) => [`begin ${name}`, `effect ${name}`]),
    );
  });

  it('a broker that is killed with requests that nobody has taken gives them out when it is back', async () => {
    const flow = linear('steps').addAll(world.steps().map((each) => step(each)));
    const first = await world.worker();
    const { engine: _, ...options } = world.options;
    const executor = new WorkerExecutor(options);
    expect(await executor.waitForWorkers(1, 10_000)).toBe(0);
    const engine = world.remember(await load(flow, { engine: 'workers', executor }));
    first.kill('SIGSTOP');
    const running = engine.run();
    await until(() => engine.why().some(({ waitsFor }) => waitsFor === 'running'));
    await server.crash();
    first.kill('SIGKILL');
    await server.restart();
    await world.worker();
    expect(await running).toBe('SUCCESS');
    expect(world.count('effect a')).toBe(1);
    await executor.close();
  });
});
