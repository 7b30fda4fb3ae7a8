import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { StorageConflictError, StorageError, UnstorableValueError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { PersistenceBackend, UnitOfWork } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { isReserved } from '../../src/storage/reserved.js';
import { failAfter, failBefore, interrupting, never, snapshotOf } from '../../src/testing/interrupting-backend.js';
import { announcementsOf, runWithin, statesOf } from './announcements.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

const CHECKPOINTS = ['round', 'change'] as const;
const woot = new Error('Woot!');

function stored(backend: PersistenceBackend, { storage }: Engine): Promise<FlowDetail> {
  return usingConnection(backend, (connection) => connection.getFlowDetail(storage.flowUuid));
}

/** An engine that is prepared, and how many commits running it then takes. */
async function commitsOf(
  flow: Flow,
  options: LoadOptions = {},
): Promise<{ commits: number; units: readonly UnitOfWork[] }> {
  const backend = interrupting(memoryBackend(), never);
  const engine = await load(flow, { backend, ...options });
  engine.compile();
  await engine.prepare();
  const before = backend.commits;
  await engine.run().catch(() => undefined);
  expect(engine.statistics.commits).toBe(backend.commits - before);
  return { commits: backend.commits - before, units: backend.units.slice(before) };
}

describe.each(CHECKPOINTS)('with a commit each %s', (checkpoint) => {
  it.each(['serial', 'parallel'] as const)(
    'C1: what is stored says RUNNING or REVERTING when user code runs (%s)',
    async (engineKind) => {
      const backend = memoryBackend();
      const seen: string[] = [];
      const look = async (name: string) => {
        const { atoms, state } = await stored(backend, engine);
        seen.push(`${name} ${String(atoms.find((atom) => atom.name === name)?.state)} ${String(state)}`);
      };
      const looking = (name: string, fails = false) =>
        step(name, {
          execute: async () => {
            await look(name);
            if (fails) throw woot;
          },
          revert: () => look(name),
        });
      const engine = await load(linear('f').add(looking('a'), unordered('u').add(looking('b'), looking('c', true))), {
        backend,
        checkpoint,
        engine: engineKind,
      });
      await rejection(engine.run());
      expect(seen.slice(0, 1)).toEqual(['a RUNNING RUNNING']);
      expect(seen.slice(1, 3).sort()).toEqual(['b RUNNING RUNNING', 'c RUNNING RUNNING']);
      expect(seen.slice(3).sort()).toEqual(['a REVERTING RUNNING', 'b REVERTING RUNNING', 'c REVERTING RUNNING']);
    },
  );

  it('C2: a result is stored before anything that depends on it starts', async () => {
    const backend = memoryBackend();
    let found: unknown;
    const flow = linear('f').add(
      step('a', { provides: 'x', execute: () => 41 }),
      step('b', {
        requires: ['x'],
        execute: async () => {
          found = (await stored(backend, engine)).atoms.find(({ name }) => name === 'a')?.results;
        },
      }),
    );
    const engine = await load(flow, { backend, checkpoint });
    await engine.run();
    expect(found).toBe(41);
  });

  it('C2: a failure, and what was decided about it, is stored before anything is reverted', async () => {
    const backend = memoryBackend();
    let found: unknown;
    const flow = linear('f', { retry: times({ name: 'r' }) }).add(
      step('a'),
      step('b', {
        execute: throwing(woot),
        revert: async () => {
          const { atoms } = await stored(backend, engine);
          found = atoms
            .filter(({ name }) => !isReserved(name))
            .map(({ name, intention, failure }) => [name, intention, failure?.message ?? null]);
        },
      }),
    );
    const engine = await load(flow, { backend, checkpoint });
    await rejection(engine.run());
    expect(found).toEqual([
      ['a', 'REVERT', null],
      ['b', 'REVERT', 'Woot!'],
      ['r', 'REVERT', null],
    ]);
  });

  it('everything is stored when a run has ended, however it ended', async () => {
    const endings = [
      { flow: () => linear('f').add(step('a')), state: 'SUCCESS' },
      { flow: () => linear('f').add(step('a', { execute: throwing(woot) })), state: 'REVERTED' },
      { flow: () => linear('f').add(step('a', { execute: throwing(woot), revert: throwing(woot) })), state: 'FAILURE' },
    ];
    for (const { flow, state } of endings) {
      const backend = memoryBackend();
      const engine = await load(flow(), { backend, checkpoint });
      await engine.run().catch(() => undefined);
      const detail = await stored(backend, engine);
      expect(detail.state).toBe(state);
      expect(detail.revision).toBe(engine.storage.flowDetail().revision);
      expect(detail.atoms.map((atom) => atom.state)).toEqual(
        engine.storage.flowDetail().atoms.map((atom) => atom.state),
      );
    }
  });

  it('C4: progress is stored with the next commit', async () => {
    const backend = interrupting(memoryBackend(), never);
    let before = 0;
    let after = 0;
    const engine = await load(
      linear('f').add(
        step('a', {
          execute: (_, context) => {
            before = backend.commits;
            for (let done = 1; done < 100; done++) context.progress(done / 100);
            after = backend.commits;
          },
        }),
      ),
      { backend, checkpoint },
    );
    await engine.run();
    expect(after).toBe(before);
    expect((await stored(backend, engine)).atoms[0]?.meta).toMatchObject({ progress: 1 });
  });
});

describe('C3: one commit a round', () => {
  it('a chain takes one for each task, and one for its end', async () => {
    for (const length of [1, 5, 20]) {
      const { commits } = await commitsOf(linear('f').addAll(Array.from({ length }, (_, i) => step(`t${i}`))));
      expect(commits).toBe(length + 1);
    }
  });

  it('a thousand independent tasks take a handful', async () => {
    const { commits } = await commitsOf(unordered('f').addAll(Array.from({ length: 1000 }, (_, i) => step(`t${i}`))));
    expect(commits).toBeLessThanOrEqual(3);
  });

  it('a wave of a parallel engine is marked in one, however its tasks end', async () => {
    const tasks = Array.from({ length: 50 }, (_, i) => step(`t${i}`, { execute: () => settled() }));
    const { units } = await commitsOf(unordered('f').addAll(tasks), { engine: 'parallel' });
    expect(units[0]?.atoms.map(({ state }) => state)).toEqual(Array.from({ length: 50 }, () => 'RUNNING'));
  });

  it('a resolution is never half written', async () => {
    const flow = linear('f').addAll([
      ...Array.from({ length: 10 }, (_, i) => step(`t${i}`)),
      step('fails', { execute: throwing(woot) }),
    ]);
    const { units } = await commitsOf(flow);
    const intentions = units.map(({ atoms }) => atoms.filter(({ intention }) => intention === 'REVERT').length);
    // All at once, with the failure; after that one atom after another.
    expect(Math.max(...intentions)).toBe(11);
    expect(intentions.filter((count) => count > 2)).toHaveLength(1);
  });

  it('a round of a retry that tries again is one commit', async () => {
    let calls = 0;
    const flaky = step('a', {
      execute: () => {
        calls += 1;
        if (calls === 1) throw woot;
      },
    });
    const { commits } = await commitsOf(linear('f', { retry: times({ name: 'r', attempts: 2 }) }).add(flaky));
    // r; a fails; a is reverted; r again; a; end
    expect(commits).toBe(6);
  });

  it('a run with nothing to do takes one for its beginning and its end', async () => {
    const backend = interrupting(memoryBackend(), never);
    const engine = await load(linear('f').add(step('a')), { backend });
    await engine.run();
    const before = backend.commits;
    await engine.run();
    expect(backend.commits - before).toBeLessThanOrEqual(2);
  });

  it('without a store commits are counted all the same', async () => {
    const engine = await load(linear('f').add(step('a'), step('b')));
    engine.compile();
    await engine.prepare();
    await engine.run();
    expect(engine.statistics.commits).toBe(3);
  });
});

describe('C3b: a commit for every change', () => {
  it('makes the same changes, one at a time', async () => {
    const flow = () => linear('f').add(step('a'), step('b'));
    const round = await commitsOf(flow());
    const change = await commitsOf(flow(), { checkpoint: 'change' });
    expect(change.commits).toBeGreaterThan(round.commits);
    for (const { atoms } of change.units) expect(new Set(atoms.map(({ name }) => name)).size).toBeLessThanOrEqual(1);
    const statesIn = (units: readonly UnitOfWork[]) =>
      units.flatMap(({ atoms }) => atoms.filter(({ name }) => name === 'a').map(({ state }) => state));
    expect([...new Set(statesIn(change.units))]).toEqual(['RUNNING', 'SUCCESS']);
    expect([...new Set(statesIn(round.units))]).toEqual(['RUNNING', 'SUCCESS']);
  });

  /** Runs a flow until it is suspended. @returns what was told, each with the state of `b` that was durable by then. */
  async function toldOf(flow: Flow, suspendWhen: string): Promise<string[]> {
    const backend = interrupting(memoryBackend(), never);
    const engine = await load(flow, { backend, checkpoint: 'change' });
    const told: string[] = [];
    const durable = () => backend.units.flatMap(({ atoms }) => atoms).findLast(({ name }) => name === 'b')?.state;
    const note = (what: string) => {
      told.push(`${what}, b is ${String(durable())}`);
      if (what === suspendWhen) engine.suspend();
    };
    engine.notifier.register('*', (state) => note(`flow ${state}`));
    engine.atomNotifier.register('*', (state, details) =>
      note(`${Object.values(details).join().slice(0, 1)} ${state}`),
    );
    await engine.run();
    return told;
  }

  it('tells of nothing that is not durable, also after a listener has asked for suspension', async () => {
    const told = await toldOf(unordered('f').add(step('a'), step('b')), 'a SUCCESS');
    expect(told.slice(-4)).toEqual([
      'a SUCCESS, b is RUNNING',
      'flow SUSPENDING, b is RUNNING',
      'b SUCCESS, b is SUCCESS',
      'flow SUCCESS, b is SUCCESS',
    ]);
  });

  it('makes a suspension that a task asks for durable, and tells of it, before the next atom is marked', async () => {
    const engines: Engine[] = [];
    const backend = interrupting(memoryBackend(), never);
    const asking = step('a', { execute: () => engines[0]?.suspend() });
    const engine = await load(unordered('f').add(asking, step('b')), { backend, checkpoint: 'change' });
    engines.push(engine);
    const marked: boolean[] = [];
    engine.notifier.register('SUSPENDING', () => {
      marked.push(
        backend.units.flatMap(({ atoms }) => atoms).some(({ name, state }) => name === 'b' && state === 'RUNNING'),
      );
    });
    expect(await engine.run()).toBe('SUCCESS');
    expect(marked).toEqual([false]);
  });
});

describe('C5: two engines on one run', () => {
  it.each(CHECKPOINTS)('the one that comes too late is told so and writes nothing (%s)', async (checkpoint) => {
    const backend = memoryBackend();
    const log: string[] = [];
    const step = stepsInto(log);
    const gate = new Gate();
    const flowOf = (wait?: Promise<void>) => linear('f').add(step('a', { execute: () => wait }), step('b'));
    const first = await load(flowOf(gate.promise), { backend, checkpoint });
    const running = rejection(first.run());
    await settled();
    const second = await load(flowOf(), { backend, checkpoint, flowDetail: await stored(backend, first) });
    expect(await second.run()).toBe('SUCCESS');
    const before = await snapshotOf(backend);
    log.length = 0;
    gate.open();
    const error = await running;
    expect(error).toBeInstanceOf(StorageConflictError);
    expect(error).toMatchObject({ flowUuid: first.storage.flowUuid });
    expect(log).toEqual([]);
    expect(await snapshotOf(backend)).toEqual(before);
    expect((await stored(backend, first)).state).toBe('SUCCESS');
  });

  it('both started at once: one wins, one writes nothing', async () => {
    const backend = memoryBackend();
    const flow = () => linear('f').add(step('a'), step('b'));
    const first = await load(flow(), { backend });
    const flowDetail = await stored(backend, first);
    const second = await load(flow(), { backend, flowDetail });
    const third = await load(flow(), { backend, flowDetail });
    const ends = await Promise.allSettled([second.run(), third.run()]);
    const lost = ends.filter(({ status }) => status === 'rejected');
    expect(lost).toHaveLength(1);
    expect((lost[0] as PromiseRejectedResult).reason).toBeInstanceOf(StorageConflictError);
    const winner = ends[0].status === 'fulfilled' ? second : third;
    expect((await stored(backend, first)).state).toBe('SUCCESS');
    expect((await stored(backend, first)).revision).toBe(winner.storage.flowDetail().revision);
  });

  it('a conflict is not tried again', async () => {
    const environment = manualEnvironment();
    const backend = interrupting(memoryBackend(), failBefore(2, new StorageConflictError('f', 1, 2)));
    const engine = await load(linear('f').add(step('a')), { backend, environment });
    await expect(engine.run()).rejects.toThrow(StorageConflictError);
    expect(environment.clock.delays).toEqual([]);
  });
});

describe('a store that fails', () => {
  const options = { commitRetry: { attempts: 1 } };

  it('before anything was run: the run throws, nothing has happened, and it can be run again', async () => {
    const log: string[] = [];
    const environment = manualEnvironment();
    const error = new StorageError('down');
    const backend = interrupting(memoryBackend(), failBefore(1, error));
    const engine = await load(linear('f').add(stepsInto(log)('a')), { backend, environment, ...options });
    expect(await rejection(engine.run())).toBe(error);
    expect(log).toEqual([]);
    expect(await runWithin(engine, 30)).toBe('SUCCESS');
    expect((await stored(backend, engine)).state).toBe('SUCCESS');
  });

  it('while a wave is marked: user code does not run', async () => {
    const log: string[] = [];
    const error = new StorageError('down');
    const backend = interrupting(memoryBackend(), failBefore(2, error));
    const engine = await load(linear('f').add(stepsInto(log)('a')), {
      backend,
      environment: manualEnvironment(),
      ...options,
    });
    expect(await rejection(engine.run())).toBe(error);
    expect(log).toEqual([]);
    expect(engine.storage.getFlowState()).toBe('RUNNING');
    expect((await stored(backend, engine)).state).toBeNull();
  });

  it('at the end: the run throws, and the next one ends it', async () => {
    const log: string[] = [];
    const error = new StorageError('down');
    const backend = interrupting(memoryBackend(), failBefore(3, error));
    const engine = await load(linear('f').add(stepsInto(log)('a')), {
      backend,
      environment: manualEnvironment(),
      ...options,
    });
    expect(await rejection(engine.run())).toBe(error);
    const again = await load(linear('f').add(stepsInto(log)('a')), {
      backend,
      flowDetail: await stored(backend, engine),
    });
    expect(await again.run()).toBe('SUCCESS');
    expect((await stored(backend, engine)).state).toBe('SUCCESS');
    // What came of a was lost with the engine that knew it.
    expect(log).toEqual(['execute a', 'execute a']);
  });

  it('for a while only: the commit is tried again by the given clock, and the run goes on', async () => {
    const environment = manualEnvironment();
    const backend = interrupting(memoryBackend(), failBefore(2, new StorageError('down')));
    const engine = await load(linear('f').add(step('a')), {
      backend,
      environment,
      commitRetry: { attempts: 2, delayMs: 70 },
    });
    const running = engine.run();
    await settled();
    expect(environment.clock.delays).toEqual([70]);
    environment.clock.advance(69);
    await settled();
    expect(engine.storage.getAtomState('a')).toBe('RUNNING');
    environment.clock.advance(1);
    expect(await running).toBe('SUCCESS');
  });

  it('that made a commit and said that it did not, is sent it again, and makes it once', async () => {
    const environment = manualEnvironment();
    const backend = interrupting(memoryBackend(), failAfter(2, new StorageError('answer lost')));
    const log: string[] = [];
    const engine = await load(linear('f').add(stepsInto(log)('a')), {
      backend,
      environment,
      commitRetry: { attempts: 2, delayMs: 1 },
    });
    const running = engine.run();
    await settled();
    environment.clock.advance(1);
    expect(await running).toBe('SUCCESS');
    expect(log).toEqual(['execute a']);
    const { revision } = await stored(backend, engine);
    expect(revision).toBe(backend.commits - 1);
  });

  it('a parallel engine waits for what is under way before it gives up', async () => {
    const gate = new Gate();
    const error = new StorageError('down');
    const backend = interrupting(memoryBackend(), failBefore(3, error));
    const flow = unordered('f').add(
      step('slow', { execute: () => gate.promise }),
      linear('l').add(step('a'), step('b')),
    );
    const engine = await load(flow, { backend, engine: 'parallel', environment: manualEnvironment(), ...options });
    let isOver = false;
    const running = rejection(engine.run()).finally(() => (isOver = true));
    await settled();
    expect(isOver).toBe(false);
    gate.open();
    expect(await running).toBe(error);
  });

  it('for one commit only: the same engine goes on from there', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const backend = interrupting(memoryBackend(), failBefore(3, new StorageError('down')));
    const engine = await load(linear('f').add(step('a'), step('b')), {
      backend,
      environment: manualEnvironment(),
      ...options,
    });
    await expect(engine.run()).rejects.toThrow('down');
    expect(await runWithin(engine, 30).catch(String)).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b']);
  });

  it('nothing is told that did not come to be, and then what a later run does', async () => {
    const backend = interrupting(memoryBackend(), failBefore(2, new StorageError('down')));
    const engine = await load(linear('f').add(step('a')), { backend, environment: manualEnvironment(), ...options });
    const told = announcementsOf(engine);
    await expect(engine.run()).rejects.toThrow('down');
    expect(told).toEqual(['flow RUNNING']);
    await runWithin(engine, 30);
    expect(told.slice(1)).toEqual([
      'flow RESUMING',
      'flow SUSPENDED',
      'flow RUNNING',
      'a SUCCESS("a")',
      'flow SUCCESS',
    ]);
  });
});

describe('values that a store cannot keep', () => {
  it('a result that is one is a failure of its atom, naming it and the place; the rest of the run is not harmed', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const backend = memoryBackend();
    const flow = linear('f').add(step('a'), step('b', { execute: () => ({ rows: [1, { when: undefined }] }) }));
    const engine = await load(flow, { backend });
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(UnstorableValueError);
    expect((error as UnstorableValueError).path).toBe('$.rows[1].when');
    expect((error as UnstorableValueError).message).toContain('result of b');
    expect(log).toEqual(['execute a', 'execute b', 'revert b', 'revert a']);
    expect((await stored(backend, engine)).state).toBe('REVERTED');
  });

  it('what a revert gave, or a retry, is checked as well', async () => {
    const backend = memoryBackend();
    const engine = await load(linear('f').add(step('a', { execute: throwing(woot), revert: () => new Map() })), {
      backend,
    });
    await expect(engine.run()).rejects.toThrow(/result of a/);
    expect(statesOf(engine)).toEqual({ a: 'REVERT_FAILURE' });
  });

  it('is refused where it is injected, and nothing is changed', async () => {
    const backend = memoryBackend();
    const engine = await load(linear('f').add(step('a')), { backend, store: { x: 1 } });
    const before = await snapshotOf(backend);
    await expect(engine.storage.inject({ y: 1, x: 10n })).rejects.toThrow(UnstorableValueError);
    expect(engine.storage.fetchAll()).toEqual({ x: 1 });
    expect(await snapshotOf(backend)).toEqual(before);
    await engine.storage.inject({ x: 10n }, { transient: true });
    expect(engine.storage.fetch('x')).toBe(10n);
  });

  it('in progress details it does not stop the run for good', async () => {
    const backend = memoryBackend();
    const engine = await load(
      linear('f').add(step('a', { execute: (_, context) => context.progress(0.5, { at: 10n }) }), step('b')),
      { backend },
    );
    await engine.run().catch(() => undefined);
    const again = await load(linear('f').add(step('a'), step('b')), {
      backend,
      flowDetail: await stored(backend, engine),
    });
    expect(['SUCCESS', 'REVERTED', 'FAILURE']).toContain((await stored(backend, engine)).state);
    await again.run().catch(() => undefined);
    expect(['SUCCESS', 'REVERTED']).toContain((await stored(backend, engine)).state);
  });
});
