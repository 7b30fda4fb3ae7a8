import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load, run } from '../../src/engines/load.js';
import {
  DuplicateError,
  ExecutionError,
  InvalidStateError,
  MissingDependenciesError,
  NotFoundError,
} from '../../src/errors.js';
import { serialExecutor } from '../../src/executors/serial.js';
import { WrappedFailureError } from '../../src/failure.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { announcementsOf, statesOf } from './announcements.js';
import { Gate, settled } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

describe('what has to come first', () => {
  it('prepare, validate, reset and suspend need a compiled flow', async () => {
    const engine = await load(linear('f').add(step('a')));
    await expect(engine.prepare()).rejects.toThrow(InvalidStateError);
    await expect(engine.reset()).rejects.toThrow(/compile/);
    expect(() => engine.validate()).toThrow(InvalidStateError);
    expect(() => engine.suspend()).toThrow(InvalidStateError);
  });

  it('reset, validate and actorOf need a prepared engine', async () => {
    const engine = await load(linear('f').add(step('a', { requires: ['x'] })));
    engine.compile();
    await expect(engine.reset()).rejects.toThrow(InvalidStateError);
    expect(() => engine.actorOf('a')).toThrow(InvalidStateError);
    expect(() => engine.validate()).toThrow(InvalidStateError);
  });

  it('knows no compilation before compile, and compiles once', async () => {
    const engine = await load(linear('f').add(step('a')));
    expect(engine.compilation).toBeNull();
    engine.compile();
    const { compilation } = engine;
    engine.compile();
    expect(engine.compilation).toBe(compilation);
    expect(compilation?.atoms.map(({ name }) => name)).toEqual(['a']);
  });

  it('suspending what is compiled but does not run changes nothing', async () => {
    const engine = await load(linear('f').add(step('a')));
    engine.compile();
    engine.suspend();
    expect(engine.storage.getFlowState()).toBe('PENDING');
    expect(await engine.run()).toBe('SUCCESS');
    engine.suspend();
    expect(engine.storage.getFlowState()).toBe('SUCCESS');
  });

  it('a root that is no flow and no task is refused by compile and by run', async () => {
    const root = times({ name: 'r' });
    const engine = await load(root as never);
    expect(() => engine.compile()).toThrow(TypeError);
    await expect(engine.run()).rejects.toThrow(/retry r/);
    expect(engine.storage.getFlowState()).toBe('PENDING');
  });

  it('two atoms of one name are refused by compile, with the name', async () => {
    const engine = await load(linear('f').add(step('a'), unordered('u').add(step('a'))));
    expect(() => engine.compile()).toThrow(DuplicateError);
    expect(() => engine.compile()).toThrow(/: a$/);
  });

  it('an atom that was stored as one of the other kind is refused, and nothing is changed', async () => {
    const first = await load(linear('f').add(step('a')));
    await first.run();
    const stored = first.storage.flowDetail();
    const second = await load(linear('f', { retry: times({ name: 'a' }) }).add(step('b')), { flowDetail: stored });
    await expect(second.run()).rejects.toThrow(DuplicateError);
    expect(second.storage.flowDetail()).toEqual(stored);
  });
});

describe('running', () => {
  it('gives the state of the flow', async () => {
    const engine = await load(linear('f').add(step('a')));
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('runs a single task as a flow', async () => {
    const log: string[] = [];
    const engine = await load(stepsInto(log)('only', { provides: 'x' }));
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute only']);
    expect(engine.storage.fetchAll()).toEqual({ x: 'only' });
  });

  it.each([
    ['linear', linear('f')],
    ['unordered', unordered('f')],
    ['graph', graph('f')],
    ['nested', linear('f').add(unordered('u').add(graph('g')), linear('l'))],
  ])('runs an empty %s flow', async (_, flow) => {
    const engine = await load(flow);
    const stages: string[] = [];
    for await (const stage of engine.runIter()) stages.push(stage);
    expect(stages).toEqual(['RESUMING', 'SCHEDULING', 'WAITING', 'ANALYZING', 'SUCCESS']);
    expect(engine.storage.getFlowState()).toBe('SUCCESS');
  });

  it('refuses a second run while one is under way, which is not harmed', async () => {
    const gate = new Gate();
    const engine = await load(linear('f').add(step('a', { execute: () => gate.promise })));
    const running = engine.run();
    await settled();
    await expect(engine.run()).rejects.toThrow(ExecutionError);
    await expect(engine.runIter().next()).rejects.toThrow(/running already/);
    gate.open();
    expect(await running).toBe('SUCCESS');
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('can be run again after a run that was refused', async () => {
    const engine = await load(linear('f').add(step('a', { requires: ['x'] })));
    await expect(engine.run()).rejects.toThrow(MissingDependenciesError);
    expect(engine.storage.getFlowState()).toBe('PENDING');
    await engine.storage.inject({ x: 1 });
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('checks at each run that nothing is missing', async () => {
    const engine = await load(linear('f').add(step('a'), step('b', { requires: ['x'] })));
    await engine.storage.inject({ x: 1 }, { transient: true });
    engine.atomNotifier.register('SUCCESS', () => engine.suspend());
    expect(await engine.run()).toBe('SUSPENDED');
    const other = await load(linear('f').add(step('a'), step('b', { requires: ['x'] })), {
      flowDetail: engine.storage.flowDetail(),
    });
    await expect(other.run()).rejects.toThrow(MissingDependenciesError);
    expect(other.storage.getFlowState()).toBe('SUSPENDED');
  });

  it('throws the error itself when one atom failed', async () => {
    const error = new RangeError('Woot!');
    const engine = await load(linear('f').add(step('a', { execute: throwing(error) })));
    expect(await rejection(engine.run())).toBe(error);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
  });

  it('throws all failures when several atoms failed', async () => {
    const fails = (name: string) => step(name, { execute: throwing(new Error(`no ${name}`)) });
    const engine = await load(unordered('f').add(fails('a'), fails('b')));
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(WrappedFailureError);
    expect((error as WrappedFailureError).failures.map(({ message }) => message)).toEqual(['no a', 'no b']);
  });

  it('throws what a revert failed with, and ends FAILURE', async () => {
    const gotcha = new Error('Gotcha!');
    const engine = await load(
      linear('f').add(step('a', { revert: throwing(gotcha) }), step('b', { execute: throwing(new Error('Woot!')) })),
    );
    expect(await rejection(engine.run())).toBe(gotcha);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
    expect([...engine.storage.getExecuteFailures().keys()]).toEqual(['b']);
    expect([...engine.storage.getRevertFailures().keys()]).toEqual(['a']);
  });

  it('leaves failures alone with neverResolve', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const error = new Error('Woot!');
    const flow = linear('f').add(step('a'), step('b', { execute: throwing(error) }), step('c'));
    const engine = await load(flow, { neverResolve: true });
    expect(await rejection(engine.run())).toBe(error);
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'FAILURE', c: 'PENDING' });
    expect(log).toEqual(['execute a', 'execute b']);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
  });

  it('run() gives all that was provided', async () => {
    const flow = linear('f').add(step('a', { provides: 'x' }), step('b', { provides: 'x' }));
    expect(await run(flow, { store: { y: 1 } })).toEqual({ y: 1, x: ['a', 'b'] });
  });
});

describe('kinds of engines', () => {
  const overlapOf = async (options: Parameters<typeof load>[1]) => {
    let running = 0;
    let most = 0;
    const slow = (name: string) =>
      step(name, {
        execute: async () => {
          most = Math.max(most, (running += 1));
          await settled();
          running -= 1;
        },
      });
    const engine = await load(unordered('f').add(slow('a'), slow('b'), slow('c')), options);
    await engine.run();
    await engine.close();
    return most;
  };

  it.each([undefined, 'default', 'serial'] as const)('%s runs one atom at a time', async (engine) => {
    expect(await overlapOf({ engine })).toBe(1);
  });

  it('parallel runs all that can run', async () => {
    expect(await overlapOf({ engine: 'parallel' })).toBe(3);
    expect(await overlapOf({ engine: 'parallel', maxWorkers: 2 })).toBe(2);
  });

  it.each(['thread', 'constructor', ''])('there is no engine %j', async (engine) => {
    await expect(load(linear('f'), { engine: engine as never })).rejects.toThrow(NotFoundError);
    await expect(load(linear('f'), { engine: engine as never })).rejects.toThrow(/serial, parallel/);
  });

  it('says which engine was probably meant', async () => {
    await expect(load(linear('f'), { engine: 'paralel' as never })).rejects.toThrow(/did you mean parallel/);
  });

  it('gives tasks to the executor of the caller, retries to its own, and leaves the first open', async () => {
    const submitted: string[] = [];
    let closed = false;
    const inner = serialExecutor();
    const executor = {
      name: 'mine',
      submit: (work: Parameters<typeof inner.submit>[0]) => {
        submitted.push(`${work.method} ${work.atom.name}`);
        return inner.submit(work);
      },
      close: async () => {
        closed = true;
      },
    };
    const engine = await load(linear('f', { retry: times({ name: 'r' }) }).add(step('a')), {
      engine: 'parallel',
      executor,
    });
    expect(await engine.run()).toBe('SUCCESS');
    await engine.close();
    expect(submitted).toEqual(['execute a']);
    expect(closed).toBe(false);
  });
});

describe('reset', () => {
  it('lets a flow that succeeded run again, exactly as before', async () => {
    const engine = await load(linear('f', { retry: times({ name: 'r' }) }).add(step('a'), step('b')));
    const first = announcementsOf(engine);
    await engine.run();
    const once = first.splice(0);
    await engine.reset();
    expect(first.splice(0)).toEqual(['a PENDING', 'b PENDING', 'r PENDING', 'flow PENDING']);
    await engine.run();
    expect(first).toEqual(once);
  });

  it('without it a second run executes nothing', async () => {
    const engine = await load(linear('f').add(step('a')));
    await engine.run();
    const announced = announcementsOf(engine);
    expect(await engine.run()).toBe('SUCCESS');
    expect(announced).toEqual(['flow RUNNING', 'flow SUCCESS']);
  });

  it('a flow that was reverted is reset by its next run', async () => {
    const error = new Error('Woot!');
    let fails = true;
    const flaky = step('a', {
      execute: () => {
        if (fails) throw error;
        return 1;
      },
    });
    const engine = await load(linear('f').add(flaky));
    await rejection(engine.run());
    const announced = announcementsOf(engine);
    fails = false;
    expect(await engine.run()).toBe('SUCCESS');
    expect(announced.slice(0, 3)).toEqual(['a PENDING', 'flow PENDING', 'flow RUNNING']);
    expect(engine.storage.hasFailures()).toBe(false);
  });

  it('keeps what was injected', async () => {
    const engine = await load(linear('f').add(step('a', { requires: ['x'], execute: ({ x }) => x, provides: 'y' })), {
      store: { x: 1 },
    });
    await engine.run();
    await engine.storage.inject({ x: 2 });
    await engine.reset();
    await engine.run();
    expect(engine.storage.fetchAll()).toEqual({ x: 2, y: 2 });
  });
});

describe('closing', () => {
  it('a closed engine cannot run; closing again does nothing', async () => {
    const engine = await load(linear('f').add(step('a')));
    await engine.close();
    await engine.close();
    await expect(engine.run()).rejects.toThrow(/f is closed/);
    await expect(engine.run()).rejects.toThrow(InvalidStateError);
  });

  it('closes a backend that it was given by name, and leaves open one that it was given', async () => {
    const engine = await load(linear('f').add(step('a')), { backend: 'memory:' });
    await engine.run();
    await expect(engine.close()).resolves.toBeUndefined();
  });

  it('aborts the signal of what is still under way', async () => {
    let signal: AbortSignal | undefined;
    const gate = new Gate();
    const engine = await load(
      linear('f').add(
        step('a', {
          execute: (_, context) => {
            signal = context.signal;
            return gate.promise;
          },
        }),
      ),
    );
    const running = engine.run();
    await settled();
    expect(signal?.aborted).toBe(false);
    const closing = engine.close();
    expect(signal?.aborted).toBe(true);
    // It does not listen: close waits for it.
    gate.open();
    await closing;
    expect(await running).toBe('SUCCESS');
  });
});

describe('what is missing', () => {
  it('names arguments, sorted, the method and who could have provided them', async () => {
    const flow = linear('f').add(step('a', { requires: ['z', 'b'] }), step('late', { provides: 'z' }));
    const engine = await load(flow);
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(MissingDependenciesError);
    const { missing, cause, message } = error as MissingDependenciesError;
    expect(missing).toEqual(['b', 'z']);
    expect(message).toContain('b, z');
    expect(cause).toBeInstanceOf(MissingDependenciesError);
    expect(cause).toMatchObject({ method: 'execute', missing: ['b', 'z'] });
    expect((cause as Error).message).toMatch(/z is provided by late, which does not come before it/);
    expect((cause as Error).message).toMatch(/symbols that are provided: z/);
  });

  it('chains the atoms, the last first', async () => {
    const engine = await load(unordered('f').add(step('a', { requires: ['x'] }), step('b', { requires: ['y'] })));
    const error = (await rejection(engine.run())) as MissingDependenciesError;
    expect(error.missing).toEqual(['x', 'y']);
    const last = error.cause as MissingDependenciesError;
    expect(last.who).toContain('b');
    expect((last.cause as MissingDependenciesError).who).toContain('a');
    expect((last.cause as MissingDependenciesError).cause).toBeUndefined();
  });

  it('of a single task is thrown as it is', async () => {
    const engine = await load(step('a', { requires: ['x'] }));
    expect(await rejection(engine.run())).toMatchObject({ method: 'execute', missing: ['x'] });
  });
});
