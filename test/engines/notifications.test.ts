import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { UPDATE_PROGRESS } from '../../src/atoms/task.js';
import { load } from '../../src/engines/load.js';
import { Failure } from '../../src/failure.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { announcementsOf } from './announcements.js';
import { manualEnvironment } from './manual-environment.js';
import { rejection, step, throwing } from './steps.js';

const CHECKPOINTS = ['round', 'change'] as const;

/** Fails at its first call only. */
function failingOnce(error = new Error('Woot!')): () => unknown {
  let calls = 0;
  return () => {
    calls += 1;
    if (calls === 1) throw error;
    return calls;
  };
}

describe.each(CHECKPOINTS)('the order of notifications, with a commit each %s', (checkpoint) => {
  it('of a task that succeeds', async () => {
    const a = step('a', {
      execute: (_, context) => {
        context.progress(0.5);
        return 1;
      },
    });
    const engine = await load(linear('f').add(a), { checkpoint });
    const told: string[] = announcementsOf(engine);
    a.notifier.register(UPDATE_PROGRESS, (_, { progress }) => told.push(`a ${String(progress)}`));
    await engine.run();
    expect(told).toEqual(['flow RUNNING', 'a RUNNING', 'a 0', 'a 0.5', 'a SUCCESS(1)', 'a 1', 'flow SUCCESS']);
  });

  it('of a flow that is tried again', async () => {
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) });
    flow.add(step('a'), step('b', { execute: failingOnce() }));
    const engine = await load(flow, { checkpoint });
    const told = announcementsOf(engine);
    await engine.run();
    expect(told).toEqual([
      'flow RUNNING',
      'r RUNNING',
      'r SUCCESS(1)',
      'a RUNNING',
      'a SUCCESS("a")',
      'b RUNNING',
      'b FAILURE(Woot!)',
      'b REVERTING',
      'b REVERTED(null)',
      'a REVERTING',
      'a REVERTED(null)',
      'r RETRYING',
      'a PENDING',
      'b PENDING',
      'r RUNNING',
      'r SUCCESS(2)',
      'a RUNNING',
      'a SUCCESS("a")',
      'b RUNNING',
      'b SUCCESS(2)',
      'flow SUCCESS',
    ]);
  });

  it('a serial round executes all ready atoms before the first of them is completed', async () => {
    const engine = await load(unordered('f').add(step('a'), step('b')), { checkpoint });
    const told = announcementsOf(engine);
    await engine.run();
    expect(told).toEqual([
      'flow RUNNING',
      'a RUNNING',
      'b RUNNING',
      'a SUCCESS("a")',
      'b SUCCESS("b")',
      'flow SUCCESS',
    ]);
  });

  it('atoms of a wave start by falling priority', async () => {
    const tasks = Array.from({ length: 10 }, (_, priority) => step(`t${priority}`, { priority }));
    const engine = await load(unordered('f').addAll(tasks), { checkpoint });
    const told = announcementsOf(engine);
    await engine.run();
    const expected = Array.from({ length: 10 }, (_, at) => `t${9 - at} RUNNING`);
    expect(told.filter((each) => each.endsWith('RUNNING') && !each.startsWith('flow'))).toEqual(expected);
  });

  it('atoms that never ran are not told of when others are reverted', async () => {
    const engine = await load(
      linear('f').add(step('a'), step('b', { execute: throwing(new Error('Woot!')) }), step('c')),
      {
        checkpoint,
      },
    );
    const told = announcementsOf(engine);
    await rejection(engine.run());
    expect(told.filter((each) => each.startsWith('c'))).toEqual([]);
    expect(told.slice(-5)).toEqual([
      'b REVERTING',
      'b REVERTED(null)',
      'a REVERTING',
      'a REVERTED(null)',
      'flow REVERTED',
    ]);
  });

  it('what is told is in storage already', async () => {
    const engine = await load(linear('f').add(step('a')), { checkpoint });
    const states: unknown[] = [];
    engine.atomNotifier.register('*', (state) => states.push([state, engine.storage.getAtomState('a')]));
    engine.notifier.register('*', (state) => states.push([state, engine.storage.getFlowState()]));
    await engine.run();
    expect(states).toHaveLength(4);
    for (const [told, stored] of states as [string, string][]) expect(stored).toBe(told);
  });

  it('a listener that suspends the flow is told of SUSPENDING', async () => {
    const engine = await load(linear('f').add(step('a'), step('b')), { checkpoint });
    const told = announcementsOf(engine);
    engine.atomNotifier.register('SUCCESS', () => engine.suspend());
    await engine.run();
    expect(told).toEqual(['flow RUNNING', 'a RUNNING', 'a SUCCESS("a")', 'flow SUSPENDING', 'flow SUSPENDED']);
  });
});

describe('what listeners are told', () => {
  it('of a flow: the engine, the name and id of the run, and the state before', async () => {
    const engine = await load(linear('f').add(step('a')));
    const details: unknown[] = [];
    engine.notifier.register('SUCCESS', (_, given) => details.push(given));
    await engine.run();
    const { flowUuid } = engine.storage;
    expect(details).toEqual([{ engine, flowName: 'f', flowUuid, oldState: 'RUNNING' }]);
  });

  it('of a task and a retry: their names and ids, the state before, and the result where there is one', async () => {
    const engine = await load(
      linear('f', { retry: times({ name: 'r' }) }).add(step('a', { execute: () => undefined })),
    );
    const details: unknown[] = [];
    engine.atomNotifier.register('*', (state, given) => details.push([state, given]));
    await engine.run();
    const [taskUuid, retryUuid] = [engine.storage.getAtomUuid('a'), engine.storage.getAtomUuid('r')];
    expect(details).toEqual([
      ['RUNNING', { retryName: 'r', retryUuid, oldState: 'PENDING' }],
      ['SUCCESS', { retryName: 'r', retryUuid, oldState: 'RUNNING', result: 1 }],
      ['RUNNING', { taskName: 'a', taskUuid, oldState: 'PENDING' }],
      ['SUCCESS', { taskName: 'a', taskUuid, oldState: 'RUNNING', result: null }],
    ]);
  });

  it('of what failed: the failure', async () => {
    const error = new RangeError('Woot!');
    const engine = await load(linear('f').add(step('a', { execute: throwing(error) })));
    let result: unknown;
    engine.atomNotifier.register('FAILURE', (_, details) => (result = details.result));
    await rejection(engine.run());
    expect(result).toBeInstanceOf(Failure);
    expect((result as Failure).error).toBe(error);
  });
});

describe('D17: errors of listeners', () => {
  it('do not touch the run, and are counted', async () => {
    const engine = await load(linear('f').add(step('a')));
    engine.notifier.register('*', throwing(new Error('of a listener')));
    engine.atomNotifier.register('RUNNING', throwing(new Error('of another')));
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.statistics.listenerErrors).toBe(3);
    await engine.run();
    expect(engine.statistics.listenerErrors).toBe(2);
  });

  it('those of promises, too', async () => {
    const engine = await load(linear('f').add(step('a')));
    engine.atomNotifier.register('SUCCESS', () => Promise.reject(new Error('late')));
    await engine.run();
    await new Promise((resolve) => setImmediate(resolve));
    expect(engine.statistics.listenerErrors).toBe(1);
  });

  it('those of durable listeners, too', async () => {
    const engine = await load(linear('f').add(step('a')));
    engine.atomNotifier.register('SUCCESS', throwing(new Error('of a listener')), { durable: true });
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.statistics.listenerErrors).toBe(1);
  });
});

describe.each(CHECKPOINTS)('C3: durable listeners, with a commit each %s', (checkpoint) => {
  it('are told of everything, in order, and only of what is stored', async () => {
    const backend = memoryBackend();
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) });
    flow.add(step('a'), step('b', { execute: failingOnce() }));
    const engine = await load(flow, { backend, checkpoint });
    const now = announcementsOf(engine);
    const durable = announcementsOf(engine, [], { durable: true });
    const early: Promise<string>[] = [];
    const state = async () =>
      usingConnection(backend, (connection) => connection.getFlowDetail(engine.storage.flowUuid));
    engine.notifier.register('SUCCESS', () => early.push(state().then((stored) => String(stored.state))), {
      durable: true,
    });
    engine.atomNotifier.register(
      'FAILURE',
      () => early.push(state().then(({ atoms }) => String(atoms.find(({ name }) => name === 'b')?.failure?.message))),
      { durable: true },
    );
    await engine.run();
    expect(await Promise.all(early)).toEqual(['Woot!', 'SUCCESS']);
    expect(durable).toEqual(now);
  });

  it('are told in the order in which things happened, whichever notifier they come from', async () => {
    const engine = await load(linear('f').add(step('a')), { checkpoint });
    const durable = announcementsOf(engine, [], { durable: true });
    await engine.run();
    expect(durable).toEqual(['flow RUNNING', 'a RUNNING', 'a SUCCESS("a")', 'flow SUCCESS']);
  });

  it('are told nothing of what could not be stored', async () => {
    const backend = memoryBackend();
    const engine = await load(linear('f').add(step('a')), {
      backend,
      checkpoint,
      commitRetry: { attempts: 1 },
      environment: manualEnvironment(),
    });
    engine.compile();
    await engine.prepare();
    const durable = announcementsOf(engine, [], { durable: true });
    await usingConnection(backend, (connection) => connection.clearAll());
    await rejection(engine.run());
    expect(durable).toEqual([]);
  });

  it('can be deregistered, and are known as registered', async () => {
    const engine = await load(linear('f').add(step('a')), { checkpoint });
    const told: string[] = [];
    const listener = (state: string) => told.push(state);
    engine.notifier.register('SUCCESS', listener, { durable: true });
    expect(engine.notifier.registered('SUCCESS', listener)).toBe(true);
    expect(engine.notifier.deregister('SUCCESS', listener)).toBe(true);
    expect(engine.notifier.deregister('SUCCESS', listener)).toBe(false);
    await engine.run();
    expect(told).toEqual([]);
  });
});

describe('statistics', () => {
  it('count completions, commits, failures that were resolved, and what was looked at', async () => {
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) });
    flow.add(step('a'), step('b', { execute: failingOnce() }));
    const engine = await load(flow);
    await engine.run();
    const { statistics } = engine;
    // r, a, b executed; b, a reverted; r, a, b executed again.
    expect(statistics.completed).toBe(8);
    expect(statistics.discardedFailures).toBe(1);
    expect(statistics.incomplete).toBe(0);
    expect(statistics.awaiting).toBe(0);
    expect(statistics.readinessChecks).toBeGreaterThan(0);
    expect(statistics.commits).toBe(engine.storage.ledger.commits - 1);
  });

  it('begin anew with each run', async () => {
    const engine = await load(linear('f').add(step('a')));
    await engine.run();
    const first = engine.statistics;
    await engine.run();
    expect(engine.statistics).not.toBe(first);
    expect(engine.statistics.completed).toBe(0);
    expect(first.completed).toBe(1);
  });

  it('tell the time by the clock that was given', async () => {
    const environment = manualEnvironment();
    const engine = await load(linear('f').add(step('a', { execute: () => environment.clock.advance(40) })), {
      environment,
    });
    await engine.run();
    expect(engine.statistics.activeForMs).toBe(40);
    expect(engine.statistics.msPerStage).toEqual({ resuming: 0, scheduling: 40, waiting: 0, analyzing: 0 });
  });

  it('without gatherStatistics stages are not timed', async () => {
    const environment = manualEnvironment();
    const engine = await load(linear('f').add(step('a', { execute: () => environment.clock.advance(40) })), {
      environment,
      gatherStatistics: false,
    });
    await engine.run();
    expect(engine.statistics.msPerStage).toEqual({ resuming: 0, scheduling: 0, waiting: 0, analyzing: 0 });
    expect(engine.statistics.completed).toBe(1);
  });
});
