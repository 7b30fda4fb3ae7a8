import { afterEach, describe, expect, it } from 'vitest';
import {
  DuplicateError,
  NotFoundError,
  StaleFenceError,
  StorageConflictError,
  UnstorableValueError,
  UnsupportedError,
} from '../../src/errors.js';
import { Failure } from '../../src/failure.js';
import { addAttemptFailure, lastFailures, lastResults, put, resetDetail } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import type { FlowDetail, LogBook, RetryDetail } from '../../src/persistence/details.js';
import { aBook, aFailure, aFlow, aRetry, aRetryThatFailed, aTask } from './made-up-runs.js';

const HOSTILE_NAMES = [
  '__proto__',
  'constructor',
  'toString',
  "Robert'); drop table atom_details;--",
  '%_*?',
  '$1 :a @b ?1',
  'back\\slash \\0041 "quoted"',
  'line\nbreak\ttab',
  'nul\0inside',
  'half \ud83d of a pair',
  'ends with a space ',
  'NAME',
  'name',
  'né',
  'ne\u0301',
  '名前 🙂 \u202e',
  'x'.repeat(255),
];

/** What every persistence backend promises. `open` gives an empty backend each time, not upgraded yet. */
export function describePersistenceBackend(name: string, open: () => PersistenceBackend | Promise<PersistenceBackend>) {
  describe(`${name} persistence`, () => {
    const opened: PersistenceBackend[] = [];

    async function connect(): Promise<Connection> {
      const backend = await open();
      opened.push(backend);
      const connection = await backend.getConnection();
      await connection.upgrade();
      return connection;
    }

    afterEach(async () => {
      for (const backend of opened.splice(0)) await backend.close();
    });

    /** A connection to a store that holds one run. */
    async function connectWith(flow: FlowDetail): Promise<Connection> {
      const connection = await connect();
      await connection.saveLogbook(aBook('book', flow));
      return connection;
    }

    describe('the store', () => {
      it('is upgraded as often as one likes, and valid', async () => {
        const connection = await connect();
        await connection.upgrade();
        await connection.validate();
        expect(await connection.getLogbooks()).toEqual([]);
      });

      it('gives out several connections, and works after one is closed', async () => {
        const backend = await open();
        opened.push(backend);
        const first = await backend.getConnection();
        await first.upgrade();
        const book = await first.saveLogbook(aBook('book'));
        await first.close();
        const second = await backend.getConnection();
        expect(await second.getLogbook(book.uuid)).toEqual(book);
      });

      it('is empty after clearAll, and can be used on', async () => {
        const flow = aFlow('flow', aTask('a'));
        const connection = await connectWith(flow);
        await connection.clearAll();
        expect(await connection.getLogbooks()).toEqual([]);
        await expect(connection.getFlowDetail(flow.uuid)).rejects.toThrow(NotFoundError);
        await connection.saveLogbook(aBook('next', flow));
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      });
    });

    describe('a logbook', () => {
      it('comes back as it was saved', async () => {
        const connection = await connect();
        const book: LogBook = {
          ...aBook('book'),
          meta: { owner: 'ann', depth: { levels: [1, 2, null] } },
          updatedAt: 5,
        };
        expect(await connection.saveLogbook(book)).toEqual(book);
        expect(await connection.getLogbook(book.uuid)).toEqual(book);
        expect(await connection.getLogbooks()).toEqual([book]);
      });

      it('comes back with its runs and their atoms, and without them when asked lazily', async () => {
        const connection = await connect();
        const book = aBook('book', aFlow('f', aTask('a', 0), aRetry('r', 1)), aFlow('g', aTask('a')));
        expect(await connection.saveLogbook(book)).toEqual(book);
        expect(await connection.getLogbook(book.uuid)).toEqual(book);
        expect(await connection.getLogbooks()).toEqual([book]);
        expect(await connection.getLogbook(book.uuid, { lazy: true })).toEqual({ ...book, flows: [] });
        expect(await connection.getLogbooks({ lazy: true })).toEqual([{ ...book, flows: [] }]);
        expect(await connection.getFlowsForBook(book.uuid)).toEqual(book.flows);
        const lazyFlows = book.flows.map((flow) => ({ ...flow, atoms: [] }));
        expect(await connection.getFlowsForBook(book.uuid, { lazy: true })).toEqual(lazyFlows);
      });

      it('is one of several, listed by age', async () => {
        const connection = await connect();
        const young = { ...aBook('young', aFlow('f')), createdAt: 3 };
        const old = { ...aBook('old', aFlow('g', aTask('a'))), createdAt: 1 };
        const between = { ...aBook('between'), createdAt: 2 };
        for (const book of [young, old, between]) await connection.saveLogbook(book);
        expect(await connection.getLogbooks()).toEqual([old, between, young]);
      });

      it('takes more runs later, after those that it has', async () => {
        const connection = await connect();
        const [first, second, third] = [aFlow('z', aTask('a')), aFlow('m'), aFlow('a')];
        const book = aBook('book', first);
        await connection.saveLogbook(book);
        const merged = await connection.saveLogbook({ ...book, updatedAt: 9, flows: [second, third] });
        expect(merged).toEqual({ ...book, updatedAt: 9, flows: [first, second, third] });
        expect(await connection.getLogbook(book.uuid)).toEqual(merged);
      });

      it('has its own facts replaced when it is saved again', async () => {
        const connection = await connect();
        const book = { ...aBook('book'), meta: { a: 1, b: 2 } };
        await connection.saveLogbook(book);
        const changed = { ...book, name: 'renamed', meta: { b: 3 }, updatedAt: 7 };
        expect(await connection.saveLogbook(changed)).toEqual(changed);
        expect(await connection.getLogbook(book.uuid)).toEqual(changed);
      });

      it('can be saved twice without a change', async () => {
        const connection = await connect();
        const book = aBook('book', aFlow('f', put(aTask('a'), 'SUCCESS', { rows: [1] })));
        await connection.saveLogbook(book);
        expect(await connection.saveLogbook(book)).toEqual(book);
      });

      it('takes its runs and their atoms along when it is destroyed', async () => {
        const connection = await connect();
        const atom = aTask('a');
        const flow = aFlow('f', atom);
        const book = aBook('book', flow);
        const other = aBook('other', aFlow('g', aTask('a')));
        await connection.saveLogbook(book);
        await connection.saveLogbook(other);
        await connection.destroyLogbook(book.uuid);
        await expect(connection.getLogbook(book.uuid)).rejects.toThrow(NotFoundError);
        await expect(connection.getFlowDetail(flow.uuid)).rejects.toThrow(NotFoundError);
        await expect(connection.getAtomDetail(atom.uuid)).rejects.toThrow(NotFoundError);
        expect(await connection.getLogbooks()).toEqual([other]);
        await connection.saveLogbook(book);
        expect(await connection.getLogbook(book.uuid)).toEqual(book);
      });

      it('that is not there is named', async () => {
        const connection = await connect();
        for (const ask of [
          () => connection.getLogbook('none'),
          () => connection.getLogbook('none', { lazy: true }),
          () => connection.getFlowsForBook('none'),
          () => connection.destroyLogbook('none'),
        ]) {
          await expect(ask()).rejects.toThrow(new NotFoundError('There is no logbook none'));
        }
        await connection.saveLogbook({ ...aBook('once'), uuid: 'once' });
        await connection.destroyLogbook('once');
        await expect(connection.destroyLogbook('once')).rejects.toThrow(new NotFoundError('There is no logbook once'));
      });
    });

    describe('saving over a stored run', () => {
      it('merges what is new and counts as a commit', async () => {
        const flow = aFlow('f', aTask('a', 0));
        const book = aBook('book', flow);
        const connection = await connect();
        await connection.saveLogbook(book);
        const more = aTask('b', 1);
        const changed: FlowDetail = { ...flow, state: 'RUNNING', meta: { note: 1 }, atoms: [more] };
        const merged = await connection.saveLogbook({ ...book, flows: [changed] });
        const expected = { ...changed, revision: 1, atoms: [...flow.atoms, more] };
        expect(merged).toEqual({ ...book, flows: [expected] });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(expected);
      });

      it('leaves a run alone that it has nothing to say about', async () => {
        const flow = aFlow('f', aTask('a'));
        const book = aBook('book', flow);
        const connection = await connect();
        await connection.saveLogbook(book);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] });
        const merged = await connection.saveLogbook({ ...book, flows: [{ ...flow, atoms: [] }] });
        expect(merged.flows).toEqual([{ ...flow, revision: 1 }]);
      });

      it('is refused when the run went on meanwhile', async () => {
        const flow = aFlow('f', aTask('a'));
        const book = aBook('book', flow);
        const connection = await connect();
        await connection.saveLogbook(book);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
        const stale = { ...book, name: 'renamed', flows: [flow, aFlow('g')] };
        await expect(connection.saveLogbook(stale)).rejects.toThrow(new StorageConflictError(flow.uuid, 0, 1));
        expect(await connection.getLogbook(book.uuid)).toEqual({
          ...book,
          flows: [{ ...flow, state: 'RUNNING', revision: 1 }],
        });
      });

      it('keeps the revision of a run that was not stored', async () => {
        const flow = { ...aFlow('f'), revision: 41 };
        const connection = await connectWith(flow);
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      });

      it('is refused for a run or an atom that is stored elsewhere, or twice in what is saved', async () => {
        const atom = aTask('a');
        const flow = aFlow('f', atom);
        const connection = await connectWith(flow);
        await expect(connection.saveLogbook(aBook('thief', flow))).rejects.toThrow(DuplicateError);
        await expect(connection.saveLogbook(aBook('thief', aFlow('g', atom)))).rejects.toThrow(DuplicateError);
        const shared = aTask('shared');
        await expect(connection.saveLogbook(aBook('b', aFlow('g', shared), aFlow('h', shared)))).rejects.toThrow(
          DuplicateError,
        );
        expect(await connection.getLogbooks()).toHaveLength(1);
      });
    });

    describe('a search', () => {
      it('finds runs by state, book, name and age, the longest unchanged first', async () => {
        const connection = await connect();
        const flows = (['SUCCESS', 'REVERTED', null, 'RUNNING'] as const).map((state, index) => ({
          ...aFlow(`f${index % 2}`, aTask('a')),
          state,
          updatedAt: 100 - index,
        }));
        const [done, reverted, pending, running] = flows as [FlowDetail, FlowDetail, FlowDetail, FlowDetail];
        const first = await connection.saveLogbook(aBook('first', done, reverted));
        const second = await connection.saveLogbook(aBook('second', pending, running));
        const found = (bookUuid: string, flow: FlowDetail) => ({ bookUuid, flow: { ...flow, atoms: [] } });
        const all = [
          found(second.uuid, running),
          found(second.uuid, pending),
          found(first.uuid, reverted),
          found(first.uuid, done),
        ];
        expect(await connection.findFlowDetails()).toEqual(all);
        expect(await connection.findFlowDetails({ limit: 2 })).toEqual(all.slice(0, 2));
        expect(await connection.findFlowDetails({ states: [] })).toEqual([]);
        expect(await connection.findFlowDetails({ states: ['PENDING', 'SUCCESS'] })).toEqual([all[1], all[3]]);
        expect(await connection.findFlowDetails({ bookUuid: first.uuid })).toEqual(all.slice(2));
        expect(await connection.findFlowDetails({ name: 'f0' })).toEqual([all[1], all[3]]);
        expect(await connection.findFlowDetails({ updatedBefore: 99 })).toEqual(all.slice(0, 2));
        expect(await connection.findFlowDetails({ updatedBefore: 99, states: ['SUCCESS'] })).toEqual([]);
      });
    });

    describe('an update', () => {
      it('merges a stored run, as one more commit', async () => {
        const [a, b] = [aTask('a', 0), aTask('b', 1)];
        const connection = await connectWith(aFlow('unused'));
        const flow = aFlow('f', a);
        await expect(connection.updateFlowDetail(flow)).rejects.toThrow(NotFoundError);
        await connection.saveLogbook(aBook('book', flow));
        const changed: FlowDetail = { ...flow, state: 'SUSPENDED', meta: { x: 1 }, atoms: [b] };
        const merged = { ...changed, revision: 1, atoms: [a, b] };
        expect(await connection.updateFlowDetail(changed)).toEqual(merged);
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(merged);
        await expect(connection.updateFlowDetail(changed)).resolves.toEqual(merged);
        await expect(connection.updateFlowDetail({ ...changed, meta: {} })).rejects.toThrow(StorageConflictError);
      });

      it('writes one atom, as one more commit of its run', async () => {
        const [a, b] = [aTask('a', 0), aTask('b', 1)];
        const flow = aFlow('f', a, b);
        const connection = await connectWith(flow);
        const done = put(a, 'SUCCESS', { found: true });
        expect(await connection.updateAtomDetail(done)).toEqual(done);
        expect(await connection.getFlowDetail(flow.uuid)).toEqual({ ...flow, revision: 1, atoms: [done, b] });
        await expect(connection.updateAtomDetail(aTask('other'))).rejects.toThrow(NotFoundError);
      });
    });

    describe('a run that is destroyed', () => {
      it('is gone with its atoms; its book stays, with the others', async () => {
        const [a, b] = [aTask('a'), aTask('a')];
        const [first, second] = [aFlow('f', a), aFlow('g', b)];
        const connection = await connect();
        const book = await connection.saveLogbook(aBook('book', first, second));
        await connection.destroyFlowDetail(first.uuid);
        expect(await connection.getLogbook(book.uuid)).toEqual({ ...book, flows: [second] });
        await expect(connection.getAtomDetail(a.uuid)).rejects.toThrow(NotFoundError);
        await expect(connection.destroyFlowDetail(first.uuid)).rejects.toThrow(NotFoundError);
        expect((await connection.saveLogbook(book)).flows).toEqual([second, first]);
      });
    });

    describe('a commit', () => {
      it('changes what it says and nothing else', async () => {
        const [a, b] = [aTask('a', 0), aTask('b', 1)];
        const flow = { ...aFlow('f', a, b), meta: { kept: true } };
        const connection = await connectWith(flow);
        const done = put(a, 'SUCCESS', [1, { two: 2 }]);
        const added = aRetry('r', 2);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [done, added] });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual({ ...flow, revision: 1, atoms: [done, b, added] });
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, state: 'RUNNING', atoms: [] });
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 2, meta: { other: 1 }, atoms: [] });
        const now: FlowDetail = { ...flow, state: 'RUNNING', meta: { other: 1 }, revision: 3, atoms: [done, b, added] };
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(now);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 3, state: null, meta: {}, atoms: [a] });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual({
          ...flow,
          meta: {},
          revision: 4,
          atoms: [a, b, added],
        });
      });

      it('goes to a stored run only', async () => {
        const connection = await connect();
        const unit = { flowUuid: 'none', expectedRevision: 0, state: 'RUNNING', atoms: [aTask('a')] } as const;
        await expect(connection.commit(unit)).rejects.toThrow(new NotFoundError('There is no flow detail none'));
        await expect(connection.getAtomDetail(unit.atoms[0].uuid)).rejects.toThrow(NotFoundError);
      });

      it('is refused at another revision, and changes nothing', async () => {
        const flow = aFlow('f', aTask('a'));
        const connection = await connectWith(flow);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
        const before = await connection.getFlowDetail(flow.uuid);
        for (const expectedRevision of [0, 2]) {
          const unit = {
            flowUuid: flow.uuid,
            expectedRevision,
            state: 'SUCCESS',
            meta: { x: 1 },
            atoms: [aTask('b', 1)],
          } as const;
          await expect(connection.commit(unit)).rejects.toThrow(
            new StorageConflictError(flow.uuid, expectedRevision, 1),
          );
        }
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(before);
      });

      it('notes when it was made, by what it is known, and its fence', async () => {
        const flow = aFlow('f', aTask('a'));
        const connection = await connectWith(flow);
        await connection.commit({ flowUuid: flow.uuid, id: 'x', at: 5, fence: 7, expectedRevision: 0, atoms: [] });
        const noted = { ...flow, revision: 1, updatedAt: 5, fence: 7, lastCommit: 'x' };
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(noted);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: [] });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual({ ...noted, revision: 2, lastCommit: null });
      });

      it('that is sent again is applied once', async () => {
        const atom = aTask('a');
        const flow = aFlow('f', atom);
        const connection = await connectWith(flow);
        const unit = { flowUuid: flow.uuid, id: 'x', expectedRevision: 0, atoms: [put(atom, 'SUCCESS', 1)] };
        await connection.commit(unit);
        const before = await connection.getFlowDetail(flow.uuid);
        await connection.commit({ ...unit, atoms: [put(atom, 'SUCCESS', 2)] });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(before);
        await connection.commit({ flowUuid: flow.uuid, id: 'y', expectedRevision: 1, atoms: [] });
        await expect(connection.commit(unit)).rejects.toThrow(new StorageConflictError(flow.uuid, 0, 2));
      });

      it('is refused when its claim was taken over, and changes nothing', async () => {
        const flow = aFlow('f', aTask('a'));
        const connection = await connectWith(flow);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, fence: 2, atoms: [] });
        const before = await connection.getFlowDetail(flow.uuid);
        for (const expectedRevision of [0, 1]) {
          const stale = { flowUuid: flow.uuid, expectedRevision, fence: 1, state: 'RUNNING', atoms: [] } as const;
          await expect(connection.commit(stale)).rejects.toThrow(
            new StaleFenceError(flow.uuid, [expectedRevision, 1], 1, 2),
          );
        }
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(before);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, fence: 2, atoms: [] });
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 2, fence: 3, atoms: [] });
        expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 3, fence: 3 });
      });

      it('of two writers at one revision is accepted from exactly one', async () => {
        const flow = aFlow('f', aTask('a'));
        const connection = await connectWith(flow);
        const attempts = Array.from({ length: 8 }, (_, writer) =>
          connection
            .commit({ flowUuid: flow.uuid, expectedRevision: 0, meta: { writer }, atoms: [] })
            .then(() => writer),
        );
        const results = await Promise.allSettled(attempts);
        const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
        expect(winners).toHaveLength(1);
        for (const loser of losers) expect(loser).toBeInstanceOf(StorageConflictError);
        expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1, meta: { writer: winners[0] } });
      });

      it('may put several runs forward at the same time', async () => {
        const flows = Array.from({ length: 5 }, (_, index) => aFlow(`f${index}`, aTask('a')));
        const connection = await connect();
        await connection.saveLogbook(aBook('book', ...flows));
        await Promise.all(
          flows.map(async (flow) => {
            for (let revision = 0; revision < 20; revision += 1) {
              const atoms = flow.atoms.map((atom) => put(atom, 'SUCCESS', revision));
              await connection.commit({ flowUuid: flow.uuid, expectedRevision: revision, atoms });
            }
          }),
        );
        for (const flow of flows) {
          const { revision, atoms } = await connection.getFlowDetail(flow.uuid);
          expect([revision, atoms[0]?.results]).toEqual([20, 19]);
        }
      });

      it('takes the last of several records of one atom', async () => {
        const atom = aTask('a');
        const flow = aFlow('f', atom);
        const connection = await connectWith(flow);
        const last = put(atom, 'SUCCESS', 2);
        await connection.commit({
          flowUuid: flow.uuid,
          expectedRevision: 0,
          atoms: [put(atom, 'RUNNING', null), last],
        });
        expect(await connection.getAtomDetail(atom.uuid)).toEqual(last);
      });

      it('with two atoms of one name, a stolen atom or a changed kind is refused as a whole', async () => {
        const [a, b] = [aTask('a', 0), aTask('b', 1)];
        const flow = aFlow('f', a, b);
        const foreign = aTask('foreign');
        const connection = await connectWith(flow);
        await connection.saveLogbook(aBook('other', aFlow('g', foreign)));
        const before = await connection.getLogbooks();
        const commit = (...atoms: FlowDetail['atoms']) =>
          connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms });
        await expect(commit(put(a, 'RUNNING', null), aTask('b', 2))).rejects.toThrow(DuplicateError);
        await expect(commit(aTask('c', 2), aTask('c', 3))).rejects.toThrow(DuplicateError);
        await expect(commit(put(a, 'RUNNING', null), foreign)).rejects.toThrow(DuplicateError);
        const turned: RetryDetail = { ...aRetry('a'), uuid: a.uuid };
        await expect(commit(put(b, 'RUNNING', null), turned)).rejects.toThrow(UnsupportedError);
        expect(await connection.getLogbooks()).toEqual(before);
        await commit(put(a, 'RUNNING', null));
        expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1, state: 'RUNNING' });
      });

      it('of ten thousand atoms is one commit', async () => {
        const flow = aFlow('f');
        const connection = await connectWith(flow);
        const atoms = Array.from({ length: 10_000 }, (_, index) => aTask(`atom ${index}`, index));
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms });
        expect(await connection.getFlowDetail(flow.uuid)).toEqual({ ...flow, revision: 1, atoms });
        const done = atoms.map((atom) => put(atom, 'SUCCESS', atom.position));
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: done });
        expect(await connection.getAtomsForFlow(flow.uuid)).toEqual(done);
      });
    });

    describe('an atom detail', () => {
      it('is found by its uuid and with its flow, ordered by position', async () => {
        const atoms = [aTask('third', 2), aRetry('first', 0), aTask('second', 1), aTask('last', 100)];
        const flow = aFlow('f', ...atoms);
        const connection = await connectWith(flow);
        const names = (await connection.getAtomsForFlow(flow.uuid)).map((atom) => atom.name);
        expect(names).toEqual(['first', 'second', 'third', 'last']);
        const stored = await connection.getFlowDetail(flow.uuid);
        expect(stored.atoms.map((atom) => atom.name)).toEqual(names);
        for (const atom of atoms) expect(await connection.getAtomDetail(atom.uuid)).toEqual(atom);
        expect(await connection.getFlowDetail(flow.uuid, { lazy: true })).toEqual({ ...flow, atoms: [] });
      });

      it('that is not there is named, as is its flow', async () => {
        const connection = await connect();
        await expect(connection.getAtomDetail('none')).rejects.toThrow(
          new NotFoundError('There is no atom detail none'),
        );
        await expect(connection.getAtomsForFlow('none')).rejects.toThrow(
          new NotFoundError('There is no flow detail none'),
        );
        await expect(connection.getFlowDetail('none')).rejects.toThrow(
          new NotFoundError('There is no flow detail none'),
        );
      });

      it('keeps its state, intention, version and metadata', async () => {
        const atom = {
          ...aTask('a'),
          state: 'REVERTING',
          intention: 'REVERT',
          version: '2.7',
          meta: { progress: 0.25 },
        } as const;
        const bare = { ...aTask('b', 1), state: null, version: null };
        const connection = await connectWith(aFlow('f', atom, bare));
        expect(await connection.getAtomDetail(atom.uuid)).toEqual(atom);
        expect(await connection.getAtomDetail(bare.uuid)).toEqual(bare);
      });

      it('keeps results of every shape that JSON has', async () => {
        const results = [
          null,
          false,
          0,
          -1.5e-7,
          '',
          'text',
          [],
          {},
          [[[1]]],
          { a: { b: null } },
          JSON.parse('{"__proto__": {"x": 1}}'),
        ];
        const flow = aFlow('f', ...results.map((result, index) => put(aTask(`a${index}`, index), 'SUCCESS', result)));
        const connection = await connectWith(flow);
        const stored = await connection.getAtomsForFlow(flow.uuid);
        expect(stored.map((atom) => JSON.stringify(atom.results))).toEqual(
          results.map((result) => JSON.stringify(result)),
        );
      });

      it('may be large', async () => {
        const big = { text: 'ü🙂"\\\n'.repeat(200_000), numbers: Array.from({ length: 50_000 }, (_, index) => index) };
        const atom = put(aTask('a'), 'SUCCESS', big);
        const connection = await connectWith(aFlow('f', atom));
        expect(await connection.getAtomDetail(atom.uuid)).toEqual(atom);
      });

      it('may have any name, and so may its flow and its book', async () => {
        const connection = await connect();
        const atoms = HOSTILE_NAMES.map((each, position) => aTask(each, position));
        const book = {
          ...aBook(HOSTILE_NAMES.join(''), { ...aFlow(HOSTILE_NAMES.join('')), atoms }),
          meta: { __proto__x: 1 },
        };
        await connection.saveLogbook(book);
        expect(await connection.getLogbook(book.uuid)).toEqual(book);
      });

      it('may have any uuid', async () => {
        const connection = await connect();
        for (const uuid of HOSTILE_NAMES) {
          const atom = { ...aTask('a'), uuid };
          const book = { ...aBook('book', { ...aFlow('f', atom), uuid }), uuid };
          await connection.saveLogbook(book);
          await connection.commit({ flowUuid: uuid, expectedRevision: 0, atoms: [put(atom, 'SUCCESS', uuid)] });
          expect(await connection.getAtomDetail(uuid)).toEqual(put(atom, 'SUCCESS', uuid));
          expect(await connection.getFlowDetail(uuid, { lazy: true })).toMatchObject({ uuid, revision: 1 });
        }
        expect(await connection.getLogbooks({ lazy: true })).toHaveLength(HOSTILE_NAMES.length);
        for (const uuid of HOSTILE_NAMES) await connection.destroyLogbook(uuid);
        expect(await connection.getLogbooks()).toEqual([]);
      });
    });

    describe('failures', () => {
      it('come back with type, message, stack, code, properties, causes and members', async () => {
        const cause = new TypeError('the cause');
        const error = Object.assign(
          new AggregateError([new RangeError('one'), new Error('two')], 'größer 🙂\0\ud800', { cause }),
          {
            code: 'E_TEST',
            attempt: 3,
          },
        );
        const failure = Failure.from(error);
        const atom = put(aTask('a'), 'FAILURE', failure);
        const flow = aFlow('f', atom, put(put(aTask('b', 1), 'SUCCESS', 1), 'REVERT_FAILURE', aFailure('of revert')));
        const connection = await connectWith(flow);
        const [stored, reverted] = await connection.getAtomsForFlow(flow.uuid);
        expect(stored?.failure?.toRecord()).toEqual(failure.toRecord());
        expect(stored?.failure?.matches(failure)).toBe(true);
        expect(stored).toMatchObject({ state: 'FAILURE', results: null, revertFailure: null });
        expect(reverted?.revertFailure?.message).toBe('of revert');
        expect(reverted?.failure).toBeNull();
      });

      it('of a task that was reverted stay beside what revert gave', async () => {
        const failure = aFailure('execute');
        const atom = put(put(aTask('a'), 'FAILURE', failure), 'REVERTED', { undone: true });
        const connection = await connectWith(aFlow('f', atom));
        expect(await connection.getAtomDetail(atom.uuid)).toEqual(atom);
      });

      it('are gone after a reset', async () => {
        const atom = put(put(aTask('a'), 'FAILURE', aFailure('x')), 'REVERTED', 'undone');
        const flow = aFlow('f', atom);
        const connection = await connectWith(flow);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [resetDetail(atom)] });
        expect(await connection.getAtomDetail(atom.uuid)).toEqual(resetDetail(atom));
      });
    });

    describe('a retry', () => {
      it('D2: has the values and the failures of its attempts after a reload', async () => {
        const failure = aFailure('first');
        const retry = aRetryThatFailed('r', 42, 'a', failure);
        const connection = await connectWith(aFlow('f', retry));
        const stored = await connection.getAtomDetail(retry.uuid);
        expect(stored).toEqual(retry);
        expect(lastResults(stored)).toBe(42);
        expect(stored.kind === 'retry' && lastFailures(stored).get('a')?.message).toBe('first');
      });

      it('D2: keeps many attempts in order, each with all its failures, under any atom name', async () => {
        let retry = aRetry('r');
        for (const [index, value] of [{ deep: [1] }, null, 'text', undefined, 0].entries()) {
          retry = put(retry, 'SUCCESS', value);
          for (const name of HOSTILE_NAMES.slice(index))
            retry = addAttemptFailure(retry, name, aFailure(`${index} ${name}`));
        }
        const flow = aFlow('f', aRetry('empty', 1));
        const connection = await connectWith(flow);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [retry] });
        const stored = await connection.getAtomDetail(retry.uuid);
        const plain = (detail: typeof stored) =>
          detail.kind === 'retry' &&
          detail.results.map(({ provided, failures }) => [
            provided ?? null,
            Array.from(failures, ([name, { message }]) => [name, message]),
          ]);
        expect(plain(stored)).toEqual(plain(retry));
        expect(stored.kind).toBe('retry');
      });

      it('D3: keeps what its revert gave, and its own failures', async () => {
        const reverted = put(put(aRetry('r'), 'SUCCESS', 1), 'REVERTED', { gave: 'up' });
        const failed = put(
          put(put(aRetry('s', 1), 'SUCCESS', 1), 'FAILURE', aFailure('own')),
          'REVERT_FAILURE',
          aFailure('own revert'),
        );
        const connection = await connectWith(aFlow('f', reverted, failed));
        expect(await connection.getAtomDetail(reverted.uuid)).toEqual(reverted);
        expect(await connection.getAtomDetail(failed.uuid)).toEqual(failed);
      });
    });
  });
}

/** What those backends promise that keep copies, as text. */
export function describeCopyingBackend(name: string, open: () => PersistenceBackend | Promise<PersistenceBackend>) {
  describe(`${name} persistence, as it copies,`, () => {
    const opened: PersistenceBackend[] = [];

    async function connectWith(flow: FlowDetail): Promise<Connection> {
      const backend = await open();
      opened.push(backend);
      const connection = await backend.getConnection();
      await connection.upgrade();
      await connection.saveLogbook(aBook('book', flow));
      return connection;
    }

    afterEach(async () => {
      for (const backend of opened.splice(0)) await backend.close();
    });

    it('shares nothing with who wrote or read', async () => {
      const rows = [{ id: 1 }];
      const meta = { tags: ['a'] };
      const atom = { ...put(aTask('a'), 'SUCCESS', rows), meta };
      const connection = await connectWith(aFlow('f', atom));
      rows.push({ id: 2 });
      meta.tags.push('b');
      const stored = await connection.getAtomDetail(atom.uuid);
      expect([stored.results, stored.meta]).toEqual([[{ id: 1 }], { tags: ['a'] }]);
      expect(await connection.getAtomDetail(atom.uuid)).not.toBe(stored);
      (stored.results as unknown[]).length = 0;
      expect((await connection.getAtomDetail(atom.uuid)).results).toEqual([{ id: 1 }]);
    });

    it('refuses a whole commit for one value that it cannot keep, and says whose it is', async () => {
      const atoms = [aTask('a', 0), aTask('b', 1), aTask('c', 2)];
      const flow = aFlow('f', ...atoms);
      const connection = await connectWith(flow);
      const results = [{ fine: 1 }, ['fine'], { rows: [0, { when: () => 0 }] }];
      const done = atoms.map((atom, index) => put(atom, 'SUCCESS', results[index]));
      const unit = { flowUuid: flow.uuid, expectedRevision: 0, state: 'SUCCESS', meta: { x: 1 }, atoms: done } as const;
      const refusal = connection.commit(unit);
      await expect(refusal).rejects.toThrow(UnstorableValueError);
      await expect(refusal).rejects.toMatchObject({ path: '$.rows[1].when' });
      await expect(refusal).rejects.toThrow(/a function, in the results of task 'c'/);
      expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      const inMeta = { ...unit, meta: { bad: 1n }, atoms: [] };
      await expect(connection.commit(inMeta)).rejects.toThrow(
        /\$\.bad cannot be stored: a bigint, in the meta of flow/,
      );
      expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      await expect(connection.saveLogbook(aBook('other', aFlow('g'), aFlow('h', ...done)))).rejects.toThrow(
        UnstorableValueError,
      );
      expect(await connection.getLogbooks()).toHaveLength(1);
    });

    it('gives null for a result that is undefined', async () => {
      const atom = put(aTask('a'), 'SUCCESS', undefined);
      const connection = await connectWith(aFlow('f', atom));
      expect((await connection.getAtomDetail(atom.uuid)).results).toBeNull();
    });

    it('gives failures without their live errors, like any other reload', async () => {
      const atom = put(aTask('a'), 'FAILURE', Failure.from(new Error('live')));
      const connection = await connectWith(aFlow('f', atom));
      const { failure } = await connection.getAtomDetail(atom.uuid);
      expect([failure?.isLive, failure?.message]).toEqual([false, 'live']);
    });
  });
}
