import { describe, expect, it } from 'vitest';
import { StorageConflictError, StorageError, UnstorableValueError } from '../../src/errors.js';
import { newTaskDetail } from '../../src/persistence/atom-details.js';
import type { Connection, UnitOfWork } from '../../src/persistence/backend.js';
import { newFlowDetail } from '../../src/persistence/books.js';
import { AtomSlot, Ledger } from '../../src/storage/ledger.js';
import { Gate, manualEnvironment, settled } from '../engines/manual-environment.js';

function opened(answers: ((unit: UnitOfWork) => Promise<void>)[] = [], policy = { attempts: 3, delayMs: 100 }) {
  const environment = manualEnvironment();
  const units: UnitOfWork[] = [];
  const commit: Connection['commit'] = (unit) => {
    units.push(unit);
    return answers.shift()?.(unit) ?? Promise.resolve();
  };
  const detail = newFlowDetail({ name: 'f', uuid: 'flow' }, environment);
  const ledger = new Ledger(detail, { commit } as Connection, environment, policy);
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

  it('for good: what was in it is in the next, and nothing is lost', async () => {
    const { ledger, units, slot, run } = opened([fails(down)], { attempts: 1, delayMs: 100 });
    const [a, b] = [slot('a'), slot('b')];
    run('RUNNING', a);
    ledger.setState('RUNNING');
    ledger.setMeta({ x: 1 });
    await expect(ledger.commit()).rejects.toBe(down);
    expect(ledger.revision).toBe(0);
    expect(ledger.isDirty).toBe(true);
    run('SUCCESS', b);
    await ledger.commit();
    expect(units[1]).toMatchObject({ expectedRevision: 0, state: 'RUNNING', meta: { x: 1 } });
    expect(units[1]?.atoms.map(({ name }) => name).sort()).toEqual(['a', 'b']);
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
    expect(units[1]?.atoms.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  });

  it('an atom that changed again while its commit failed is written as it is now', async () => {
    const gate = new Gate();
    const { ledger, units, slot, run } = opened([() => gate.promise], { attempts: 1, delayMs: 100 });
    const a = slot('a');
    run('RUNNING', a);
    const first = ledger.commit();
    await settled();
    run('SUCCESS', a);
    gate.fail(down);
    await expect(first).rejects.toBe(down);
    await ledger.commit();
    expect(units[1]?.atoms.map(({ state }) => state)).toEqual(['SUCCESS']);
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
