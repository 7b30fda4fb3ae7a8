import { afterEach, describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import { DisallowedAccessError, DuplicateError, NotFoundError, StorageError } from '../../src/errors.js';
import { Failure } from '../../src/failure.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { INJECTOR } from '../../src/storage/reserved.js';
import { manualEnvironment } from '../engines/manual-environment.js';
import { openStorage, reopened } from './opened.js';

const a = task({ name: 'a', version: '3.11', execute: () => null });
const b = task({ name: 'b', execute: () => null });
const r = times({ name: 'r' });
const failure = Failure.from(new RangeError('Woot!'));

const opened: PersistenceBackend[] = [];
afterEach(async () => {
  for (const backend of opened.splice(0)) await backend.close();
});

describe.each([
  ['memory', () => memoryBackend()],
  ['SQLite', () => sqliteBackend({ path: ':memory:' })],
])('a run kept in %s', (_, make) => {
  const open = async () => {
    const backend = make();
    opened.push(backend);
    const storage = await openStorage({ backend });
    return { storage, again: () => reopened(storage, backend) };
  };

  it('registers atoms once, with their versions, and finds them again', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a, r]);
    const uuid = storage.getAtomUuid('a');
    storage.ensureAtoms([a, r]);
    await storage.commit();
    const other = await again();
    other.ensureAtoms([a, r, b]);
    expect(other.getAtomUuid('a')).toBe(uuid);
    expect(other.detail('a')).toMatchObject({ version: '3.11', state: 'PENDING', intention: 'EXECUTE', kind: 'task' });
    expect(other.detail('r')).toMatchObject({ kind: 'retry', results: [] });
    expect(other.atomNames()).toEqual(['a', 'r', 'b']);
  });

  it('keeps the version with which an atom was first registered', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a]);
    await storage.commit();
    const other = await again();
    other.ensureAtoms([task({ name: 'a', version: '4.0', execute: () => null })]);
    expect(other.detail('a').version).toBe('3.11');
  });

  it('keeps states, intentions, results and failures of both phases apart', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a, b]);
    storage.save('a', { rows: [1] });
    storage.save('b', failure, 'FAILURE');
    storage.setAtomIntention('b', 'REVERT');
    storage.setAtomState('b', 'REVERTING');
    storage.save('b', failure, 'REVERT_FAILURE');
    await storage.commit();
    const other = await again();
    expect(other.get('a')).toEqual({ rows: [1] });
    expect(other.getAtomsStates(['a', 'b'])).toEqual(
      new Map([
        ['a', ['SUCCESS', 'EXECUTE']],
        ['b', ['REVERT_FAILURE', 'REVERT']],
      ]),
    );
    expect(other.getExecuteFailures().get('b')?.message).toBe('Woot!');
    expect(other.getRevertFailures().get('b')?.message).toBe('Woot!');
    expect(other.get('b')).toBe(other.getExecuteFailures().get('b'));
    expect(other.getRevertResult('b')).toBe(other.getRevertFailures().get('b'));
    expect(other.hasFailures()).toBe(true);
  });

  it('keeps attempts of a retry: values, who failed, and its own failure', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([r]);
    storage.save('r', 1);
    storage.saveRetryFailure('r', 'a', failure);
    storage.saveRetryFailure('r', 'a', Failure.from(new Error('another')));
    storage.save('r', 2);
    storage.save('r', failure, 'FAILURE');
    await storage.commit();
    const history = (await again()).getRetryHistory('r');
    expect([...history.provided()]).toEqual([1, 2]);
    expect([...history.outcomes()].map(([name, { message }]) => [name, message])).toEqual([['a', 'Woot!']]);
    expect(history.failure?.message).toBe('Woot!');
    expect([...(await again()).getRetryHistories().keys()]).toEqual(['r']);
  });

  it('keeps injected values, and those of single atoms when they are to be kept', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a, b]);
    await storage.inject({ x: 1 });
    await storage.inject({ y: 2, x: 3 });
    await storage.inject({ z: 4 }, { transient: true });
    await storage.injectAtomArgs('a', { p: 1 }, { transient: false });
    await storage.injectAtomArgs('a', { q: 2 });
    expect(storage.fetchAll()).toEqual({ x: 3, y: 2, z: 4 });
    const other = await again();
    expect(other.fetchAll()).toEqual({ x: 3, y: 2 });
    expect(() => other.fetch('z')).toThrow(NotFoundError);
    expect(other.argumentOf(other.detail('a'), 'p')).toEqual({ value: 1 });
    expect(other.argumentOf(other.detail('a'), 'q')).toBeUndefined();
    expect(other.argumentOf(other.detail('b'), 'p')).toBeUndefined();
    expect(other.atomNames()).toEqual(['a', 'b']);
  });

  it('keeps metadata and progress', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a]);
    storage.updateFlowMetadata({ who: 'me' });
    storage.updateAtomMetadata('a', { took: 3 });
    storage.setTaskProgress('a', 0.5, { at: 'half' });
    storage.setFlowState('RUNNING');
    await storage.commit();
    const other = await again();
    expect(other.flowMeta).toEqual({ who: 'me' });
    expect(other.detail('a').meta).toMatchObject({ took: 3 });
    expect(other.getTaskProgress('a')).toBe(0.5);
    expect(other.getTaskProgressDetails('a')).toEqual({ atProgress: 0.5, details: { at: 'half' } });
    expect(other.getFlowState()).toBe('RUNNING');
    expect(other.flowUuid).toBe(storage.flowUuid);
    expect(other.flowName).toBe('f');
  });

  it('fifty injections at once are all kept', async () => {
    const { storage, again } = await open();
    await Promise.all(Array.from({ length: 50 }, (_, i) => storage.inject({ [`x${i}`]: i })));
    const other = await again();
    expect(Object.keys(other.fetchAll())).toHaveLength(50);
    expect(other.flowDetail().atoms.map(({ name }) => name)).toEqual([INJECTOR]);
  });

  it('a failure is the same object as long as the run is open, and a record after that', async () => {
    const { storage, again } = await open();
    storage.ensureAtoms([a]);
    storage.save('a', failure, 'FAILURE');
    expect(storage.getFailures().get('a')).toBe(failure);
    await storage.commit();
    const read = (await again()).getFailures().get('a');
    expect(read).not.toBe(failure);
    expect(read?.isLive).toBe(false);
    expect(read?.matches(failure)).toBe(true);
  });
});

describe('what is written', () => {
  it('can be read at once, and is durable with the commit only', async () => {
    const backend = memoryBackend();
    const storage = await openStorage({ backend });
    storage.ensureAtoms([a]);
    await storage.commit();
    storage.save('a', 1);
    expect(storage.get('a')).toBe(1);
    expect((await reopened(storage, backend)).getAtomState('a')).toBe('PENDING');
    await storage.commit();
    expect((await reopened(storage, backend)).get('a')).toBe(1);
  });

  it('without a store stays in memory, and commits have nothing to wait for', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', 1);
    expect(storage.commit()).toBeUndefined();
    expect(storage.flowDetail().revision).toBe(1);
    expect(storage.commit()).toBeUndefined();
    expect(storage.flowDetail().revision).toBe(1);
  });

  it('a flow without a state reads as PENDING', async () => {
    const storage = await openStorage();
    expect(storage.getFlowState()).toBe('PENDING');
    expect(storage.flowDetail().state).toBeNull();
  });

  it('is a copy of its own: a detail that was given out does not change any more', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    const before = storage.flowDetail();
    storage.save('a', 1);
    expect(before.atoms[0]?.state).toBe('PENDING');
  });
});

describe('what is refused', () => {
  it('an atom that nobody registered, by its name', async () => {
    const storage = await openStorage();
    const attempts = [
      () => storage.getAtomState('x'),
      () => storage.getAtomIntention('x'),
      () => storage.getAtomUuid('x'),
      () => storage.get('x'),
      () => storage.getRevertResult('x'),
      () => storage.setAtomState('x', 'RUNNING'),
      () => storage.setAtomIntention('x', 'REVERT'),
      () => storage.save('x', 1),
      () => storage.getRetryHistory('x'),
      () => storage.setTaskProgress('x', 1),
      () => storage.updateAtomMetadata('x', { y: 1 }),
      () => storage.getAtomsStates(['x']),
    ];
    for (const attempt of attempts) {
      expect(attempt).toThrow(NotFoundError);
      expect(attempt).toThrow(/"x"/);
    }
    await expect(storage.injectAtomArgs('x', { y: 1 })).rejects.toThrow(NotFoundError);
    expect(() => storage.getAtomState('constructor')).toThrow(NotFoundError);
  });

  it('an atom of the other kind, all or none', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    expect(() => storage.ensureAtoms([b, times({ name: 'a' })])).toThrow(DuplicateError);
    expect(() => storage.ensureAtoms([b, times({ name: 'a' })])).toThrow(/a is a retry now, and was stored as a task/);
    expect(storage.atomNames()).toEqual(['a']);
  });

  it('the name of the record of injected values', async () => {
    const storage = await openStorage();
    expect(() => storage.ensureAtoms([task({ name: INJECTOR, execute: () => null })])).toThrow(RangeError);
  });

  it('the history of a task, and the progress of a retry', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a, r]);
    expect(() => storage.getRetryHistory('a')).toThrow(TypeError);
    expect(() => storage.saveRetryFailure('a', 'b', failure)).toThrow(TypeError);
    expect(() => storage.setTaskProgress('r', 0.5)).toThrow(TypeError);
  });

  it('a failure of an attempt that was never made', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([r]);
    expect(() => storage.saveRetryFailure('r', 'a', failure)).toThrow(StorageError);
  });

  it('a result of FAILURE that is no failure', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    expect(() => storage.save('a', 'bad', 'FAILURE')).toThrow(TypeError);
    expect(storage.getAtomState('a')).toBe('PENDING');
  });

  it.each(['PENDING', 'RUNNING', 'REVERTED', 'IGNORE'] as const)('a result in the state %s', async (state) => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', 1);
    storage.setAtomState('a', state);
    expect(() => storage.get('a')).toThrow(NotFoundError);
    let cause: unknown;
    try {
      storage.get('a');
    } catch (error) {
      cause = (error as Error).cause;
      if (state === 'IGNORE') expect((error as Error).message).toContain('as it was ignored');
    }
    expect(cause).toBeInstanceOf(DisallowedAccessError);
    expect(cause).toMatchObject({ state });
  });

  it.each(['SUCCESS', 'REVERTING'] as const)('but not in the state %s', async (state) => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', 1);
    storage.setAtomState('a', state);
    expect(storage.get('a')).toBe(1);
    expect(storage.getExecuteResult('a')).toBe(1);
  });
});

describe('failures', () => {
  it('are in the order in which atoms were registered, not in that of failing', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a, b, r]);
    for (const name of ['r', 'b', 'a']) storage.save(name, failure, 'FAILURE');
    expect([...storage.getFailures().keys()]).toEqual(['a', 'b', 'r']);
    expect([...storage.getExecuteFailures().keys()]).toEqual(['a', 'b', 'r']);
  });

  it('are forgotten with a success', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', failure, 'FAILURE');
    storage.save('a', 1);
    expect(storage.hasFailures()).toBe(false);
    expect(storage.getFailures().size).toBe(0);
  });

  it('stand in whatever state their atom is', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', failure, 'FAILURE');
    storage.setAtomState('a', 'REVERTING');
    expect(storage.get('a')).toBe(failure);
    storage.save('a', 'undone', 'REVERTED');
    expect(storage.get('a')).toBe(failure);
    expect(storage.getRevertResult('a')).toBe('undone');
    expect(storage.hasFailures()).toBe(true);
  });

  it('of one phase are not those of the other', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.save('a', failure, 'REVERT_FAILURE');
    expect(storage.getExecuteFailures().size).toBe(0);
    expect([...storage.getRevertFailures().keys()]).toEqual(['a']);
    expect(storage.hasFailures()).toBe(true);
  });

  it('that were given out before do not change', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a, b]);
    storage.save('a', failure, 'FAILURE');
    const before = storage.getFailures();
    storage.save('b', failure, 'FAILURE');
    expect([...before.keys()]).toEqual(['a']);
    expect([...storage.getFailures().keys()]).toEqual(['a', 'b']);
  });
});

describe('progress', () => {
  it('is 0 before any is told', async () => {
    const storage = await openStorage({ environment: manualEnvironment() });
    storage.ensureAtoms([a]);
    expect(storage.getTaskProgress('a')).toBe(0);
    expect(storage.getTaskProgressDetails('a')).toBeNull();
  });

  it('keeps its details until others are told; empty ones take them away', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.setTaskProgress('a', 0.2, { at: 1 });
    storage.setTaskProgress('a', 0.5);
    expect(storage.getTaskProgressDetails('a')).toEqual({ atProgress: 0.2, details: { at: 1 } });
    storage.setTaskProgress('a', 0.6, {});
    expect(storage.getTaskProgressDetails('a')).toBeNull();
    expect(storage.getTaskProgress('a')).toBe(0.6);
  });

  it('stays when nothing is updated', async () => {
    const storage = await openStorage();
    storage.ensureAtoms([a]);
    storage.setTaskProgress('a', 0.5);
    const before = storage.detail('a');
    storage.updateAtomMetadata('a', {});
    expect(storage.detail('a')).toBe(before);
  });
});

describe('hostile names', () => {
  it.each(['constructor', '__proto__', 'toString', '1', ''])(
    '%j is metadata, a symbol and an argument like any other',
    async (name) => {
      const backend = memoryBackend();
      const storage = await openStorage({ backend });
      const pairs = Object.defineProperty({}, name, { value: 7, enumerable: true });
      storage.ensureAtoms([a]);
      storage.updateAtomMetadata('a', pairs);
      storage.updateFlowMetadata(pairs);
      await storage.injectAtomArgs('a', pairs, { transient: false });
      await storage.inject(pairs);
      const other = await reopened(storage, backend);
      const own = (object: object): unknown => Object.getOwnPropertyDescriptor(object, name)?.value;
      expect(own(other.detail('a').meta)).toBe(7);
      expect(own(other.flowMeta)).toBe(7);
      expect(other.fetch(name)).toBe(7);
      expect(own(other.fetchAll())).toBe(7);
      expect(other.argumentOf(other.detail('a'), name)).toEqual({ value: 7 });
      expect(Object.getPrototypeOf({})).toBe(Object.prototype);
      expect(({} as Record<string, unknown>)['7']).toBeUndefined();
    },
  );
});
