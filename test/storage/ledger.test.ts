import { describe, expect, it } from 'vitest';
import {
  DuplicateError,
  NotFoundError,
  StaleFenceError,
  StorageConflictError,
  StorageError,
  UnstorableValueError,
} from '../../src/errors.js';
import { newTaskDetail } from '../../src/persistence/atom-details.js';
import type { Connection, UnitOfWork } from '../../src/persistence/backend.js';
import { newFlowDetail } from '../../src/persistence/books.js';
import { commitRetryPolicy } from '../../src/storage/commit-retry.js';
import type { CommitRetryPolicy } from '../../src/storage/commit-retry.js';
import { AtomSlot, Ledger } from '../../src/storage/ledger.js';
import { Gate, manualEnvironment, settled } from '../engines/manual-environment.js';

function opened(
  answers: ((unit: UnitOfWork) => Promise<void>)[] = [],
  policy: Partial<CommitRetryPolicy> = { attempts: 3, delayMs: 100 },
  fence?: number,
) {
  const environment = manualEnvironment();
  const units: UnitOfWork[] = [];
  const commit: Connection['commit'] = (unit) => {
    units.push(unit);
    return answers.shift()?.(unit) ?? Promise.resolve();
  };
  const detail = newFlowDetail({ name: 'f', uuid: 'flow' }, environment);
  const ledger = new Ledger(detail, { commit } as Connection, {
    environment,
    commitRetry: commitRetryPolicy(policy),
    fence,
  });
  const slot = (name: string) => new AtomSlot(newTaskDetail({ name, position: 0 }, environment));
  const run = (state: AtomSlot['detail']['state'], ...slots: AtomSlot[]) => {
    for (const each of slots) ledger.write(each, { ...each.detail, state });
  };
  return { ledger, units, environment, slot, run, clock: environment.clock };
}

const down = new StorageError('down');
const fails = (error: unknown) => () => Promise.reject(error);

describe('a ledger', () => {
  it('gathers everything into one unit of work, each atom once and as it is at last', async () => {
    const { ledger, units, slot, run } = opened();
    const [a, b] = [slot('a'), slot('b')];
    run('RUNNING', a, b);
    run('SUCCESS', a);
    ledger.setState('RUNNING');
    ledger.setMeta({ x: 1 });
    await ledger.commit();
    expect(units).toHaveLength(1);
    expect(units[0]).toMatchObject({ flowUuid: 'flow', expectedRevision: 0, state: 'RUNNING', meta: { x: 1 } });
    expect(units[0]?.atoms.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'SUCCESS'],
      ['b', 'RUNNING'],
    ]);
  });

  it('leaves out of a unit what did not change', async () => {
    const { ledger, units, slot, run } = opened();
    ledger.setState('RUNNING');
    await ledger.commit();
    run('RUNNING', slot('a'));
    await ledger.commit();
    expect(Object.keys(units[0] ?? {})).not.toContain('meta');
    expect(units[0]?.atoms).toEqual([]);
    expect(Object.keys(units[1] ?? {})).not.toContain('state');
    expect(units[1]?.atoms).toHaveLength(1);
  });

  it('expects the next revision with each commit, and counts them', async () => {
    const { ledger, units, slot, run } = opened();
    const a = slot('a');
    for (const state of ['RUNNING', 'SUCCESS', 'REVERTING'] as const) {
      run(state, a);
      await ledger.commit();
    }
    expect(units.map(({ expectedRevision }) => expectedRevision)).toEqual([0, 1, 2]);
    expect(ledger.revision).toBe(3);
    expect(ledger.commits).toBe(3);
  });

  it('has nothing to commit when nothing changed', async () => {
    const { ledger, units } = opened();
    expect(ledger.commit()).toBeUndefined();
    expect(ledger.isDirty).toBe(false);
    expect(ledger.commit()).toBeUndefined();
    expect(units).toEqual([]);
  });

  it('makes one commit after another; what changes meanwhile is in the next', async () => {
    const gate = new Gate();
    const { ledger, units, slot, run } = opened([() => gate.promise]);
    const [a, b] = [slot('a'), slot('b')];
    run('RUNNING', a);
    const first = ledger.commit();
    run('RUNNING', b);
    const second = ledger.commit();
    run('SUCCESS', a);
    const third = ledger.commit();
    await settled();
    expect(units).toHaveLength(1);
    expect(units[0]?.atoms.map(({ name, state }) => [name, state])).toEqual([['a', 'RUNNING']]);
    gate.open();
    await Promise.all([first, second, third]);
    expect(units).toHaveLength(2);
    expect(units[1]?.atoms.map(({ name, state }) => [name, state])).toEqual([
      ['b', 'RUNNING'],
      ['a', 'SUCCESS'],
    ]);
    expect(ledger.isDirty).toBe(false);
  });

  it('tells when a commit was made, and not before', async () => {
    const gate = new Gate();
    const { ledger, slot, run } = opened([() => gate.promise]);
    let told = 0;
    ledger.onCommitted = () => (told += 1);
    run('RUNNING', slot('a'));
    const committing = ledger.commit();
    await settled();
    expect(told).toBe(0);
    gate.open();
    await committing;
    expect(told).toBe(1);
  });
});

describe('a commit that fails', () => {
  it('is tried again as often, and after as long, as the policy says', async () => {
    const { ledger, units, slot, run, clock } = opened([fails(down), fails(down)]);
    run('RUNNING', slot('a'));
    const committing = ledger.commit();
    await settled();
    expect(clock.delays).toEqual([100]);
    clock.advance(100);
    await settled();
    expect(clock.delays).toEqual([100, 100]);
    clock.advance(100);
    await committing;
    expect(units).toHaveLength(3);
    expect(new Set(units.map((unit) => JSON.stringify(unit))).size).toBe(1);
    expect(ledger.revision).toBe(1);
  });

  it('waits longer each time where the policy says so, never longer than the longest, some of it at random', async () => {
    const policy = { attempts: 6, delayMs: 100, backoff: 2, maxDelayMs: 500, jitter: 0.5 };
    const { ledger, slot, run, clock } = opened(
      Array.from({ length: 5 }, () => fails(down)),
      policy,
    );
    run('RUNNING', slot('a'));
    const committing = ledger.commit();
    for (let attempt = 1; attempt < 6; attempt++) {
      await settled();
      clock.advance(500);
    }
    await committing;
    // A quarter is taken off, as the random number is a half.
    expect(clock.delays).toEqual([75, 150, 300, 375, 375]);
  });

  it('does not fail the one that was asked for while it was made', async () => {
    const gate = new Gate();
    const { ledger, units, slot, run } = opened([() => gate.promise], { attempts: 1, delayMs: 100 });
    const [a, b] = [slot('a'), slot('b')];
    run('RUNNING', a);
    const first = ledger.commit();
    run('RUNNING', b);
    const second = ledger.commit();
    gate.fail(down);
    await expect(first).rejects.toBe(down);
    await second;
    expect(units.map(({ atoms }) => atoms.map(({ name }) => name))).toEqual([['a'], ['a'], ['b']]);
  });

  it.each([
    ['a conflict', new StorageConflictError('flow', 0, 4)],
    ['a value that cannot be stored', new UnstorableValueError('$', 'a function')],
    ["an error that is not the store's", new Error('a bug')],
  ])('%s is not tried again', async (_, error) => {
    const { ledger, units, slot, run, clock } = opened([fails(error)]);
    run('RUNNING', slot('a'));
    await expect(ledger.commit()).rejects.toBe(error);
    expect(units).toHaveLength(1);
    expect(clock.delays).toEqual([]);
  });
});

describe('a commit that was given up', () => {
  const once = { attempts: 1 };

  async function givenUp(more: Parameters<typeof opened>[0] = []) {
    const world = opened([fails(down), ...more], once);
    const [a, b] = [world.slot('a'), world.slot('b')];
    world.run('RUNNING', a);
    world.ledger.setState('RUNNING');
    world.ledger.setMeta({ x: 1 });
    await expect(world.ledger.commit()).rejects.toBe(down);
    return { ...world, a, b };
  }

  it('is in doubt: nothing counts as durable, and the revision stays', async () => {
    const { ledger } = await givenUp();
    expect(ledger).toMatchObject({ revision: 0, commits: 0, isDirty: true, isSettled: false, isLost: true });
  });

  it('is sent again as it was, before what has changed since', async () => {
    const { ledger, units, a, b, run } = await givenUp();
    run('SUCCESS', a, b);
    await ledger.commit();
    expect(units).toHaveLength(3);
    expect(units[1]).toBe(units[0]);
    expect(units[2]?.id).not.toBe(units[1]?.id);
    expect(units[2]?.expectedRevision).toBe(1);
    expect(units[2]).not.toHaveProperty('state');
    expect(units.map(({ atoms }) => atoms.map(({ name, state }) => `${name} ${String(state)}`))).toEqual([
      ['a RUNNING'],
      ['a RUNNING'],
      ['a SUCCESS', 'b SUCCESS'],
    ]);
    expect(ledger).toMatchObject({ revision: 2, isDirty: false, isLost: false });
  });

  it('is sent alone where nothing has changed since', async () => {
    const { ledger, units } = await givenUp();
    await ledger.commit();
    expect(units).toHaveLength(2);
    expect(ledger.commit()).toBeUndefined();
  });

  it('keeps what has changed since for later as long as it is in doubt', async () => {
    const { ledger, units, b, run } = await givenUp([fails(down)]);
    run('SUCCESS', b);
    await expect(ledger.commit()).rejects.toBe(down);
    await ledger.commit();
    expect(units.map(({ atoms }) => atoms.map(({ name }) => name))).toEqual([['a'], ['a'], ['a'], ['b']]);
  });

  it('joins the next one when the store refuses it at last', async () => {
    const refusal = new UnstorableValueError('$', 'a function');
    const { ledger, units, a, b, run } = await givenUp([fails(refusal)]);
    run('SUCCESS', a, b);
    await expect(ledger.commit()).rejects.toBe(refusal);
    expect(ledger.isLost).toBe(false);
    await ledger.commit();
    expect(units[2]).toMatchObject({ expectedRevision: 0, state: 'RUNNING', meta: { x: 1 } });
    expect(units[2]?.atoms.map(({ name, state }) => [name, state]).sort()).toEqual([
      ['a', 'SUCCESS'],
      ['b', 'SUCCESS'],
    ]);
  });

  it('after an error that nobody knows is in doubt as well', async () => {
    const { ledger, units, slot, run } = opened([fails(new Error('a bug'))]);
    run('RUNNING', slot('a'));
    await expect(ledger.commit()).rejects.toThrow('a bug');
    await ledger.commit();
    expect(units[1]).toBe(units[0]);
  });

  it('when it is hurried is given up at once, and its timer is taken back', async () => {
    const { ledger, units, slot, run, clock } = opened([fails(down)]);
    run('RUNNING', slot('a'));
    const committing = ledger.commit();
    await settled();
    expect(clock.pending).toBe(1);
    ledger.isHurried = true;
    await expect(committing).rejects.toBe(down);
    expect([units.length, clock.pending]).toEqual([1, 0]);
  });
});

describe('a commit that is refused', () => {
  it.each([
    ['a value that cannot be stored', new UnstorableValueError('$', 'a function')],
    ['a run that is not there', new NotFoundError('There is no flow detail f')],
    ['an atom that is there twice', new DuplicateError('a')],
  ])('for %s is in the next one, and nothing is lost', async (_, refusal) => {
    const { ledger, units, slot, run } = opened([fails(refusal)]);
    const [a, b] = [slot('a'), slot('b')];
    run('RUNNING', a);
    ledger.setState('RUNNING');
    await expect(ledger.commit()).rejects.toBe(refusal);
    run('SUCCESS', b);
    await ledger.commit();
    expect(units[1]).toMatchObject({ expectedRevision: 0, state: 'RUNNING' });
    expect(units[1]?.atoms.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  });

  it.each([
    ['a conflict', new StorageConflictError('flow', 0, 4)],
    ['a claim that was taken over', new StaleFenceError('flow', [0, 0], 1, 2)],
  ])('as %s is the last one: nothing is sent any more', async (_, conflict) => {
    const { ledger, units, slot, run } = opened([fails(conflict)]);
    run('RUNNING', slot('a'));
    await expect(ledger.commit()).rejects.toBe(conflict);
    await expect(ledger.commit()).rejects.toBe(conflict);
    run('RUNNING', slot('b'));
    await expect(ledger.commit()).rejects.toBe(conflict);
    expect(units).toHaveLength(1);
    expect(ledger.conflict).toBe(conflict);
    expect(ledger.isSettled).toBe(false);
  });
});

describe('a ledger with a fence token', () => {
  it('has every unit carry it, and one to begin with, so that the claim is durable', async () => {
    const { ledger, units, slot, run } = opened([], {}, 7);
    expect(ledger.isDirty).toBe(true);
    await ledger.commit();
    run('RUNNING', slot('a'));
    await ledger.commit();
    expect(units.map(({ fence, atoms }) => [fence, atoms.length])).toEqual([
      [7, 0],
      [7, 1],
    ]);
    expect(ledger.flowRecord().fence).toBe(7);
    expect(ledger.commit()).toBeUndefined();
  });

  it('without one has none carry any', async () => {
    const { ledger, units, slot, run } = opened();
    run('RUNNING', slot('a'));
    await ledger.commit();
    expect(units[0]).not.toHaveProperty('fence');
  });
});
