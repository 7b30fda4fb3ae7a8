import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { forEach, times } from '../../src/atoms/retries.js';
import type { Task } from '../../src/atoms/task.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { loadUntyped } from '../../src/engines/load.js';
import { PlanChangedError } from '../../src/engines/plan-consent.js';
import type { PlanDifference } from '../../src/engines/plan-difference.js';
import {
  DuplicateError,
  IncompatibleVersionError,
  NotFoundError,
  StorageError,
  UnstorableValueError,
} from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { fetch } from '../../src/persistence/fetch.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { INJECTOR, PLAN } from '../../src/storage/reserved.js';
import { failBefore, interrupting, never, restored, snapshotOf } from '../../src/testing/interrupting-backend.js';
import { rejection, throwing } from './steps.js';

interface StepOptions {
  readonly version?: string;
  readonly requires?: string[];
  readonly execute?: (args: object) => unknown;
  readonly revert?: () => unknown;
}

const step = (name: string, options: StepOptions = {}) =>
  task({ execute: () => `${name} done`, ...options, name, provides: `of-${name}` });

/** Runs a flow until an atom has succeeded. @returns the uuid of the run. */
async function runUntil(last: string, flow: Flow | Task, backend: PersistenceBackend): Promise<string> {
  const engine = await loadUntyped(flow, { backend }, { given: 1 });
  engine.atomNotifier.register('SUCCESS', (_, details) => {
    if (('taskName' in details ? details.taskName : details.retryName) === last) engine.suspend();
  });
  expect(await engine.run()).toBe('SUSPENDED');
  await engine.close();
  return engine.storage.flowUuid;
}

function stored(backend: PersistenceBackend, uuid: string): Promise<FlowDetail> {
  return usingConnection(backend, (connection) => connection.getFlowDetail(uuid));
}

type ResumeOptions = Omit<LoadOptions, 'backend' | 'flowDetail'> & { readonly store?: Record<string, unknown> };

async function resume(
  flow: Flow | Task,
  backend: PersistenceBackend,
  uuid: string,
  { store, ...options }: ResumeOptions = {},
): Promise<Engine> {
  return loadUntyped(flow, { ...options, backend, flowDetail: await stored(backend, uuid) }, store);
}

/** A run of a, b, c and d, of which a and b have succeeded. */
async function halfway(backend: PersistenceBackend = memoryBackend()) {
  const flow = () => linear('trip').add(step('a'), step('b'), step('c'), step('d'));
  const uuid = await runUntil('b', flow(), backend);
  return { backend, uuid, flow };
}

/** What each list says: the names, those that need consent marked. */
function listsOf(difference: PlanDifference | null): Record<string, string[]> {
  const lists = ['added', 'removed', 'moved', 'rewired', 'reversioned'] as const;
  return Object.fromEntries(
    lists
      .map((list): [string, string[]] => [
        list,
        (difference?.[list] ?? []).map(({ name, classed }) => (classed === 'safe' ? name : `${name}!`)),
      ])
      .filter(([, names]) => names.length > 0),
  );
}

async function differenceFrom(before: Flow | Task, last: string, after: Flow | Task): Promise<PlanDifference | null> {
  const backend = memoryBackend();
  const uuid = await runUntil(last, before, backend);
  return (await resume(after, backend, uuid)).planDifference();
}

describe('D20: the difference of a plan', () => {
  const trip = () => linear('trip').add(step('a'), step('b'), step('c'), step('d'));

  it('is null for a run that was never stored, and empty for the same flow', async () => {
    expect((await loadUntyped(trip(), {}, undefined)).planDifference()).toBeNull();
    const difference = await differenceFrom(trip(), 'b', trip());
    expect(difference).toMatchObject({ isEmpty: true, needsConsent: false });
    expect(difference?.kept.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'SUCCESS'],
      ['b', 'SUCCESS'],
      ['c', 'PENDING'],
      ['d', 'PENDING'],
    ]);
    expect(String(difference)).toBe('nothing is different');
  });

  it.each<[string, () => Flow, Record<string, string[]>]>([
    [
      'a new atom that was not reached is safe',
      () => linear('trip').add(step('a'), step('b'), step('new'), step('c'), step('d')),
      { added: ['new'] },
    ],
    [
      'a new atom before one that ran is not',
      () => linear('trip').add(step('a'), step('new'), step('b'), step('c'), step('d')),
      { added: ['new!'] },
    ],
    [
      'nor is one in a flow before one that ran',
      () =>
        linear('trip').add(
          unordered('all').add(linear('in').add(step('new'))),
          step('a'),
          step('b'),
          step('c'),
          step('d'),
        ),
      { added: ['new!'] },
    ],
    [
      'nor is a retry around one that ran',
      () => linear('trip', { retry: times() }).add(step('a'), step('b'), step('c'), step('d')),
      { added: ['trip_retry!'] },
    ],
    [
      'a minor version is safe, a major one is not',
      () => linear('trip').add(step('a', { version: '1.7' }), step('b'), step('c', { version: '2.0' }), step('d')),
      { reversioned: ['a', 'c!'] },
    ],
    ['an atom that is gone is not', () => linear('trip').add(step('a'), step('b'), step('c')), { removed: ['d!'] }],
    [
      'an atom that moved is not',
      () => linear('trip').add(step('a'), step('b'), linear('in').add(step('c')), step('d')),
      { moved: ['c!'] },
    ],
    [
      'an atom that takes something else is not',
      () => linear('trip').add(step('a'), step('b'), step('c', { requires: ['of-a'] }), step('d')),
      { rewired: ['c!'] },
    ],
  ])('%s', async (_, after, lists) => {
    const difference = await differenceFrom(trip(), 'b', after());
    expect(listsOf(difference)).toEqual(lists);
    expect(difference?.needsConsent).toBe(
      Object.values(lists)
        .flat()
        .some((name) => name.endsWith('!')),
    );
    expect(difference?.isEmpty).toBe(false);
  });

  it('is told with what has become of each atom', async () => {
    const after = linear('trip').add(
      step('a'),
      step('new'),
      linear('in').add(step('c')),
      step('d', { version: '1.1' }),
    );
    const difference = await differenceFrom(trip(), 'b', after);
    expect(String(difference).split('\n')).toEqual([
      '! removed task b (SUCCESS): was in trip',
      '! moved task c (PENDING): was in trip, is in trip/in',
      '  reversioned task d (PENDING): was 1.0, is 1.1',
      '  added task new (new): is in trip',
    ]);
  });

  it('shows no more than a few of each kind', async () => {
    const many = Array.from({ length: 50 }, (_, i) => step(`x${i}`));
    const difference = await differenceFrom(linear('f').add(step('a'), ...many), 'a', linear('f').add(step('a')));
    const lines = String(difference).split('\n');
    expect(lines).toHaveLength(21);
    expect(lines.at(-1)).toBe('  … and 30 more that are removed');
  });

  it('of flows with other names needs consent', async () => {
    const after = linear('journey').add(step('a'), step('b'), step('c'), step('d'));
    const difference = await differenceFrom(trip(), 'b', after);
    expect(difference).toMatchObject({ isEmpty: false, needsConsent: true, flow: { from: 'trip', to: 'journey' } });
    expect(String(difference)).toBe('! the flow is journey now, and was trip');
  });

  it('counts a new atom as reached while something is undone', async () => {
    const backend = memoryBackend();
    const flow = (...more: Task[]) =>
      unordered('f').add(
        linear('in').add(
          step('a', { revert: throwing(new Error('stuck')) }),
          step('b', { execute: throwing(new Error('Woot')) }),
        ),
        ...more,
      );
    const engine = await loadUntyped(flow(), { backend }, undefined);
    await rejection(engine.run());
    expect(engine.storage.getFlowState()).toBe('FAILURE');
    const again = await resume(flow(step('new')), backend, engine.storage.flowUuid);
    expect(listsOf(again.planDifference())).toEqual({ added: ['new!'] });
  });

  it('sees an atom that comes back with what became of it as reached', async () => {
    const { backend, uuid } = await halfway();
    const without = linear('trip').add(step('a'), step('c'), step('d'));
    const engine = await resume(without, backend, uuid, { onPlanChange: 'accept' });
    engine.compile();
    await engine.prepare();
    expect(engine.planDifference()?.isEmpty).toBe(true);
    await engine.close();
    const back = await resume(linear('trip').add(step('a'), step('c'), step('d'), step('b')), backend, uuid);
    expect(back.planDifference()?.added).toMatchObject([{ name: 'b', state: 'SUCCESS', classed: 'needsConsent' }]);
  });
});

describe.each(['memory', 'sqlite'])('D20: a run whose flow has changed (%s)', (kind) => {
  let folder: string;
  let files = 0;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowstate-plan-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** A store, and a function that opens it again as another process would. */
  async function store(): Promise<{ backend: PersistenceBackend; reopen: () => Promise<PersistenceBackend> }> {
    if (kind === 'memory') {
      const backend = memoryBackend();
      return { backend, reopen: async () => backend };
    }
    const url = `sqlite:${join(folder, `${(files += 1)}.db`)}`;
    const backend = await fetch(url);
    await usingConnection(backend, (connection) => connection.upgrade());
    return {
      backend,
      async reopen() {
        await backend.close();
        return fetch(url);
      },
    };
  }

  const changed = (log: string[] = []) => {
    const logged = (name: string, options: StepOptions = {}) =>
      step(name, {
        ...options,
        execute: (args) => {
          log.push(name);
          return options.execute?.(args) ?? `${name} done`;
        },
      });
    return linear('trip').add(logged('a'), logged('c'), logged('d'), logged('e'));
  };

  async function begun() {
    const { backend, reopen } = await store();
    const { uuid } = await halfway(backend);
    return { backend: await reopen(), uuid };
  }

  it('is refused with the listing, and nothing that is stored is changed', async () => {
    const { backend, uuid } = await begun();
    const before = await snapshotOf(backend);
    const log: string[] = [];
    // What is given again is not kept either.
    const engine = await resume(changed(log), backend, uuid, { store: { given: 2, more: 3 } });
    const error = await rejection(engine.run());
    expect(error).toBeInstanceOf(PlanChangedError);
    expect(error).toBeInstanceOf(IncompatibleVersionError);
    expect(error).toMatchObject({ name: 'PlanChangedError', flowUuid: uuid });
    expect(String(error)).toContain('! removed task b (SUCCESS): was in trip\n  added task e (new): is in trip');
    expect(String(error)).toMatch(/onPlanChange: 'accept'.*rename.*convert/s);
    await engine.close();
    expect(await snapshotOf(backend)).toEqual(before);
    expect(log).toEqual([]);
    await backend.close();
  });

  it('is refused by a function, too', async () => {
    const { backend, uuid } = await begun();
    const before = await snapshotOf(backend);
    const asked: PlanDifference[] = [];
    const engine = await resume(changed(), backend, uuid, {
      onPlanChange: (difference) => {
        asked.push(difference);
        return 'refuse';
      },
    });
    engine.compile();
    await expect(engine.prepare()).rejects.toThrow(PlanChangedError);
    expect(listsOf(asked[0] ?? null)).toEqual({ removed: ['b!'], added: ['e'] });
    expect(await snapshotOf(backend)).toEqual(before);
    await backend.close();
  });

  it.each([
    ['accepted', 'accept' as const],
    ['accepted by a function', async () => 'accept' as const],
  ])('goes on when it is %s, from then on with the new plan', async (_, onPlanChange) => {
    const { backend, uuid } = await begun();
    const log: string[] = [];
    const engine = await resume(changed(log), backend, uuid, { onPlanChange, store: { given: 2 } });
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['c', 'd', 'e']);
    expect(engine.storage.fetch('given')).toBe(2);
    await engine.close();
    const { atoms } = await stored(backend, uuid);
    expect(atoms.find(({ name }) => name === 'b')).toMatchObject({ state: 'SUCCESS', results: 'b done' });
    const again = await resume(changed(), backend, uuid);
    expect(again.planDifference()?.isEmpty).toBe(true);
    await backend.close();
  });

  it('goes on without being asked when what changed is safe', async () => {
    const { backend, uuid } = await begun();
    const flow = linear('trip').add(step('a', { version: '1.1' }), step('b'), step('c'), step('new'), step('d'));
    const engine = await resume(flow, backend, uuid, {
      onPlanChange: () => {
        throw new Error('nobody is to be asked');
      },
    });
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.storage.fetch('of-new')).toBe('new done');
    expect((await resume(flow, backend, uuid)).planDifference()?.isEmpty).toBe(true);
    await backend.close();
  });

  it('is migrated: records keep what they are under new names, results are converted', async () => {
    const { backend, uuid } = await begun();
    const before = await stored(backend, uuid);
    const counted = interrupting(backend, never);
    const seen: unknown[] = [];
    const flow = linear('trip').add(step('A'), step('a'), step('C'), step('d'));
    // A chain: a becomes A, b becomes a.
    const engine = await resume(flow, counted, uuid, {
      onPlanChange: async () => ({
        rename: { a: 'A', b: 'a', c: 'C' },
        convert: {
          a: (result) => {
            seen.push(result);
            return { text: result };
          },
          A: async (result) => [result],
          d: () => 'never asked for: it has no result',
        },
      }),
    });
    engine.compile();
    await engine.prepare();
    // The migration, and the rest of the preparation.
    expect(counted.units[0]?.atoms.map(({ name }) => name).sort()).toEqual(['A', 'C', PLAN, 'a'].sort());
    expect(counted.units[0]?.meta).toHaveProperty(PLAN);
    const uuidOf = (name: string) => before.atoms.find((atom) => atom.name === name)?.uuid;
    const after = await stored(backend, uuid);
    expect(after.atoms.map(({ name, uuid: own, state, results }) => ({ name, uuid: own, state, results }))).toEqual([
      { name: INJECTOR, uuid: uuidOf(INJECTOR), state: 'SUCCESS', results: { given: 1 } },
      { name: 'A', uuid: uuidOf('a'), state: 'SUCCESS', results: ['a done'] },
      { name: 'a', uuid: uuidOf('b'), state: 'SUCCESS', results: { text: 'b done' } },
      { name: 'C', uuid: uuidOf('c'), state: 'PENDING', results: null },
      { name: 'd', uuid: uuidOf('d'), state: 'PENDING', results: null },
      { name: PLAN, uuid: uuidOf(PLAN), state: null, results: after.atoms.at(-1)?.results },
    ]);
    expect(seen).toEqual(['b done']);
    expect(await engine.run()).toBe('SUCCESS');
    await engine.close();
    const again = await resume(flow, backend, uuid);
    expect(again.planDifference()?.isEmpty).toBe(true);
    await backend.close();
  });

  it('is migrated whole or not at all', async () => {
    const { backend, uuid } = await begun();
    const before = await snapshotOf(backend);
    const failing = interrupting(backend, failBefore(1, new StorageError('the disk is full')));
    const engine = await resume(linear('trip').add(step('A'), step('b'), step('c'), step('d')), failing, uuid, {
      onPlanChange: () => ({ rename: { a: 'A' } }),
      commitRetry: { attempts: 1 },
    });
    engine.compile();
    await expect(engine.prepare()).rejects.toThrow('the disk is full');
    expect(await snapshotOf(backend)).toEqual(before);
    // Asked again, it is made.
    await engine.prepare();
    expect((await stored(backend, uuid)).atoms.some(({ name }) => name === 'A')).toBe(true);
    await backend.close();
  });

  it('keeps the history of its retries through a migration', async () => {
    const { backend } = await store();
    let fails = true;
    const flow = (name: string) =>
      linear('f', { retry: forEach({ name: 'r', values: [1, 2], provides: 'n' }) }).add(
        step(name, {
          execute: () => {
            if (fails) {
              fails = false;
              throw new Error('Woot');
            }
            return 'fine';
          },
        }),
        step('last'),
      );
    const uuid = await runUntil('old', flow('old'), backend);
    const engine = await resume(flow('new'), backend, uuid, {
      onPlanChange: () => ({ rename: { old: 'new' }, convert: { r: (value) => Number(value) * 10 } }),
    });
    expect(await engine.run()).toBe('SUCCESS');
    await engine.close();
    const { atoms } = await stored(backend, uuid);
    const retry = atoms.find(({ name }) => name === 'r');
    if (retry?.kind !== 'retry') throw new Error('there is no retry');
    expect(retry.results.map(({ provided, failures }) => [provided, [...failures.keys()]])).toEqual([
      [10, ['new']],
      [20, []],
    ]);
    await backend.close();
  });

  it.each<[string, () => unknown, abstract new (...args: never[]) => Error, string]>([
    ['an answer that is none', () => 'perhaps', TypeError, "returns 'accept', 'refuse' or { rename, convert }, got"],
    ['an unknown key', () => ({ renames: {} }), RangeError, '"renames"'],
    ['names that are none', () => ({ rename: { a: 3 } }), TypeError, 'rename takes names, got 3 for a'],
    ['an atom that was not stored', () => ({ rename: { bb: 'e' } }), NotFoundError, 'did you mean b?'],
    ['the record of the injector', () => ({ rename: { [INJECTOR]: 'e' } }), NotFoundError, 'in the stored run'],
    ['an atom that the flow has not', () => ({ rename: { b: 'ee' } }), NotFoundError, 'did you mean e?'],
    ['two atoms with one name', () => ({ rename: { a: 'e', b: 'e' } }), DuplicateError, 'both a and b'],
    ['a name that is taken', () => ({ rename: { b: 'a' } }), DuplicateError, 'has an atom of that name'],
    ['a circle', () => ({ rename: { a: 'c', c: 'a' } }), RangeError, 'a circle: '],
    ['a conversion that is none', () => ({ convert: { a: 'b' } }), TypeError, 'convert takes functions, got "b" for a'],
    ['a conversion of nothing', () => ({ convert: { b: () => 1 } }), NotFoundError, 'named "b"'],
    ['a conversion by the old name', () => ({ rename: { b: 'e' }, convert: { b: () => 1 } }), NotFoundError, '"b"'],
    ['a result that cannot be kept', () => ({ convert: { a: () => new Map() } }), UnstorableValueError, 'class Map'],
    ['a conversion that throws', () => ({ convert: { a: throwing(new Error('Woot')) } }), Error, 'Woot'],
    ['a question that throws', throwing(new Error('Woot')), Error, 'Woot'],
  ])('refuses %s, and changes nothing', async (_, answer, errorClass, message) => {
    const { backend, uuid } = await begun();
    const before = await snapshotOf(backend);
    const engine = await resume(changed(), backend, uuid, { onPlanChange: answer as () => 'accept' });
    engine.compile();
    const error = await rejection(engine.prepare());
    expect(error).toBeInstanceOf(errorClass);
    expect(String(error)).toContain(message);
    expect(await snapshotOf(backend)).toEqual(before);
    expect(engine.storage.flowDetail()).toEqual(before[0]?.flows[0]);
    await backend.close();
  });

  it('is refused for an atom of another kind, even when changes are accepted', async () => {
    const { backend, uuid } = await begun();
    const before = await snapshotOf(backend);
    const flow = () => linear('trip', { retry: times({ name: 'b' }) }).add(step('a'), step('c'), step('d'));
    for (const onPlanChange of ['accept', 'refuse', () => 'accept', () => ({ rename: { a: 'd' } })] as const) {
      const engine = await resume(flow(), backend, uuid, { onPlanChange: onPlanChange as 'accept' });
      await expect(engine.run()).rejects.toThrow(DuplicateError);
    }
    expect(await snapshotOf(backend)).toEqual(before);
    await backend.close();
  });
});

describe('D20: no plan is asked for', () => {
  it('where the run has not begun', async () => {
    const backend = memoryBackend();
    const first = await loadUntyped(linear('trip').add(step('a'), step('b')), { backend }, undefined);
    first.compile();
    await first.prepare();
    const engine = await resume(linear('journey').add(step('c')), backend, first.storage.flowUuid);
    expect(engine.planDifference()?.needsConsent).toBe(true);
    expect(await engine.run()).toBe('SUCCESS');
    expect(
      (await resume(linear('journey').add(step('c')), backend, first.storage.flowUuid)).planDifference()?.isEmpty,
    ).toBe(true);
  });

  it('where everything was reverted, and the run begins again', async () => {
    const backend = memoryBackend();
    const failing = linear('f').add(step('a'), step('b', { execute: throwing(new Error('Woot')) }));
    const first = await loadUntyped(failing, { backend }, undefined);
    await rejection(first.run());
    expect(first.storage.getFlowState()).toBe('REVERTED');
    const engine = await resume(linear('f').add(step('b'), step('x')), backend, first.storage.flowUuid);
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('where it was stored by a flowstate that kept none; it is kept from then on', async () => {
    const backend = memoryBackend();
    const { uuid } = await halfway(backend);
    const [book] = await snapshotOf(backend);
    if (book === undefined) throw new Error('there is no book');
    const old = await restored(
      [
        {
          ...book,
          flows: book.flows.map((flow) => ({
            ...flow,
            meta: {},
            atoms: flow.atoms.filter(({ name }) => name !== PLAN),
          })),
        },
      ],
      memoryBackend(),
    );
    const flow = linear('trip').add(step('a'), step('c'));
    const engine = await resume(flow, old, uuid);
    expect(engine.planDifference()).toBeNull();
    expect(await engine.run()).toBe('SUCCESS');
    expect(engine.planDifference()?.isEmpty).toBe(true);
    await expect((await resume(linear('trip').add(step('a')), old, uuid)).run()).rejects.toThrow(PlanChangedError);
  });

  it('where nothing is stored: a run in memory has no plan', async () => {
    const engine = await loadUntyped(linear('f').add(step('a')), {}, undefined);
    await engine.run();
    expect(engine.storage.planText).toBeNull();
    expect(engine.storage.flowMeta).toEqual({});
    expect(engine.planDifference()).toBeNull();
  });

  it('but a run that was read from a store is compared, wherever it goes on', async () => {
    const { backend, uuid } = await halfway();
    const flowDetail = await stored(backend, uuid);
    const engine = await loadUntyped(linear('trip').add(step('a')), { flowDetail }, undefined);
    await expect(engine.run()).rejects.toThrow(PlanChangedError);
  });

  it('and one that was read lazily is refused: it would be taken for one that never began', async () => {
    const { backend, uuid, flow } = await halfway();
    const flowDetail = await usingConnection(backend, (connection) => connection.getFlowDetail(uuid, { lazy: true }));
    const engine = await loadUntyped(flow(), { backend, flowDetail }, undefined);
    await expect(engine.run()).rejects.toThrow('flowDetail takes a run with its atoms');
  });
});

describe('the record of a plan', () => {
  it('costs no commit of its own, and is written once', async () => {
    const backend = interrupting(memoryBackend(), never);
    const { flow, uuid } = await halfway(backend);
    const engine = await resume(flow(), backend, uuid);
    await engine.run();
    const written = backend.units.filter(
      ({ atoms, meta }) => meta !== undefined || atoms.some(({ name }) => name === PLAN),
    );
    expect(written).toHaveLength(1);
    expect(written[0]?.atoms.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', PLAN]);
  });

  it('is no atom', async () => {
    const { backend, uuid, flow } = await halfway();
    const engine = await resume(flow(), backend, uuid);
    expect(engine.storage.atomNames()).toEqual(['a', 'b', 'c', 'd']);
    const taken = await loadUntyped(linear('f').add(step(PLAN)), { backend }, undefined);
    await expect(taken.run()).rejects.toThrow(`The name ${PLAN} is reserved`);
  });

  it('is readable with a codec of its own', async () => {
    const codec = {
      encode: (value: unknown) => `!${JSON.stringify(value)}`,
      decode: (text: string): unknown => JSON.parse(text.slice(1)),
    };
    const { backend, uuid } = await halfway(memoryBackend({ codec }));
    await expect((await resume(linear('trip').add(step('a')), backend, uuid)).run()).rejects.toThrow(PlanChangedError);
  });
});

describe('a run that is not there', () => {
  it('is named when it is taken up, and nothing is made of it', async () => {
    const { backend: other, uuid, flow } = await halfway();
    const backend = memoryBackend();
    const engine = await loadUntyped(flow(), { backend, flowDetail: await stored(other, uuid) }, undefined);
    await expect(engine.run()).rejects.toThrow(NotFoundError);
    await expect(engine.run()).rejects.toThrow(uuid);
    expect(await snapshotOf(backend)).toEqual([]);
    await expect(stored(backend, uuid)).rejects.toThrow(uuid);
  });
});
