import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { InvalidStateError, StaleFenceError, StorageConflictError, StorageError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { createFlowDetail } from '../../src/persistence/books.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { interrupting, never, snapshotOf } from '../../src/testing/interrupting-backend.js';
import { announcementsOf, runWithin, statesOf } from './announcements.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { rejection, step, stepsInto } from './steps.js';
import { isReserved } from '../../src/storage/reserved.js';
import type { AtomDetail } from '../../src/persistence/details.js';

const CHECKPOINTS = ['round', 'change'] as const;
const down = new StorageError('down');

/** A store that is out of order, once it is told to, until it is told otherwise. It may lose answers only. */
function unreliable(within: PersistenceBackend = memoryBackend()) {
  let fails: 'never' | 'before' | 'after' = 'never';
  const backend = interrupting(within, {
    async onCommit(_n, _unit, commit) {
      if (fails === 'before') throw down;
      await commit();
      if (fails === 'after') throw down;
    },
  });
  return { backend, within, fail: (how: typeof fails) => void (fails = how) };
}

function storedIn(backend: PersistenceBackend, { storage }: Engine) {
  return usingConnection(backend, (connection) => connection.getFlowDetail(storage.flowUuid));
}

const statesIn = (atoms: readonly AtomDetail[]) =>
  atoms.flatMap(({ name, state }) => (isReserved(name) ? [] : [state]));

describe.each(CHECKPOINTS)('an engine that has given up on its store, with a commit each %s,', (checkpoint) => {
  it.each(['before', 'after'] as const)('goes on where it was when it is run again (failed %s)', async (how) => {
    const { backend, within, fail } = unreliable();
    const log: string[] = [];
    const step = stepsInto(log);
    const flow = linear('f').add(
      step('a', { provides: 'x', execute: () => 1 }),
      step('b', { requires: ['x'], execute: ({ x }) => (fail(log.length === 2 ? how : 'never'), x) }),
      step('c'),
    );
    const environment = manualEnvironment();
    const engine = await load(flow, { backend, checkpoint, environment, commitRetry: { attempts: 1 } });
    expect(await rejection(engine.run())).toBe(down);
    expect(engine.storage.getFlowState()).toBe('RUNNING');
    expect(log).toEqual(['execute a', 'execute b']);
    expect(await rejection(engine.run())).toBe(down);
    fail('never');
    expect(await runWithin(engine, 30)).toBe('SUCCESS');
    // What became of b was known to the engine all the time.
    expect(log).toEqual(['execute a', 'execute b', 'execute c']);
    const { state, atoms, revision } = await storedIn(within, engine);
    expect([state, ...statesIn(atoms)]).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
    expect(revision).toBe(engine.storage.ledger.revision);
  });

  it('tells the tasks that are under way, waits for them, and starts nothing more', async () => {
    const { backend, within, fail } = unreliable();
    const log: string[] = [];
    const step = stepsInto(log);
    const gate = new Gate();
    const flow = unordered('f').add(
      step('slow', {
        execute: async (_, { signal, progress }) => {
          await once(signal, 'abort');
          progress(0.5, { told: true });
          log.push('told');
          await gate.promise;
        },
      }),
      linear('l').add(step('a', { execute: () => settled().then(() => fail('before')) }), step('b')),
    );
    const environment = manualEnvironment();
    const options = { engine: 'parallel', commitRetry: { attempts: 2, delayMs: 10 } } as const;
    const engine = await load(flow, { backend, checkpoint, environment, ...options });
    let isOver = false;
    const running = rejection(engine.run()).finally(() => (isOver = true));
    await settled();
    await settled();
    expect(log).toEqual(['execute slow', 'execute a']);
    environment.clock.advance(10);
    await settled();
    expect(log).toEqual(['execute slow', 'execute a', 'told']);
    const asked = backend.commits;
    expect(isOver).toBe(false);
    gate.open();
    expect(await running).toBe(down);
    expect(backend.commits).toBe(asked);
    expect(environment.clock.pending).toBe(0);
    const { state, atoms } = await storedIn(within, engine);
    expect([state, ...statesIn(atoms)]).toEqual(['RUNNING', 'RUNNING', 'RUNNING', 'PENDING']);
  });

  it('asks the store no more often than the policy says, and marks nothing', async () => {
    const { backend, within, fail } = unreliable();
    const environment = manualEnvironment();
    const flow = linear('f').add(step('a', { execute: () => fail('before') }), step('b'));
    const engine = await load(flow, { backend, checkpoint, environment, commitRetry: { attempts: 3, delayMs: 10 } });
    const told = announcementsOf(engine, [], { durable: true });
    const running = rejection(engine.run());
    await settled();
    const before = await snapshotOf(within);
    const asked = backend.commits;
    for (let attempt = 0; attempt < 5; attempt++) {
      environment.clock.advance(10);
      await settled();
    }
    expect(await running).toBe(down);
    // The first of the three was made before.
    expect(backend.commits - asked).toBe(2);
    expect(new Set(backend.units.slice(-3)).size).toBe(1);
    expect(await snapshotOf(within)).toEqual(before);
    expect(told).toEqual(['flow RUNNING', 'a RUNNING']);
    expect(environment.clock.pending).toBe(0);
  });

  it('is closed at once while it waits for the next attempt', async () => {
    const { backend, fail } = unreliable();
    const environment = manualEnvironment();
    const flow = linear('f').add(step('a', { execute: () => fail('before') }), step('b'));
    const engine = await load(flow, { backend, checkpoint, environment });
    const running = rejection(engine.run());
    await settled();
    expect(environment.clock.pending).toBe(1);
    await engine.close();
    expect(await running).toBe(down);
    expect(environment.clock.pending).toBe(0);
  });

  it('can be closed before it has begun', async () => {
    const { backend, fail } = unreliable();
    fail('before');
    const environment = manualEnvironment();
    const engine = await load(linear('f').add(step('a')), { backend, checkpoint, environment });
    const running = rejection(engine.run());
    await settled();
    await engine.close();
    expect(await running).toBe(down);
    expect(environment.clock.pending).toBe(0);
  });

  it('is not suspended: there is nothing under way', async () => {
    const { backend, fail } = unreliable();
    const flow = linear('f').add(step('a', { execute: () => fail('before') }), step('b'));
    const options: LoadOptions = {
      backend,
      checkpoint,
      environment: manualEnvironment(),
      commitRetry: { attempts: 1 },
    };
    const engine = await load(flow, options);
    await rejection(engine.run());
    engine.suspend();
    expect(engine.storage.getFlowState()).toBe('RUNNING');
    fail('never');
    expect(await runWithin(engine, 30)).toBe('SUCCESS');
  });
});

it('a task that throws an error of a store of its own fails like any other', async () => {
  const backend = memoryBackend();
  const own = new StorageConflictError('another run', 1, 2);
  const flow = linear('f').add(
    step('a', {
      execute: () => {
        throw own;
      },
      revert: () => {
        throw own;
      },
    }),
  );
  const engine = await load(flow, { backend });
  expect(await rejection(engine.run())).toBe(own);
  expect((await storedIn(backend, engine)).state).toBe('FAILURE');
});

it('a durable listener hears of a suspension when it is stored, not with the commit before', async () => {
  const gate = new Gate();
  let isHeld = false;
  const backend = interrupting(memoryBackend(), {
    async onCommit(_n, { atoms }, commit) {
      const isMark = atoms.some(({ name, state }) => name === 'b' && state === 'RUNNING');
      if (isMark) {
        isHeld = true;
        await gate.promise;
      }
      await commit();
    },
  });
  const engine = await load(linear('f').add(step('a'), step('b'), step('c')), { backend });
  const stored: (string | null)[] = [];
  engine.notifier.register('SUSPENDING', () => void stored.push(backend.units.at(-1)?.state ?? null), {
    durable: true,
  });
  const running = engine.run();
  await settled();
  expect(isHeld).toBe(true);
  engine.suspend();
  gate.open();
  expect(await running).toBe('SUSPENDED');
  expect(stored).toEqual(['SUSPENDED']);
});

describe('C5: an engine whose run somebody else has changed', () => {
  it.each(CHECKPOINTS)('cannot be used any more, and says what to do (%s)', async (checkpoint) => {
    const backend = memoryBackend();
    const flow = () => linear('f').add(step('a'));
    const first = await load(flow(), { backend, checkpoint });
    const second = await load(flow(), { backend, checkpoint, flowDetail: await storedIn(backend, first) });
    await second.run();
    expect(await rejection(first.run())).toBeInstanceOf(StorageConflictError);
    const before = await snapshotOf(backend);
    for (const use of [() => first.run(), () => first.prepare(), () => first.runIter().next()]) {
      const error = await rejection(use());
      expect(error).toBeInstanceOf(InvalidStateError);
      expect(String(error)).toMatch(/engine of f is behind its run.*load it anew/);
      expect((error as Error).cause).toBeInstanceOf(StorageConflictError);
    }
    await expect(first.storage.inject({ x: 1 })).rejects.toThrow(StorageConflictError);
    expect(await snapshotOf(backend)).toEqual(before);
    await first.close();
  });
});

describe('C5: an engine with a fence token', () => {
  const newRun = async (backend: PersistenceBackend) => (await createFlowDetail('f', { backend })).flowDetail;

  it('makes its claim durable before anything runs, and writes everything under it', async () => {
    const backend = interrupting(memoryBackend(), never);
    let fence: number | undefined;
    const flow = linear('f').add(
      step('a', { execute: async () => void (fence = (await storedIn(backend, engine)).fence) }),
    );
    const engine = await load(flow, { backend, fence: 3 });
    await engine.run();
    expect(fence).toBe(3);
    expect(new Set(backend.units.map((unit) => unit.fence))).toEqual(new Set([3]));
  });

  it('makes it durable when it is prepared, even where there is nothing else to be written', async () => {
    const backend = memoryBackend();
    const first = await load(linear('f').add(step('a')), { backend, fence: 3 });
    await first.run();
    const second = await load(linear('f').add(step('a')), {
      backend,
      fence: 4,
      flowDetail: await storedIn(backend, first),
    });
    second.compile();
    await second.prepare();
    expect((await storedIn(backend, first)).fence).toBe(4);
  });

  it('whose claim was taken over meanwhile is refused, and stops', async () => {
    const backend = memoryBackend();
    const log: string[] = [];
    const step = stepsInto(log);
    const gate = new Gate();
    const flowOf = (wait?: Promise<void>) => linear('f').add(step('a', { execute: () => wait }), step('b'));
    const first = await load(flowOf(gate.promise), { backend, fence: 1 });
    const running = rejection(first.run());
    await settled();
    const second = await load(flowOf(), { backend, fence: 2, flowDetail: await storedIn(backend, first) });
    second.compile();
    await second.prepare();
    gate.open();
    expect(await running).toBeInstanceOf(StaleFenceError);
    expect(log).toEqual(['execute a']);
    expect(await second.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute a', 'execute b']);
  });

  it('whose claim was taken over meanwhile tells the tasks that are under way', async () => {
    const backend = memoryBackend();
    const gate = new Gate();
    let reason: unknown;
    const flow = unordered('f').add(
      step('slow', {
        execute: async (_, { signal }) => {
          await once(signal, 'abort');
          reason = signal.reason;
        },
      }),
      step('quick', { execute: () => gate.promise }),
    );
    const first = await load(flow, { backend, engine: 'parallel', fence: 1 });
    const running = rejection(first.run());
    await settled();
    const second = await load(flow, { backend, fence: 2, flowDetail: await storedIn(backend, first) });
    second.compile();
    await second.prepare();
    gate.open();
    expect(await running).toBeInstanceOf(StaleFenceError);
    expect(reason).toBeInstanceOf(StaleFenceError);
  });

  it('of an earlier claim is refused before anything runs', async () => {
    const backend = memoryBackend();
    const flowDetail = await newRun(backend);
    const log: string[] = [];
    const early = await load(linear('f').add(step('a')), { backend, flowDetail, fence: 5 });
    early.compile();
    await early.prepare();
    const late = await load(linear('f').add(stepsInto(log)('a')), {
      backend,
      flowDetail: (await snapshotOf(backend))[0]?.flows[0],
      fence: 4,
    });
    expect(await rejection(late.run())).toBeInstanceOf(StaleFenceError);
    expect(log).toEqual([]);
    expect(statesOf(late)).toEqual({ a: 'PENDING' });
  });
});
