import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Environment, Executor, Flow, LoadOptions, Task } from '../../src/index.js';
import { until } from '../../src/testing/transport-suite/suite.js';
import { VirtualClock } from '../../src/testing/virtual-environment.js';
import type { Pools } from './pools.js';
import { compilePools, POOLS } from './pools.js';

/* Time, cancellation and suspension where tasks run in threads and processes. */

let pools: Pools;
beforeAll(async () => {
  pools = await compilePools();
}, 60_000);
afterAll(() => pools[Symbol.dispose]());

/** Resolves when the task tells of an event, with its details. */
const heard = (task: Task, event: string) =>
  new Promise<Record<string, unknown>>((resolve) => task.notifier.register(event, (_, details) => resolve(details)));

const timerOf = (clock: VirtualClock, delayMs: number) => until(() => clock.delays.includes(delayMs));

describe.each(POOLS)('with %s', (kind) => {
  /** Runs a test with an executor whose time stands still. */
  async function using(
    options: { readonly terminateOnAbort?: boolean; readonly maxWorkers?: number },
    body: (stage: {
      readonly clock: VirtualClock;
      readonly executor: Executor;
      loaded(flow: Flow, more?: LoadOptions): ReturnType<typeof pools.flowstate.engines.load>;
    }) => Promise<void>,
  ): Promise<void> {
    const clock = new VirtualClock();
    const { systemEnvironment, workerThreadExecutor, childProcessExecutor, engines } = pools.flowstate;
    const environment: Environment = { ...systemEnvironment, clock };
    const make = kind === 'workerThreads' ? workerThreadExecutor : childProcessExecutor;
    const executor = make({ taskModules: [pools.taskModule], maxWorkers: 1, graceMs: 700, environment, ...options });
    const loaded = (flow: Flow, more: LoadOptions = {}) =>
      engines.load(flow, { engine: 'parallel', executor, environment, ...more });
    try {
      await body({ clock, executor, loaded });
    } finally {
      const closed = executor.close();
      clock.advance(10_000);
      await closed;
    }
  }

  const linear = (...tasks: Task[]) => pools.flowstate.linear('f').add(...tasks);
  const copyOf = (task: Task) => task.copy({ retainListeners: false });

  it('a task that is busy and does not listen is ended when its run is cancelled, and reverted', async () => {
    await using({ terminateOnAbort: true }, async ({ clock, loaded }) => {
      const busy = copyOf(pools.tasks.busy);
      const isBusy = heard(busy, 'busy');
      const engine = await loaded(linear(pools.tasks.where, busy));
      const running = engine.run();
      await isBusy;
      const cancelled = engine.cancel();
      await timerOf(clock, 700);
      clock.advance(699);
      expect(engine.storage.getAtomState('busy')).toBe('RUNNING');
      clock.advance(1);
      expect([await running, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
      expect(engine.storage.getAtomState('busy')).toBe('REVERTED');
      expect(engine.storage.getAtomState('where')).toBe('REVERTED');
    });
  });

  it('a task that is busy for too long has failed when it was ended, with terminateOnAbort', async () => {
    await using({ terminateOnAbort: true }, async ({ clock, loaded }) => {
      const busy = pools.tasks.busyFor(300);
      const isBusy = heard(busy, 'busy');
      const engine = await loaded(linear(busy));
      const thrown = engine.run().catch((error: unknown) => error);
      await isBusy;
      clock.advance(300);
      await timerOf(clock, 700);
      expect(engine.storage.getAtomState('busyFor')).toBe('RUNNING');
      clock.advance(700);
      expect(await thrown).toMatchObject({ name: 'TimeoutError', atom: 'busyFor', method: 'execute', limitMs: 300 });
    });
  });

  it('a task that takes too long has failed at once, without', async () => {
    await using({ maxWorkers: 2 }, async ({ clock, loaded }) => {
      const busy = pools.tasks.busyFor(300);
      const isBusy = heard(busy, 'busy');
      const engine = await loaded(linear(busy));
      const thrown = engine.run().catch((error: unknown) => error);
      await isBusy;
      clock.advance(300);
      expect(await thrown).toMatchObject({ name: 'TimeoutError', atom: 'busyFor' });
    });
  });

  it('time in which a task waits for a worker does not count', async () => {
    await using({ terminateOnAbort: true }, async ({ clock, loaded }) => {
      const first = copyOf(pools.tasks.waits);
      const isWaiting = heard(first, 'waiting');
      const second = pools.tasks.busyFor(300);
      const engine = await loaded(pools.flowstate.unordered('f').add(first, second));
      const ended = engine.run().catch(() => undefined);
      await isWaiting;
      clock.advance(5000);
      expect(engine.why().map(({ atom, waitsFor }) => [atom, waitsFor])).toEqual([
        ['waits', 'running'],
        ['busyFor', 'worker'],
      ]);
      const cancelled = engine.cancel();
      await cancelled;
      await ended;
      expect(engine.storage.getExecuteFailures().size).toBe(0);
    });
  });

  it('D1: a run that is suspended with tasks that still wait takes them up again', async () => {
    await using({}, async ({ loaded }) => {
      const names = ['p', 'q', 'r', 's'];
      const tasks = names.map((name) => pools.tasks.whereAmI(name));
      const engine = await loaded(pools.flowstate.unordered('f').add(...tasks));
      const registration = engine.atomNotifier.register('SUCCESS', () => engine.suspend());
      expect(await engine.run()).toBe('SUSPENDED');
      const states = () => names.map((name) => engine.storage.getAtomState(name));
      expect(states()).toContain('RUNNING');
      expect(states()).toContain('SUCCESS');
      registration[Symbol.dispose]();
      expect(await engine.run()).toBe('SUCCESS');
      expect(states()).toEqual(names.map(() => 'SUCCESS'));
    });
  });

  it('B4: who gives up is done again with the same key, by another engine, too', async () => {
    await using({}, async ({ loaded }) => {
      const backend = pools.flowstate.persistence.memoryBackend();
      const patient = pools.tasks.givesUp(true);
      const waiting = heard(patient, 'waiting');
      const flow = (task: Task) =>
        pools.flowstate.linear('f', { retry: pools.flowstate.times({ attempts: 2 }) }).add(task);
      const first = await loaded(flow(patient), { backend });
      const running = first.run();
      const { idempotencyKey } = await waiting;
      // As it is stored when the process ends here.
      const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
      first.suspend({ abortRunning: true });
      expect(await running).toBe('SUSPENDED');
      expect(first.storage.detail('givesUp')).toMatchObject({ state: 'RUNNING', failure: null });
      const second = await loaded(flow(pools.tasks.givesUp(false)), { flowDetail });
      expect(await second.run()).toBe('SUCCESS');
      expect(second.storage.get('givesUp')).toBe(idempotencyKey);
    });
  });
});
