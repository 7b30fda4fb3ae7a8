import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import { load, loadUntyped } from '../../src/engines/load.js';
import { DuplicateError, InvalidFormatError, NotFoundError, UnstorableValueError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Codec, PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import type { FlowDetail, LogBook } from '../../src/persistence/details.js';
import { forwardingConnection } from '../../src/persistence/forwarding.js';
import type { LogbookExport } from '../../src/persistence/logbook-export.js';
import { exportLogbook, importLogbook } from '../../src/persistence/logbook-export.js';
import { destroyLogbook, findRuns, listLogbooks, pruneRuns, readJournal } from '../../src/persistence/logbooks.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { rejection, step, throwing } from '../engines/steps.js';
import { restored, snapshotOf } from '../../src/testing/interrupting-backend.js';
import { aBook, aFailure, aFlow, aRetryThatFailed, aTask, countingEnvironment } from './made-up-runs.js';

const backends: [string, () => PersistenceBackend][] = [
  ['memory', memoryBackend],
  ['memory without copies', () => memoryBackend({ deepCopy: false })],
  ['sqlite', () => sqliteBackend({ path: ':memory:' })],
];

const NOW = countingEnvironment().clock.now();
const DAY = 24 * 60 * 60 * 1000;

function aged(flow: FlowDetail, state: FlowDetail['state'], days: number): FlowDetail {
  return { ...flow, state, updatedAt: NOW - days * DAY };
}

/** A book with all that a run can hold. */
function fullBook(): LogBook {
  const run: FlowDetail = {
    ...aFlow(
      'trip',
      put(aTask('done', 0), 'SUCCESS', { rows: [1, null, { __proto__name: 'x' }], text: 'nul\0 half \ud83d' }),
      put(aTask('failed', 1), 'FAILURE', aFailure('Woot')),
      put(put(aTask('undone', 2), 'SUCCESS', 1), 'REVERTED', ['given', 'back']),
      put(aTask('stuck', 3), 'REVERT_FAILURE', aFailure('cannot')),
      { ...aRetryThatFailed('again', { n: 1 }, 'failed', aFailure('first')), position: 4, intention: 'RETRY' },
      { ...aTask('waiting', 5), meta: { injected: { row: 3 }, progress: 0.5 }, version: null },
      put({ ...aTask('_flowstate_injector', 6), state: null }, 'SUCCESS', { flight: 'LH 400' }),
    ),
    state: 'SUSPENDED',
    meta: { factory: { name: 'trip@1', args: [1] } },
    revision: 7,
    fence: 3,
    lastCommit: 'writer:7',
  };
  return { ...aBook('trips', run, aFlow('empty')), meta: { owner: 'ann' }, updatedAt: 5 };
}

describe.each(backends)('logbooks (%s)', (_, open) => {
  async function storeWith(...books: LogBook[]): Promise<PersistenceBackend> {
    return restored(books, open());
  }

  it('are exported and imported with their journals', async () => {
    const backend = open();
    await usingConnection(backend, (connection) => connection.upgrade());
    const book = aBook('trips');
    const flow = linear('f').add(step('a'), step('b', { execute: throwing(new Error('no "way" 🛫')) }));
    const engine = await load(flow, { backend, book, journal: true });
    await rejection(engine.run());
    const { flowUuid } = engine.storage;
    const journal = await readJournal(backend, flowUuid);
    expect(journal.length).toBeGreaterThan(8);
    const exported = JSON.stringify(await exportLogbook(backend, book.uuid));
    const other = await storeWith();
    await importLogbook(other, exported);
    expect(await readJournal(other, flowUuid)).toEqual(journal);
    await importLogbook(other, exported, { replace: true });
    expect(await readJournal(other, flowUuid)).toEqual(journal);
    const torn = JSON.parse(exported) as { flows: { journal: { sequence: number }[] }[] };
    torn.flows[0]?.journal.splice(2, 1);
    await destroyLogbook(other, book.uuid);
    await expect(importLogbook(other, JSON.stringify(torn))).rejects.toThrow(
      'The export of a logbook is corrupted: the journal of the run 0 takes the entry 3, got 4',
    );
    await expect(readJournal(other, flowUuid)).rejects.toThrow(NotFoundError);
  });

  it('of old runs go with the journals of these', async () => {
    const backend = open();
    const engine = await load(linear('f').add(step('a')), { backend, journal: true });
    await engine.run();
    const { flowUuid } = engine.storage;
    expect((await readJournal(backend, flowUuid)).length).toBeGreaterThan(3);
    await pruneRuns(backend, { before: Number.MAX_SAFE_INTEGER });
    await expect(readJournal(backend, flowUuid)).rejects.toThrow(NotFoundError);
  });

  it('are listed without their runs, the oldest first', async () => {
    const [young, old] = [
      { ...aBook('young', aFlow('f')), createdAt: 2 },
      { ...aBook('old'), createdAt: 1 },
    ];
    const backend = await storeWith(young, old);
    expect(await listLogbooks(backend)).toEqual([old, { ...young, flows: [] }]);
  });

  it('are searched for runs', async () => {
    const ran = aged(aFlow('trip', aTask('a')), 'SUCCESS', 3);
    const stopped = aged(aFlow('trip'), 'SUSPENDED', 2);
    const other = aged(aFlow('other'), 'SUCCESS', 1);
    const book = aBook('one', ran, stopped);
    const backend = await storeWith(book, aBook('two', other));
    const names = async (query: Parameters<typeof findRuns>[1]) =>
      (await findRuns(backend, query)).map(({ flow }) => flow.uuid);
    expect(await names({})).toEqual([ran.uuid, stopped.uuid, other.uuid]);
    expect(await names({ states: ['SUCCESS'] })).toEqual([ran.uuid, other.uuid]);
    expect(await names({ states: ['SUCCESS'], name: 'trip' })).toEqual([ran.uuid]);
    expect(await names({ bookUuid: book.uuid, updatedBefore: NOW - 2 * DAY })).toEqual([ran.uuid]);
    expect(await names({ limit: 1 })).toEqual([ran.uuid]);
    expect((await findRuns(backend, { name: 'trip' }))[0]).toEqual({
      bookUuid: book.uuid,
      flow: { ...ran, atoms: [] },
    });
    await expect(findRuns(backend, { states: ['SUCCES' as 'SUCCESS'] })).rejects.toThrow('did you mean SUCCESS?');
  });

  it('are destroyed with their runs', async () => {
    const book = aBook('one', aFlow('f', aTask('a')));
    const backend = await storeWith(book);
    await destroyLogbook(backend, book.uuid);
    expect(await snapshotOf(backend)).toEqual([]);
    await expect(destroyLogbook(backend, book.uuid)).rejects.toThrow(NotFoundError);
  });

  it('come back from JSON as they were', async () => {
    const book = fullBook();
    const backend = await storeWith(book);
    const text = JSON.stringify(await exportLogbook(backend, book.uuid));
    for (const [, openOther] of backends) {
      const other = await restored([], openOther());
      expect(await importLogbook(other, text)).toEqual(book);
      expect(await snapshotOf(other)).toEqual([book]);
      expect(JSON.stringify(await exportLogbook(other, book.uuid))).toBe(text);
      expect(await importLogbook(await restored([], openOther()), JSON.parse(text) as LogbookExport)).toEqual(book);
    }
  });

  it('that are not there are named', async () => {
    await expect(exportLogbook(await storeWith(), 'nowhere')).rejects.toThrow(NotFoundError);
  });

  it('are not imported over those that are there', async () => {
    const book = fullBook();
    const backend = await storeWith({ ...book, name: 'mine', flows: [aFlow('other', aTask('a'))] });
    const before = await snapshotOf(backend);
    const exported = await exportLogbook(await storeWith(book), book.uuid);
    await expect(importLogbook(backend, exported)).rejects.toThrow(DuplicateError);
    await expect(importLogbook(backend, exported)).rejects.toThrow(`There is a logbook ${book.uuid} ('mine') already`);
    expect(await snapshotOf(backend)).toEqual(before);
    expect(await importLogbook(backend, exported, { replace: true })).toEqual(book);
    expect(await snapshotOf(backend)).toEqual([book]);
  });

  it('are imported whole or not at all', async () => {
    const book = fullBook();
    const [run] = book.flows;
    if (run === undefined) throw new Error('there is no run');
    const exported = await exportLogbook(await storeWith(book), book.uuid);
    const [atom] = run.atoms;
    if (atom === undefined) throw new Error('there is no atom');
    for (const taken of [run, aFlow('holder', { ...atom, name: 'other' })]) {
      const backend = await storeWith(aBook('holder', taken), { ...book, flows: [] });
      const before = await snapshotOf(backend);
      await expect(importLogbook(backend, exported, { replace: true })).rejects.toThrow(DuplicateError);
      expect(await snapshotOf(backend)).toEqual(before);
    }
  });

  it('are not imported from what is corrupted, which is named', async () => {
    const book = fullBook();
    const exported = await exportLogbook(await storeWith(book), book.uuid);
    const backend = await storeWith();
    const text = JSON.stringify(exported);
    const wrong: [unknown, string][] = [
      ['{', 'is not JSON'],
      [null, 'takes an object, got null'],
      [[], 'takes an object'],
      [{ ...exported, format: 'x' }, 'format takes flowstate-logbook, got x'],
      [{ ...exported, version: 2 }, 'version takes 1, got 2'],
      [{ ...exported, values: 'xml' }, 'values takes json or codec'],
      [{ ...exported, values: 'codec' }, 'give it as codec'],
      [{ ...exported, flows: {} }, 'flows takes a list'],
      [{ ...exported, flows: [3] }, 'The run 0 of the export takes an object'],
      [{ ...exported, flows: [{ ...exported.flows[0], atoms: 'x' }] }, 'atoms of the run 0 takes a list'],
      [{ ...exported, flows: [exported.flows[0], exported.flows[0]] }, 'each run once'],
      [{ ...exported, flows: [{ ...exported.flows[0], atoms: [1] }] }, 'An atom of the run 0'],
      [{ ...exported, book: { ...exported.book, createdAt: 'x' } }, "logbook 'trips' is corrupted: createdAt"],
      [text.replace('"REVERT_FAILURE"', '"REVERTFAILURE"'), "atom 'stuck' is corrupted: state"],
      [text.replace('"typeNames":["RangeError"', '"typeName":["RangeError"'), 'takes the record of a failure'],
      [text.replace('"revision":7', '"revision":-7'), "flow detail 'trip' is corrupted: revision"],
    ];
    for (const [given, message] of wrong) {
      const error = await rejection(importLogbook(backend, given as string));
      expect([message, error]).toEqual([message, expect.any(InvalidFormatError)]);
      expect(String(error)).toContain(message);
    }
    expect(await snapshotOf(backend)).toEqual([]);
  });

  it('hold runs that go on where they were exported', async () => {
    const backend = await storeWith();
    let fails = true;
    const flow = () =>
      linear('trip', { retry: times({ attempts: 3 }) }).add(
        task({
          name: 'a',
          requires: ['flight'],
          provides: 'seat',
          execute: ({ flight }) => `12A on ${String(flight)}`,
        }),
        task({
          name: 'b',
          requires: ['seat'],
          provides: 'ticket',
          execute: ({ seat }) => {
            if (fails) throw new Error('not yet');
            return `for ${String(seat)}`;
          },
        }),
      );
    const engine = await load(flow(), { backend, store: { flight: 'LH 400' } });
    engine.atomNotifier.register('FAILURE', () => engine.suspend());
    expect(await engine.run()).toBe('SUSPENDED');
    await engine.close();
    const [book] = await listLogbooks(backend);
    const exported = JSON.stringify(await exportLogbook(backend, book?.uuid ?? ''));
    const other = await restored([], open());
    const [flowDetail] = (await importLogbook(other, exported)).flows;
    fails = false;
    const resumed = await loadUntyped(flow(), { backend: other, flowDetail }, undefined);
    expect(await resumed.run()).toBe('SUCCESS');
    expect(resumed.storage.fetch('ticket')).toBe('for 12A on LH 400');
  });
});

describe('values that are no JSON', () => {
  /** Keeps dates. */
  const dates: Codec = {
    encode: (value) => JSON.stringify({ date: value instanceof Date ? value.getTime() : null, value }),
    decode: (text) => {
      const { date, value } = JSON.parse(text) as { date: number | null; value: unknown };
      return date === null ? value : new Date(date);
    },
  };
  const book = aBook('book', aFlow('f', put(aTask('a'), 'SUCCESS', new Date(5))));

  it('are exported as the text of their codec, and imported with it', async () => {
    const backend = await restored([book], memoryBackend({ codec: dates }));
    const exported = await exportLogbook(backend, book.uuid);
    expect(exported.values).toBe('codec');
    expect(await importLogbook(await restored([], memoryBackend({ codec: dates })), exported)).toEqual(book);
    const plain = await restored([], memoryBackend({ deepCopy: false }));
    await expect(importLogbook(plain, exported)).rejects.toThrow(InvalidFormatError);
    expect(await importLogbook(plain, exported, { codec: dates })).toEqual(book);
    const strict = await restored([], memoryBackend());
    await expect(importLogbook(strict, exported, { codec: dates })).rejects.toThrow(UnstorableValueError);
    expect(await snapshotOf(strict)).toEqual([]);
  });

  it('are refused where the backend has no codec, unless one is given', async () => {
    const backend = await restored([book], memoryBackend({ deepCopy: false }));
    await expect(exportLogbook(backend, book.uuid)).rejects.toThrow("in the results of task 'a'");
    expect((await exportLogbook(backend, book.uuid, { codec: dates })).values).toBe('codec');
  });
});

describe.each(backends)('pruning (%s)', (_, open) => {
  const environment = countingEnvironment();

  async function store() {
    const runs = {
      old: aged(aFlow('trip', aTask('a')), 'SUCCESS', 9),
      reverted: aged(aFlow('other', aTask('a')), 'REVERTED', 8),
      failed: aged(aFlow('trip'), 'FAILURE', 7),
      young: aged(aFlow('trip'), 'SUCCESS', 1),
      stopped: aged(aFlow('trip'), 'SUSPENDED', 9),
      waiting: aged(aFlow('trip'), null, 9),
    };
    const one = aBook('one', runs.old, runs.failed, runs.young, runs.stopped, runs.waiting);
    const two = aBook('two', runs.reverted);
    const backend = await restored([one, two], open());
    const left = async () => {
      const uuids = new Set((await findRuns(backend)).map(({ flow }) => flow.uuid));
      return Object.entries(runs)
        .filter(([, { uuid }]) => uuids.has(uuid))
        .map(([name]) => name);
    };
    const named = (found: readonly { flow: FlowDetail }[]) =>
      found.map(({ flow }) => Object.entries(runs).find(([, { uuid }]) => uuid === flow.uuid)?.[0]);
    return { backend, one, two, left, named };
  }

  it('removes runs that came to their end some time ago, and no others', async () => {
    const { backend, left, named } = await store();
    const pruned = await pruneRuns(backend, { olderThanMs: 5 * DAY, environment });
    expect(named(pruned.runs)).toEqual(['old', 'reverted']);
    expect(pruned.books).toEqual([]);
    expect(await left()).toEqual(['failed', 'young', 'stopped', 'waiting']);
    expect((await listLogbooks(backend)).map(({ name }) => name).sort()).toEqual(['one', 'two']);
  });

  it('removes books that have no run left, when told to', async () => {
    const { backend, two } = await store();
    const options = { before: NOW - 5 * DAY, emptyBooks: true };
    expect((await pruneRuns(backend, { ...options, dryRun: true })).books).toEqual([two.uuid]);
    expect((await pruneRuns(backend, options)).books).toEqual([two.uuid]);
    expect((await listLogbooks(backend)).map(({ name }) => name)).toEqual(['one']);
  });

  it('removes those of some states, of one flow, in one book', async () => {
    const { backend, one, left } = await store();
    await pruneRuns(backend, { olderThanMs: 0, states: ['FAILURE'], environment });
    expect(await left()).not.toContain('failed');
    await pruneRuns(backend, { olderThanMs: 0, bookUuid: one.uuid, name: 'other', environment });
    expect(await left()).toContain('reverted');
    await pruneRuns(backend, { olderThanMs: DAY, bookUuid: one.uuid, environment });
    expect(await left()).toEqual(['reverted', 'stopped', 'waiting']);
  });

  it('removes nothing when it only says what it would', async () => {
    const { backend, left, named } = await store();
    const { runs } = await pruneRuns(backend, { olderThanMs: 5 * DAY, dryRun: true, environment });
    expect(named(runs)).toEqual(['old', 'reverted']);
    expect(await left()).toHaveLength(6);
  });

  it('leaves alone what somebody takes up, or removes, meanwhile', async () => {
    const { backend, left, named } = await store();
    let found: readonly FlowDetail[] = [];
    const racing: PersistenceBackend = {
      ...backend,
      async getConnection() {
        const connection = await backend.getConnection();
        return {
          ...forwardingConnection(connection),
          async findFlowDetails(query) {
            const answer = await connection.findFlowDetails(query);
            found = answer.map(({ flow }) => flow);
            const [taken, removed] = found;
            await connection.commit({ flowUuid: taken?.uuid ?? '', expectedRevision: 0, state: 'RUNNING', atoms: [] });
            await connection.destroyFlowDetail(removed?.uuid ?? '');
            return answer;
          },
        };
      },
    };
    const { runs } = await pruneRuns(racing, { before: NOW, environment });
    expect(named(runs)).toEqual(['young']);
    expect(await left()).toEqual(['old', 'failed', 'stopped', 'waiting']);
  });

  it.each<[object, abstract new (...args: never[]) => Error, string]>([
    [{}, TypeError, 'either olderThanMs or before'],
    [{ olderThanMs: 1, before: 1 }, TypeError, 'either olderThanMs or before'],
    [{ olderThanMs: -1 }, RangeError, 'olderThanMs takes milliseconds from 0, got -1'],
    [{ olderThanMs: NaN }, RangeError, 'got NaN'],
    [{ before: Infinity }, RangeError, 'before takes milliseconds since 1970'],
    [{ before: 1, states: ['RUNNING'] }, RangeError, 'states takes SUCCESS, REVERTED, FAILURE, got RUNNING'],
  ])('refuses %j', async (options, errorClass, message) => {
    const { backend, left } = await store();
    const pruning = pruneRuns(backend, options);
    await expect(pruning).rejects.toThrow(errorClass);
    await expect(pruning).rejects.toThrow(message);
    expect(await left()).toHaveLength(6);
  });
});

it('finished runs of an engine are found by their state', async () => {
  const backend = memoryBackend();
  await rejection(
    (await load(linear('f').add(task({ name: 'a', execute: throwing(new Error('Woot')) })), { backend })).run(),
  );
  await (await load(linear('f').add(task({ name: 'a', execute: () => 1 })), { backend })).run();
  expect((await findRuns(backend, { name: 'f' })).map(({ flow }) => flow.state).sort()).toEqual([
    'REVERTED',
    'SUCCESS',
  ]);
});
