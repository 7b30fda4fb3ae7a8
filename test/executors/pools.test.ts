import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor, Flow, LoadOptions, Task } from '../../src/index.js';
import type { PoolOptions } from '../../src/executors/pool/options.js';
import { until } from '../../src/testing/transport-suite/suite.js';
import { VirtualClock } from '../../src/testing/virtual-environment.js';
import { rejection } from '../engines/steps.js';
import type { Pools } from './pools.js';
import { compilePools, POOLS } from './pools.js';

let pools: Pools;
beforeAll(async () => {
  pools = await compilePools();
}, 60_000);
afterAll(() => pools[Symbol.dispose]());

/** Resolves when there is no such process any more; a test that waits in vain fails for taking too long. */
const gone = (pid: number) =>
  until(() => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  });

interface Place {
  readonly pid: number;
  readonly thread: number;
}

describe.each(POOLS)('%s', (kind) => {
  const noun = kind === 'workerThreads' ? 'thread' : 'process';

  function pool(options: PoolOptions & { readonly maxRssMb?: number } = {}): Executor {
    const { workerThreadExecutor, childProcessExecutor } = pools.flowstate;
    const make = kind === 'workerThreads' ? workerThreadExecutor : childProcessExecutor;
    return make({ taskModules: [pools.taskModule], ...options });
  }

  function load(flow: Flow, options: LoadOptions = {}, store: Record<string, unknown> = {}) {
    const own = options.executor === undefined ? { executor: kind, taskModules: [pools.taskModule] } : {};
    return pools.flowstate.engines.load(flow, { engine: 'parallel', ...own, ...options, ...{ store } });
  }

  async function run(flow: Flow, options: LoadOptions = {}, store: Record<string, unknown> = {}) {
    const engine = await load(flow, options, store);
    try {
      await engine.run();
      return engine.storage.fetchAll();
    } finally {
      await engine.close();
    }
  }

  const failure = (flow: Flow, options: LoadOptions = {}, store: Record<string, unknown> = {}) =>
    rejection(run(flow, options, store)) as Promise<Error>;
  const linear = (...tasks: Task[]) => pools.flowstate.linear('f').addAll(tasks);
  const unordered = (...tasks: Task[]) => pools.flowstate.unordered('f').addAll(tasks);

  it(`runs tasks in a ${noun} of its own`, async () => {
    const { place } = (await run(linear(pools.tasks.where))) as { place: Place };
    if (kind === 'workerThreads') expect(place).toEqual({ pid: process.pid, thread: expect.any(Number) as number });
    expect(kind === 'workerThreads' ? place.thread : place.pid).not.toBe(kind === 'workerThreads' ? 0 : process.pid);
  });

  it('finds tasks by class, by factory, and by registerTask', async () => {
    const { Greet, Multiply, add, makeHidden } = pools.tasks;
    const flow = linear(
      new Greet({ name: 'the doorman' }),
      add,
      new Multiply(3, { name: 'thrice', provides: 'product' }),
      makeHidden(),
    );
    expect(await run(flow, {}, { who: 'you', a: 2, b: 5 })).toMatchObject({
      greeting: 'the doorman says hello to you',
      product: 21,
      hidden: 'found',
    });
  });

  describe('refuses, when the engine is made,', () => {
    it('a task that is not registered, and says what is', async () => {
      const { task } = pools.flowstate;
      const ad = task({ name: 'ad', execute: () => 1 });
      const error = await failure(linear(ad));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toContain(`${kind} cannot run the task ad: 'ad' version 1.0 is not registered`);
      expect(error.message).toMatch(/registered are .*did you mean add\?.*Export it from one of file:.*tasks\.js/);
    });

    it('one of another version', async () => {
      const { task } = pools.flowstate;
      const newer = task({ name: 'versioned', version: '2.0', execute: () => 1 });
      expect((await failure(linear(newer))).message).toContain(
        "'versioned' version 2.0 is not registered, but version 1.2 of it",
      );
      await run(linear(pools.tasks.versioned));
    });

    it('any, when no modules are named', async () => {
      const error = await failure(linear(pools.tasks.add), { executor: kind });
      expect(error.message).toMatch(/nothing is.*name it in taskModules/);
    });

    it('a module that cannot be loaded, with the cause', async () => {
      const missing = pools.urlOf('test/none.ts');
      const error = await failure(linear(pools.tasks.add), { executor: kind, taskModules: [missing] });
      expect(error.name).toBe('ExecutionError');
      expect(error.message).toContain(
        `The task module ${missing.href} cannot be loaded in a ${noun}: Cannot find module`,
      );
      expect(error.cause).toMatchObject({ code: 'ERR_MODULE_NOT_FOUND' });
    });

    it('a module that throws, and one that ends everything', async () => {
      const [throws, ends] = ['throw new RangeError("not today")', 'process.exit(7)'].map(
        (text) => `data:text/javascript,${encodeURIComponent(text)}`,
      );
      const thrown = await failure(linear(pools.tasks.add), { executor: kind, taskModules: [throws!] });
      expect(thrown.cause).toMatchObject({ name: 'RangeError', message: 'not today' });
      const ended = await failure(linear(pools.tasks.add), { executor: kind, taskModules: [ends!] });
      expect(ended.message).toBe(`The ${noun} that was to run tasks ended with exit code 7`);
    });

    it.each([0, -1, 1.5, Infinity, NaN])('a maxWorkers of %d', async (maxWorkers) => {
      const error = await failure(linear(pools.tasks.add), { maxWorkers });
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toMatch(new RegExp(`maxWorkers.* takes a whole number from 1.*, got ${maxWorkers}`));
    });

    it.each([
      [{ maxTasksPerChild: 0 }, RangeError, /maxTasksPerChild takes a whole number from 1, or Infinity, got 0/],
      [{ graceMs: -1 }, RangeError, /graceMs takes milliseconds from 0, got -1/],
      [{ graceMs: Infinity }, RangeError, /graceMs/],
      [{ terminateOnAbort: 'yes' }, TypeError, /terminateOnAbort takes true or false, got yes/],
      [{ taskModules: 'tasks.js' }, TypeError, /taskModules takes a list/],
      [{ taskModules: [7] }, TypeError, /taskModules takes paths, URLs and names of packages, got 7/],
    ])('%j', async (options, type, message) => {
      const error = await failure(linear(pools.tasks.add), options as LoadOptions);
      expect(error).toBeInstanceOf(type);
      expect(error.message).toMatch(message);
    });
  });

  describe('what cannot cross is the failure of its atom:', () => {
    it('a result', async () => {
      for (const name of pools.tasks.UNCROSSABLES) {
        const error = await failure(linear(pools.tasks.uncrossable(name)));
        expect(error, name).toMatchObject({
          name: 'UncrossableValueError',
          atom: 'uncrossable',
          what: 'result',
          message: expect.stringContaining(`The result of uncrossable cannot cross from a ${noun}: `) as string,
        });
      }
    });

    it('an argument', async () => {
      const error = await failure(linear(pools.tasks.add), {}, { a: 1, b: () => 2 });
      expect(error).toMatchObject({ name: 'UncrossableValueError', atom: 'add', what: "argument 'b'" });
      expect(error.message).toContain(`cannot cross to a ${noun}`);
    });

    it('what it was made from', async () => {
      const flow = linear(pools.tasks.gives((() => 'bytes') as never));
      expect(await failure(flow)).toMatchObject({ what: 'construction parameters' });
    });

    it('the details of an event that somebody listens to', async () => {
      const tells = pools.tasks.tellsTheUncrossable.copy({ retainListeners: false });
      await run(linear(tells));
      tells.notifier.register('seen', () => undefined);
      expect(await failure(linear(tells))).toMatchObject({ what: "details of 'seen'" });
    });
  });

  describe(`a ${noun} that is lost`, () => {
    it.each([0, 3])('by process.exit(%d) is the failure of its atom alone, and replaced', async (code) => {
      const { exits, counts } = pools.tasks;
      const others = Array.from({ length: 4 }, (_, i) => counts(`c${i}`));
      const engine = await load(unordered(exits(code), ...others), { maxWorkers: 1, neverResolve: true });
      const error = (await rejection(engine.run())) as Error;
      await engine.close();
      expect(error).toMatchObject({
        name: 'WorkerLostError',
        exitCode: code,
        signal: null,
        message: `The ${noun} that ran exits ended with exit code ${code}`,
      });
      expect(error).toBeInstanceOf(pools.flowstate.ExecutionError);
      for (const { name } of others) expect(engine.storage.detail(name).state).toBe('SUCCESS');
    });

    it('by an error that nobody catches says which', async () => {
      const error = await failure(linear(pools.tasks.crashes));
      expect(error).toMatchObject({ name: 'WorkerLostError', exitCode: 1 });
      if (kind === 'workerThreads') expect(error.cause).toMatchObject({ message: 'nobody catches this' });
    });
  });

  it('shares one executor between engines, which leave it open', async () => {
    const executor = pool({ maxWorkers: 2 });
    const [one, other] = ['one', 'other'].map((name) => pools.tasks.whereAmI(name));
    const [first, second] = await Promise.all([
      run(unordered(one!, other!), { executor }),
      run(unordered(one!.copy(), other!.copy()), { executor }),
    ]);
    expect(Object.keys(first)).toEqual(Object.keys(second));
    await run(linear(pools.tasks.where), { executor });
    await executor.close();
    await executor.close();
    expect((await failure(linear(pools.tasks.where), { executor })).message).toContain(`${kind} is closed`);
  });

  it('gives no engine options of its own to an executor that it did not make', async () => {
    const executor = pool();
    const error = await failure(linear(pools.tasks.add), { executor, graceMs: 1 });
    expect(error.message).toContain('graceMs is an option of the executors workerThreads and childProcess');
    await executor.close();
  });

  it(`replaces a ${noun} that has run as many tasks as allowed`, async () => {
    const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
    const tasks = names.map((name) => pools.tasks.counts(name));
    const results = (await run(linear(...tasks), { maxWorkers: 1, maxTasksPerChild: 2 })) as unknown as Record<
      string,
      Place & { runs: number }
    >;
    expect(names.map((name) => results[name]?.runs)).toEqual([1, 2, 1, 2, 1]);
    expect(new Set(names.map((name) => `${results[name]?.pid}/${results[name]?.thread}`)).size).toBe(3);
  });

  describe('a task that is busy and does not listen', () => {
    it('is ended after graceMs with terminateOnAbort, and counts as under way', async () => {
      const clock = new VirtualClock();
      const executor = pool({
        terminateOnAbort: true,
        graceMs: 700,
        environment: { ...pools.flowstate.systemEnvironment, clock },
      });
      const busy = pools.tasks.busy.copy({ retainListeners: false });
      const isBusy = new Promise<void>((resolve) => busy.notifier.register('busy', () => resolve()));
      const engine = await load(linear(busy, pools.tasks.where), { executor });
      const running = engine.run();
      await isBusy;
      const closed = engine.close();
      await until(() => clock.delays.includes(700));
      clock.advance(699);
      expect(engine.storage.detail('busy').state).toBe('RUNNING');
      clock.advance(1);
      expect(await running).toBe('SUSPENDED');
      await closed;
      expect(engine.storage.detail('busy')).toMatchObject({ state: 'RUNNING', intention: 'EXECUTE', failure: null });
      expect(engine.storage.detail('where').state).toBe('PENDING');
      expect(await run(linear(pools.tasks.where), { executor })).toHaveProperty('place');
      await executor.close();
    });

    it('is ended when its executor is closed, and suspends the run', async () => {
      const executor = pool({ graceMs: 0 });
      const busy = pools.tasks.busy.copy({ retainListeners: false });
      const isBusy = new Promise<void>((resolve) => busy.notifier.register('busy', () => resolve()));
      const engine = await load(linear(busy), { executor });
      const running = engine.run();
      await isBusy;
      await executor.close();
      expect(await running).toBe('SUSPENDED');
      expect(engine.storage.detail('busy').state).toBe('RUNNING');
      await engine.close();
    });
  });

  /** Runs a program that has flowstate and the tasks, and gives what it printed when it has ended by itself. */
  async function printedBy(text: string): Promise<unknown> {
    const program = `
      import { engines, linear, unordered } from '${pools.urlOf('src/index.ts').href}';
      import { where, whereAmI } from '${pools.taskModule.href}';
      const options = { engine: 'parallel', executor: '${kind}', maxWorkers: 2, taskModules: ['${pools.taskModule.href}'] };
      ${text}
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (text: Buffer) => (printed += text.toString()));
    expect((await once(child, 'close'))[0]).toBe(0);
    return JSON.parse(printed);
  }

  it('an engine that is closed leaves nothing behind', async () => {
    const { before, after, pids } = (await printedBy(`
      // Open from now on; and a handle is gone a few turns of the event loop after it was closed.
      [process.stdout, process.stderr];
      const turns = async () => { for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate); };
      await turns();
      const before = process.getActiveResourcesInfo();
      const results = await engines.run(unordered('f').add(...['w1', 'w2', 'w3', 'w4'].map(whereAmI)), options);
      await turns();
      const after = process.getActiveResourcesInfo();
      console.log(JSON.stringify({ before, after, pids: Object.values(results).map(({ pid }) => pid) }));
    `)) as { before: string[]; after: string[]; pids: number[] };
    expect(after).toEqual(before);
    for (const pid of kind === 'childProcess' ? pids : []) expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('keeps no program from ending that forgets to close it', async () => {
    const pid = await printedBy(`
      const engine = await engines.load(linear('f').add(where), options);
      await engine.run();
      console.log(engine.storage.fetch('place').pid);
    `);
    if (kind === 'childProcess') await gone(Number(pid));
  });

  it('takes first what came first from several engines, and of each what it calls urgent', async () => {
    const { begun, submissions, executor } = await queue(kind, pool({ maxWorkers: 1 }), [
      ['A', 'a1', 0],
      ['A', 'a2', 0],
      ['B', 'b1', 5],
      ['A', 'a3', 9],
      ['B', 'b2', 7],
    ]);
    await Promise.all(submissions);
    expect(begun).toEqual(['a1', 'a3', 'b2', 'a2', 'b1']);
    await executor.close();
  });

  /** Submits work for several owners at once, and writes down in which order it was begun. */
  async function queue(_: string, executor: Executor, entries: readonly (readonly [string, string, number])[]) {
    const begun: string[] = [];
    await executor.accept?.([]);
    const owners = new Map<string, object>();
    const submissions = entries.map(([owner, name, priority]) => {
      owners.set(owner, owners.get(owner) ?? {});
      const atom = pools.tasks.whereAmI(name);
      atom.priority = priority;
      const context = {
        atom: name,
        signal: new AbortController().signal,
        get idempotencyKey() {
          // Asked for when the work is handed over.
          begun.push(name);
          return name;
        },
        progress: () => undefined,
        notify: () => undefined,
      };
      return executor.submit({ atom, method: 'execute', args: {}, context, owner: owners.get(owner) }).outcome;
    });
    return { begun, submissions, executor };
  }
});

describe('workerThreads', () => {
  it('moves what is to be moved, and copies nothing of it', async () => {
    const { engines, linear } = pools.flowstate;
    const results = await engines.run(linear('f').add(pools.tasks.moves, pools.tasks.whatIsLeft), {
      engine: 'parallel',
      executor: 'workerThreads',
      maxWorkers: 1,
      taskModules: [pools.taskModule],
    });
    expect((results['buffer'] as { buffer: ArrayBuffer }).buffer.byteLength).toBe(1024);
    expect(results['left']).toBe(0);
  });

  it('loses a thread that needs more memory than it may have', async () => {
    const { engines, linear, workerThreadExecutor } = pools.flowstate;
    const executor = workerThreadExecutor({
      taskModules: [pools.taskModule],
      resourceLimits: { maxOldGenerationSizeMb: 32 },
    });
    const options = { engine: 'parallel', executor } as const;
    const error = await rejection(engines.run(linear('f').add(pools.tasks.hungry), options));
    expect(error).toMatchObject({ name: 'WorkerLostError', cause: { code: 'ERR_WORKER_OUT_OF_MEMORY' } });
    expect(await engines.run(linear('f').add(pools.tasks.where), options)).toHaveProperty('place');
    await executor.close();
  });

  it('has no maxRssMb: threads share one resident memory', async () => {
    const { engines, linear } = pools.flowstate;
    const given = { engine: 'parallel', executor: 'workerThreads', maxRssMb: 100 } as const;
    const error = await rejection(engines.load(linear('f'), given));
    expect(String(error)).toMatch(
      /maxRssMb is an option of the executors childProcess, and the executor is workerThreads/,
    );
  });
});

describe('childProcess', () => {
  const options = () => ({ engine: 'parallel', executor: 'childProcess', taskModules: [pools.taskModule] }) as const;

  it('says which signal ended a process', async () => {
    const { engines, linear } = pools.flowstate;
    const error = await rejection(engines.run(linear('f').add(pools.tasks.killsItself), options()));
    expect(error).toMatchObject({ name: 'WorkerLostError', exitCode: null, signal: 'SIGKILL' });
  });

  it('loses a process that needs more memory than it may have', async () => {
    const { engines, linear, childProcessExecutor } = pools.flowstate;
    const executor = childProcessExecutor({ taskModules: [pools.taskModule], execArgv: ['--max-old-space-size=32'] });
    const error = await rejection(engines.run(linear('f').add(pools.tasks.hungry), { engine: 'parallel', executor }));
    await executor.close();
    expect(error).toMatchObject({ name: 'WorkerLostError', signal: 'SIGABRT' });
  });

  it('replaces a process that has grown too large', async () => {
    const { engines, linear } = pools.flowstate;
    const { grows } = pools.tasks;
    const tasks = [grows('g1', 0), grows('g2', 400), grows('g3', 0)];
    const results = await engines.run(linear('f').addAll(tasks), { ...options(), maxWorkers: 1, maxRssMb: 350 });
    expect(results['g1']).toBe(results['g2']);
    expect(results['g3']).not.toBe(results['g2']);
  });

  it.each(['SIGKILL', 'exit'] as const)('no process outlives its parent, however busy (%s)', async (how) => {
    const program = `
      import { engines, linear } from '${pools.urlOf('src/index.ts').href}';
      import { busy } from '${pools.taskModule.href}';
      busy.notifier.register('busy', (_, { pid }) => {
        console.log(pid);
        if ('${how}' === 'exit') process.stdout.write('', () => process.exit(0));
      });
      const engine = await engines.load(linear('f').add(busy),
        { engine: 'parallel', executor: 'childProcess', maxWorkers: 1, taskModules: ['${pools.taskModule.href}'] });
      await engine.run();
    `;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: parent.stdout }), 'line')) as [string];
    if (how === 'SIGKILL') parent.kill('SIGKILL');
    await once(parent, 'exit');
    await gone(Number(line));
  });
});

describe('executors by name', () => {
  it.each([
    ['Async', 'async'],
    ['threads', 'async'],
    ['THREADED', 'async'],
    ['greenThreads', 'async'],
    ['concurrent', 'async'],
    ['workerthreads', 'workerThreads'],
    ['worker_threads', 'workerThreads'],
    ['PROCESS', 'childProcess'],
    ['processes', 'childProcess'],
  ])('%s is %s', async (given, name) => {
    const { engines, linear } = pools.flowstate;
    const modules = name === 'async' ? {} : { taskModules: [pools.taskModule] };
    const engine = await engines.load(linear('f').add(pools.tasks.where), {
      engine: 'parallel',
      executor: given,
      maxWorkers: 1,
      ...modules,
    });
    expect(engine.options.executor).toBe(name);
    await engine.close();
  });

  it.each([
    [{ executor: 'workerThraeds' }, RangeError, /async, workerThreads, childProcess.*did you mean workerThreads\?/],
    [{ executor: 'gpu' }, RangeError, /executor takes async, workerThreads, childProcess.*got "gpu"$/],
    [{ executor: '' }, RangeError, /executor takes/],
    [
      { executor: 7 },
      TypeError,
      /executor takes an object with a submit method, or the name of an executor, got number/,
    ],
    [{ executor: { close: 1 } }, TypeError, /submit method.*got object/],
    [{ executor: 'async', taskModules: [] }, RangeError, /taskModules is an option of .* and the executor is async/],
    [{ engine: 'serial', executor: 'async' }, RangeError, /executor is an option of the parallel engine/],
  ])('%j is refused', async (options, type, message) => {
    const { engines, linear } = pools.flowstate;
    const error = await rejection(engines.load(linear('f'), { engine: 'parallel', ...options } as LoadOptions));
    expect(error).toBeInstanceOf(type);
    expect(String(error)).toMatch(message);
  });

  it('has as many threads as the machine runs at once, at most, unless told otherwise', async () => {
    const { engines, unordered } = pools.flowstate;
    const tasks = Array.from({ length: 3 * availableParallelism() }, (_, i) => pools.tasks.whereAmI(`w${i}`));
    const results = await engines.run(unordered('f').addAll(tasks), {
      engine: 'parallel',
      executor: 'workerThreads',
      taskModules: [pools.taskModule],
    });
    const threads = new Set(Object.values(results).map((place) => (place as Place).thread));
    expect(threads.size).toBeLessThanOrEqual(availableParallelism());
  });
});
