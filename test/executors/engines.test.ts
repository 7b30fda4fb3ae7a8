import { mkdtempSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Executor, Flow, LoadOptions, Task } from '../../src/index.js';
import type { Script } from './fixtures/tasks.js';
import type { Pools } from './pools.js';
import { compilePools } from './pools.js';
import type { WorkerProcess } from '../workers/worker-process.js';
import { startWorker } from '../workers/worker-process.js';

/* What every engine does, wherever its tasks are run: the suite that TaskFlow runs on each kind of engine. */

let pools: Pools;
beforeAll(async () => {
  pools = await compilePools();
}, 60_000);
afterAll(() => pools[Symbol.dispose]());

let folder: string;
let ledger: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowstate-engines-'));
  ledger = join(folder, 'ledger.txt');
});
afterEach(() => rmSync(folder, { recursive: true }));

const lines = () => (existsSync(ledger) ? readFileSync(ledger, 'utf8').split('\n').filter(Boolean) : []);
const calls = () => lines().map((line) => line.split(' ').slice(0, 2).join(' '));

/** A task that does what the script says, and writes down its calls. */
function does(name: string, script: Omit<Script, 'name' | 'ledger'> = {}): Task {
  return pools.tasks.scripted({ ...script, name, ledger });
}

describe.each(['serial', 'async', 'workerThreads', 'childProcess', 'workers'] as const)('tasks on %s', (kind) => {
  /** One for all tests: an engine leaves it as it was. */
  let executor: Executor | null = null;
  let worker: WorkerProcess | null = null;
  let queues: string | null = null;
  beforeAll(async () => {
    const { asyncExecutor, workerThreadExecutor, childProcessExecutor } = pools.flowstate;
    const options = { taskModules: [pools.taskModule], maxWorkers: 2 };
    if (kind === 'async') executor = asyncExecutor();
    if (kind === 'workerThreads') executor = workerThreadExecutor(options);
    if (kind === 'childProcess') executor = childProcessExecutor(options);
    if (kind === 'workers') {
      queues = mkdtempSync(join(tmpdir(), 'flowstate-queues-'));
      const url = `filesystem://${queues}`;
      const program = pools.pathOf('test/workers/programs/worker.ts');
      worker = await startWorker(program, { url, topic: 'tests', tasks: [pools.taskModule.href] });
      executor = new pools.flowstate.WorkerExecutor({ url });
    }
  });
  afterAll(async () => {
    await executor?.close();
    await worker?.stop();
    if (queues !== null) rmSync(queues, { recursive: true });
  });
  const options = (): LoadOptions => {
    if (executor === null) return { engine: 'serial' };
    return { engine: kind === 'workers' ? 'workers' : 'parallel', executor };
  };

  async function loaded(flow: Flow, store: Record<string, unknown> = {}, more: LoadOptions = {}) {
    return pools.flowstate.engines.load(flow, { ...options(), ...more, store });
  }

  /** Runs a flow to its end. */
  async function ran(flow: Flow, store: Record<string, unknown> = {}, more: LoadOptions = {}) {
    const engine = await loaded(flow, store, more);
    try {
      let thrown: unknown = null;
      const state = await engine.run().catch((error: unknown) => {
        thrown = error;
        return engine.storage.getFlowState();
      });
      return { state, thrown, storage: engine.storage, all: engine.storage.fetchAll() };
    } finally {
      await engine.close();
    }
  }

  it('run in the order of a linear flow, each with what the one before gave', async () => {
    const { linear } = pools.flowstate;
    const flow = linear('f').add(
      does('a', { provides: 'x', gives: 1 }),
      does('b', { requires: ['x'], provides: 'y', gives: 2 }),
      does('c', { requires: ['x', 'y'] }),
    );
    expect((await ran(flow)).state).toBe('SUCCESS');
    expect(lines()).toEqual(['execute a {}', 'execute b {"x":1}', 'execute c {"x":1,"y":2}']);
  });

  it('run in any order in an unordered flow, each once', async () => {
    const { unordered } = pools.flowstate;
    const names = ['a', 'b', 'c', 'd', 'e'];
    await ran(unordered('f').addAll(names.map((name) => does(name))));
    expect(calls().toSorted()).toEqual(names.map((name) => `execute ${name}`));
  });

  it('run in a graph when what they need is there', async () => {
    const { graph } = pools.flowstate;
    const flow = graph('f').addAll([
      does('last', { requires: ['x', 'y'] }),
      does('x', { provides: 'x', gives: 'X' }),
      does('y', { provides: 'y', requires: ['x'], gives: 'Y' }),
    ]);
    await ran(flow);
    expect(lines()).toEqual(['execute x {}', 'execute y {"x":"X"}', 'execute last {"x":"X","y":"Y"}']);
  });

  it('get what was stored, and leave out what is optional and not there', async () => {
    const { linear } = pools.flowstate;
    const flow = linear('f').add(does('a', { requires: ['x'], optional: ['here', 'gone'] }));
    await ran(flow, { x: { deep: [1, null] }, here: true });
    expect(lines()).toEqual(['execute a {"x":{"deep":[1,null]},"here":true}']);
  });

  it('give several results', async () => {
    const { linear } = pools.flowstate;
    const { all } = await ran(linear('f').add(does('a', { provides: ['x', 'y'], gives: [1, { z: 2 }] })));
    expect(all).toEqual({ x: 1, y: { z: 2 } });
  });

  it('are reverted in reverse order, with their results, their failure and all failures', async () => {
    const { linear } = pools.flowstate;
    const flow = linear('f').add(
      does('a', { provides: 'x', gives: 1 }),
      does('b', { requires: ['x'] }),
      does('c', { throws: 'Woot!' }),
    );
    const { state, thrown } = await ran(flow);
    expect(state).toBe('REVERTED');
    expect(String(thrown)).toContain('Woot!');
    expect(lines().slice(3)).toEqual([
      'revert c failed: Woot! {} [c: Woot!]',
      'revert b null {"x":1} [c: Woot!]',
      'revert a 1 {} [c: Woot!]',
    ]);
  });

  it('that cannot be reverted end the run in FAILURE', async () => {
    const { linear } = pools.flowstate;
    const flow = linear('f').add(does('a', { revertThrows: 'stuck' }), does('b', { throws: 'Woot!' }));
    const { state, thrown, storage } = await ran(flow);
    expect(state).toBe('FAILURE');
    expect(String(thrown)).toContain('stuck');
    expect(storage.detail('a').state).toBe('REVERT_FAILURE');
  });

  if (kind !== 'serial') {
    it('that fail together are told of together', async () => {
      const { unordered } = pools.flowstate;
      const { thrown } = await ran(unordered('f').add(does('a', { throws: 'one' }), does('b', { throws: 'two' })));
      expect(thrown).toBeInstanceOf(pools.flowstate.WrappedFailureError);
      const messages = [...(thrown as Iterable<{ message: string }>)].map(({ message }) => message);
      expect(messages.toSorted()).toEqual(['one', 'two']);
    });
  }

  it('are tried again as their retry says', async () => {
    const { linear, times } = pools.flowstate;
    const retry = times({ attempts: 3, provides: 'attempt' });
    const { state } = await ran(linear('f', { retry }).add(does('a', { requires: ['attempt'], failsBefore: 3 })));
    expect(state).toBe('SUCCESS');
    expect(calls()).toEqual(['execute a', 'revert a', 'execute a', 'revert a', 'execute a']);
  });

  it('are left out when a decider says so', async () => {
    const { graph } = pools.flowstate;
    const [a, b, c] = [does('a', { provides: 'x', gives: 1 }), does('b'), does('c')];
    const flow = graph('f').add(a, b, c);
    flow.link(a, b, { decider: ({ history }) => history['a'] === 2 }).link(b, c);
    const { storage } = await ran(flow);
    expect(calls()).toEqual(['execute a']);
    expect(storage.detail('c').state).toBe('IGNORE');
  });

  it('run again after a reset', async () => {
    const { linear } = pools.flowstate;
    const engine = await loaded(linear('f').add(does('a'), does('b')));
    await engine.run();
    await engine.reset();
    await engine.run();
    await engine.close();
    expect(calls()).toEqual(['execute a', 'execute b', 'execute a', 'execute b']);
  });

  it('do not begin when something that they need is missing', async () => {
    const { linear, MissingDependenciesError } = pools.flowstate;
    const { thrown } = await ran(linear('f').add(does('a'), does('b', { requires: ['x'] })));
    expect(thrown).toBeInstanceOf(MissingDependenciesError);
    expect(calls()).toEqual([]);
  });

  it('go on where a suspended run stopped', async () => {
    const { linear } = pools.flowstate;
    const engine = await loaded(linear('f').add(does('a'), does('b'), does('c')));
    engine.atomNotifier.register('SUCCESS', (_, details) => {
      if ('taskName' in details && details.taskName === 'a') engine.suspend();
    });
    expect(await engine.run()).toBe('SUSPENDED');
    expect(calls()).toEqual(['execute a']);
    expect(await engine.run()).toBe('SUCCESS');
    expect(calls()).toEqual(['execute a', 'execute b', 'execute c']);
    await engine.close();
  });

  it('tell of their progress and of events of their own, in order, before they are done', async () => {
    const { linear } = pools.flowstate;
    const told = pools.tasks.told.copy({ retainListeners: false });
    const heard: unknown[] = [];
    const engine = await loaded(linear('f').add(told));
    engine.atomNotifier.register('*', (state) => heard.push(state));
    told.notifier.register('update_progress', (_, { progress, ...details }) => heard.push([progress, details]));
    told.notifier.register('seen', (event, details) => heard.push([event, details]));
    await engine.run();
    await engine.close();
    expect(heard).toEqual([
      'RUNNING',
      [0, {}],
      [0.25, { part: 'first' }],
      ['seen', { number: 1 }],
      [0.75, {}],
      ['seen', { number: 2 }],
      'SUCCESS',
      [1, {}],
    ]);
    expect(engine.storage.detail('told').meta['progress']).toBe(1);
  });

  it('B4: know the key of their attempt', async () => {
    const { linear } = pools.flowstate;
    const { all, storage } = await ran(linear('f').add(pools.tasks.told));
    expect(all['key']).toBe(`${storage.flowUuid}:0:told:execute`);
  });

  it('hear of the signal, and why it was given', async () => {
    const { linear } = pools.flowstate;
    const waits = pools.tasks.waits.copy({ retainListeners: false });
    const engine = await loaded(linear('f').add(waits));
    const waiting = new Promise<void>((resolve) => waits.notifier.register('waiting', () => resolve()));
    const running = engine.run();
    await waiting;
    await engine.close();
    expect(await running).toBe('SUCCESS');
    expect(engine.storage.fetch('reason')).toMatchObject({ name: 'AbortError' });
  });

  it('are checked, and have their hooks called, where they run', async () => {
    const { linear } = pools.flowstate;
    const hooked = () => new pools.tasks.Hooked({ name: 'hooked' });
    const { all } = await ran(linear('f').add(hooked()), { text: '  spaced ' });
    const log = all['log'] as string[];
    const [first = '', second = ''] = log;
    const place = first.replace('pre in ', '');
    expect(log).toHaveLength(2);
    expect(second).toBe(`execute spaced in ${place}`);
    const [thread, pid] = place.split('/');
    expect(thread !== '0').toBe(kind === 'workerThreads');
    expect(Number(pid) !== process.pid).toBe(kind === 'childProcess' || kind === 'workers');
    const { storage } = await ran(linear('f').add(hooked()), { text: 7 });
    expect(storage.getExecuteFailures().get('hooked')?.message).toMatch(/argument 'text'/);
    expect(storage.getRevertFailures().get('hooked')?.message).toBe('of the hook');
  });

  it('keep what structured clone keeps', async () => {
    const { linear } = pools.flowstate;
    for (const [name, make] of Object.entries(pools.tasks.RICH)) {
      const { storage } = await ran(linear('f').add(pools.tasks.gives(name)));
      const value = make() ?? null;
      expect(storage.fetch('it'), name).toEqual(value);
      if (kind !== 'serial' && kind !== 'async') {
        const { all } = await ran(linear('f').add(pools.tasks.echo), { value });
        expect(all['echoed'], name).toEqual(value);
      }
    }
  });
});
