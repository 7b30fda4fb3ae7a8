import { DuplicateError, NotFoundError, StorageConflictError } from '../../errors.js';
import { put } from '../../persistence/atom-details.js';
import { rejects, same } from '../checks.js';
import { aBook, aFlow, aRetry, aTask } from '../made-up-runs.js';
import type { FlowDetail, LogBook } from '../../persistence/details.js';
import type { Suite } from './suite.js';

/** What a backend promises of logbooks and the runs in them. */
export function bookPromises({ describe, test }: Suite): void {
  describe('the store', () => {
    test('is upgraded as often as one likes, and valid', async ({ connect }) => {
      const connection = await connect();
      await connection.upgrade();
      await connection.validate();
      same(await connection.getLogbooks(), []);
    });

    test('gives out several connections, and works after one is closed', async ({ open }) => {
      const backend = await open();
      const first = await backend.getConnection();
      await first.upgrade();
      const book = await first.saveLogbook(aBook('book'));
      await first.close();
      const second = await backend.getConnection();
      same(await second.getLogbook(book.uuid), book);
    });

    test('is empty after clearAll, and can be used on', async ({ connectWith }) => {
      const flow = aFlow('flow', aTask('a'));
      const connection = await connectWith(flow);
      await connection.clearAll();
      same(await connection.getLogbooks(), []);
      await rejects(connection.getFlowDetail(flow.uuid), NotFoundError);
      await connection.saveLogbook(aBook('next', flow));
      same(await connection.getFlowDetail(flow.uuid), flow);
    });
  });

  describe('a logbook', () => {
    test('comes back as it was saved', async ({ connect }) => {
      const connection = await connect();
      const book: LogBook = {
        ...aBook('book'),
        meta: { owner: 'ann', depth: { levels: [1, 2, null] } },
        updatedAt: 5,
      };
      same(await connection.saveLogbook(book), book);
      same(await connection.getLogbook(book.uuid), book);
      same(await connection.getLogbooks(), [book]);
    });

    test('comes back with its runs and their atoms, and without them when asked lazily', async ({ connect }) => {
      const connection = await connect();
      const book = aBook('book', aFlow('f', aTask('a', 0), aRetry('r', 1)), aFlow('g', aTask('a')));
      same(await connection.saveLogbook(book), book);
      same(await connection.getLogbook(book.uuid), book);
      same(await connection.getLogbooks(), [book]);
      same(await connection.getLogbook(book.uuid, { lazy: true }), { ...book, flows: [] });
      same(await connection.getLogbooks({ lazy: true }), [{ ...book, flows: [] }]);
      same(await connection.getFlowsForBook(book.uuid), book.flows);
      const lazyFlows = book.flows.map((flow) => ({ ...flow, atoms: [] }));
      same(await connection.getFlowsForBook(book.uuid, { lazy: true }), lazyFlows);
    });

    test('is one of several, listed by age', async ({ connect }) => {
      const connection = await connect();
      const young = { ...aBook('young', aFlow('f')), createdAt: 3 };
      const old = { ...aBook('old', aFlow('g', aTask('a'))), createdAt: 1 };
      const between = { ...aBook('between'), createdAt: 2 };
      for (const book of [young, old, between]) await connection.saveLogbook(book);
      same(await connection.getLogbooks(), [old, between, young]);
    });

    test('takes more runs later, after those that it has', async ({ connect }) => {
      const connection = await connect();
      const [first, second, third] = [aFlow('z', aTask('a')), aFlow('m'), aFlow('a')];
      const book = aBook('book', first);
      await connection.saveLogbook(book);
      const merged = await connection.saveLogbook({ ...book, updatedAt: 9, flows: [second, third] });
      same(merged, { ...book, updatedAt: 9, flows: [first, second, third] });
      same(await connection.getLogbook(book.uuid), merged);
    });

    test('has its own facts replaced when it is saved again', async ({ connect }) => {
      const connection = await connect();
      const book = { ...aBook('book'), meta: { a: 1, b: 2 } };
      await connection.saveLogbook(book);
      const changed = { ...book, name: 'renamed', meta: { b: 3 }, updatedAt: 7 };
      same(await connection.saveLogbook(changed), changed);
      same(await connection.getLogbook(book.uuid), changed);
    });

    test('can be saved twice without a change', async ({ connect }) => {
      const connection = await connect();
      const book = aBook('book', aFlow('f', put(aTask('a'), 'SUCCESS', { rows: [1] })));
      await connection.saveLogbook(book);
      same(await connection.saveLogbook(book), book);
    });

    test('is replaced when that is asked for, and nothing stays of it', async ({ connect }) => {
      const connection = await connect();
      const [gone, stays] = [aFlow('gone', aTask('a')), aFlow('stays', aTask('a'), aTask('b'))];
      const book = { ...aBook('book', gone, stays), meta: { a: 1 } };
      await connection.saveLogbook(book);
      await connection.commit({ flowUuid: stays.uuid, expectedRevision: stays.revision, state: 'RUNNING', atoms: [] });
      const next = { ...book, meta: { b: 2 }, flows: [{ ...stays, atoms: [aTask('c')] }] };
      same(await connection.saveLogbook(next, { replace: true }), next);
      same(await connection.getLogbooks(), [next]);
      await rejects(connection.getFlowDetail(gone.uuid), NotFoundError);
    });

    test('that is to be replaced stays as it was when the other is refused', async ({ connect }) => {
      const connection = await connect();
      const [flow, foreign] = [aFlow('f', aTask('a')), aFlow('foreign')];
      const [book, other] = [aBook('book', flow), aBook('other', foreign)];
      await connection.saveLogbook(book);
      await connection.saveLogbook(other);
      const taken = { ...book, flows: [aFlow('new', aTask('x')), foreign] };
      await rejects(connection.saveLogbook(taken, { replace: true }), DuplicateError);
      same(await connection.getLogbook(book.uuid), book);
      same(await connection.getFlowDetail(flow.uuid), flow);
      same(await connection.getLogbook(other.uuid), other);
    });

    test('takes its runs and their atoms along when it is destroyed', async ({ connect }) => {
      const connection = await connect();
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const book = aBook('book', flow);
      const other = aBook('other', aFlow('g', aTask('a')));
      await connection.saveLogbook(book);
      await connection.saveLogbook(other);
      await connection.destroyLogbook(book.uuid);
      await rejects(connection.getLogbook(book.uuid), NotFoundError);
      await rejects(connection.getFlowDetail(flow.uuid), NotFoundError);
      await rejects(connection.getAtomDetail(atom.uuid), NotFoundError);
      same(await connection.getLogbooks(), [other]);
      await connection.saveLogbook(book);
      same(await connection.getLogbook(book.uuid), book);
    });

    test('that is not there is named', async ({ connect }) => {
      const connection = await connect();
      for (const ask of [
        () => connection.getLogbook('none'),
        () => connection.getLogbook('none', { lazy: true }),
        () => connection.getFlowsForBook('none'),
        () => connection.destroyLogbook('none'),
      ]) {
        await rejects(ask(), new NotFoundError('There is no logbook none'));
      }
      await connection.saveLogbook({ ...aBook('once'), uuid: 'once' });
      await connection.destroyLogbook('once');
      await rejects(connection.destroyLogbook('once'), new NotFoundError('There is no logbook once'));
    });
  });

  describe('saving over a stored run', () => {
    test('merges what is new and counts as a commit', async ({ connect }) => {
      const flow = aFlow('f', aTask('a', 0));
      const book = aBook('book', flow);
      const connection = await connect();
      await connection.saveLogbook(book);
      const more = aTask('b', 1);
      const changed: FlowDetail = { ...flow, state: 'RUNNING', meta: { note: 1 }, atoms: [more] };
      const merged = await connection.saveLogbook({ ...book, flows: [changed] });
      const expected = { ...changed, revision: 1, atoms: [...flow.atoms, more] };
      same(merged, { ...book, flows: [expected] });
      same(await connection.getFlowDetail(flow.uuid), expected);
    });

    test('leaves a run alone that it has nothing to say about', async ({ connect }) => {
      const flow = aFlow('f', aTask('a'));
      const book = aBook('book', flow);
      const connection = await connect();
      await connection.saveLogbook(book);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] });
      const merged = await connection.saveLogbook({ ...book, flows: [{ ...flow, atoms: [] }] });
      same(merged.flows, [{ ...flow, revision: 1 }]);
    });

    test('is refused when the run went on meanwhile', async ({ connect }) => {
      const flow = aFlow('f', aTask('a'));
      const book = aBook('book', flow);
      const connection = await connect();
      await connection.saveLogbook(book);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
      const stale = { ...book, name: 'renamed', flows: [flow, aFlow('g')] };
      await rejects(connection.saveLogbook(stale), new StorageConflictError(flow.uuid, 0, 1));
      same(await connection.getLogbook(book.uuid), {
        ...book,
        flows: [{ ...flow, state: 'RUNNING', revision: 1 }],
      });
    });

    test('keeps the revision of a run that was not stored', async ({ connectWith }) => {
      const flow = { ...aFlow('f'), revision: 41 };
      const connection = await connectWith(flow);
      same(await connection.getFlowDetail(flow.uuid), flow);
    });

    test('is refused for a run or an atom that is stored elsewhere, or twice in what is saved', async ({
      connectWith,
    }) => {
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      await rejects(connection.saveLogbook(aBook('thief', flow)), DuplicateError);
      await rejects(connection.saveLogbook(aBook('thief', aFlow('g', atom))), DuplicateError);
      const shared = aTask('shared');
      await rejects(connection.saveLogbook(aBook('b', aFlow('g', shared), aFlow('h', shared))), DuplicateError);
      same((await connection.getLogbooks()).length, 1);
    });
  });

  describe('a search', () => {
    test('finds runs by state, book, name and age, the longest unchanged first', async ({ connect }) => {
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
      same(await connection.findFlowDetails(), all);
      same(await connection.findFlowDetails({ limit: 2 }), all.slice(0, 2));
      same(await connection.findFlowDetails({ states: [] }), []);
      same(await connection.findFlowDetails({ states: ['PENDING', 'SUCCESS'] }), [all[1], all[3]]);
      same(await connection.findFlowDetails({ bookUuid: first.uuid }), all.slice(2));
      same(await connection.findFlowDetails({ name: 'f0' }), [all[1], all[3]]);
      same(await connection.findFlowDetails({ updatedBefore: 99 }), all.slice(0, 2));
      same(await connection.findFlowDetails({ updatedBefore: 99, states: ['SUCCESS'] }), []);
    });
  });

  describe('an update', () => {
    test('merges a stored run, as one more commit', async ({ connectWith }) => {
      const [a, b] = [aTask('a', 0), aTask('b', 1)];
      const connection = await connectWith(aFlow('unused'));
      const flow = aFlow('f', a);
      await rejects(connection.updateFlowDetail(flow), NotFoundError);
      await connection.saveLogbook(aBook('book', flow));
      const changed: FlowDetail = { ...flow, state: 'SUSPENDED', meta: { x: 1 }, atoms: [b] };
      const merged = { ...changed, revision: 1, atoms: [a, b] };
      same(await connection.updateFlowDetail(changed), merged);
      same(await connection.getFlowDetail(flow.uuid), merged);
      same(await connection.updateFlowDetail(changed), merged);
      await rejects(connection.updateFlowDetail({ ...changed, meta: {} }), StorageConflictError);
    });

    test('writes one atom, as one more commit of its run', async ({ connectWith }) => {
      const [a, b] = [aTask('a', 0), aTask('b', 1)];
      const flow = aFlow('f', a, b);
      const connection = await connectWith(flow);
      const done = put(a, 'SUCCESS', { found: true });
      same(await connection.updateAtomDetail(done), done);
      same(await connection.getFlowDetail(flow.uuid), { ...flow, revision: 1, atoms: [done, b] });
      await rejects(connection.updateAtomDetail(aTask('other')), NotFoundError);
    });
  });

  describe('a run that is destroyed', () => {
    test('is gone with its atoms; its book stays, with the others', async ({ connect }) => {
      const [a, b] = [aTask('a'), aTask('a')];
      const [first, second] = [aFlow('f', a), aFlow('g', b)];
      const connection = await connect();
      const book = await connection.saveLogbook(aBook('book', first, second));
      await connection.destroyFlowDetail(first.uuid);
      same(await connection.getLogbook(book.uuid), { ...book, flows: [second] });
      await rejects(connection.getAtomDetail(a.uuid), NotFoundError);
      await rejects(connection.destroyFlowDetail(first.uuid), NotFoundError);
      same((await connection.saveLogbook(book)).flows, [second, first]);
    });

    test('is spared when it is at another revision than expected', async ({ connect }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connect();
      await connection.saveLogbook(aBook('book', flow));
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] });
      await rejects(connection.destroyFlowDetail(flow.uuid, 0), new StorageConflictError(flow.uuid, 0, 1));
      same(await connection.getFlowDetail(flow.uuid), { ...flow, revision: 1 });
      await connection.destroyFlowDetail(flow.uuid, 1);
      await rejects(connection.getFlowDetail(flow.uuid), NotFoundError);
    });
  });
}
