import { ok } from 'node:assert/strict';
import {
  DuplicateError,
  NotFoundError,
  StaleFenceError,
  StorageConflictError,
  UnsupportedError,
} from '../../errors.js';
import { put } from '../../persistence/atom-details.js';
import { includes, rejects, same } from '../checks.js';
import { aBook, aFlow, aRetry, aTask } from '../made-up-runs.js';
import type { FlowDetail, RetryDetail } from '../../persistence/details.js';
import type { Suite } from './suite.js';

/** What a backend promises of commits: whole or not at all, once, in order, by one writer. */
export function commitPromises({ describe, test }: Suite): void {
  describe('a commit', () => {
    test('changes what it says and nothing else', async ({ connectWith }) => {
      const [a, b] = [aTask('a', 0), aTask('b', 1)];
      const flow = { ...aFlow('f', a, b), meta: { kept: true } };
      const connection = await connectWith(flow);
      const done = put(a, 'SUCCESS', [1, { two: 2 }]);
      const added = aRetry('r', 2);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [done, added] });
      same(await connection.getFlowDetail(flow.uuid), { ...flow, revision: 1, atoms: [done, b, added] });
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, state: 'RUNNING', atoms: [] });
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 2, meta: { other: 1 }, atoms: [] });
      const now: FlowDetail = { ...flow, state: 'RUNNING', meta: { other: 1 }, revision: 3, atoms: [done, b, added] };
      same(await connection.getFlowDetail(flow.uuid), now);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 3, state: null, meta: {}, atoms: [a] });
      same(await connection.getFlowDetail(flow.uuid), {
        ...flow,
        meta: {},
        revision: 4,
        atoms: [a, b, added],
      });
    });

    test('gives atoms other names, also one that was free only after another had left it', async ({ connectWith }) => {
      const [a, b, c] = [aTask('a', 0), aTask('b', 1), aTask('c', 2)];
      const flow = aFlow('f', a, b, c);
      const connection = await connectWith(flow);
      const atoms = [{ ...a, name: 'd' }, { ...b, name: 'a' }, put(c, 'SUCCESS', 1)];
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms });
      same(await connection.getFlowDetail(flow.uuid), { ...flow, revision: 1, atoms });
    });

    test('goes to a stored run only', async ({ connect }) => {
      const connection = await connect();
      const unit = { flowUuid: 'none', expectedRevision: 0, state: 'RUNNING', atoms: [aTask('a')] } as const;
      await rejects(connection.commit(unit), new NotFoundError('There is no flow detail none'));
      await rejects(connection.getAtomDetail(unit.atoms[0].uuid), NotFoundError);
    });

    test('is refused at another revision, and changes nothing', async ({ connectWith }) => {
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
        await rejects(connection.commit(unit), new StorageConflictError(flow.uuid, expectedRevision, 1));
      }
      same(await connection.getFlowDetail(flow.uuid), before);
    });

    test('notes when it was made, by what it is known, and its fence', async ({ connectWith }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connectWith(flow);
      await connection.commit({ flowUuid: flow.uuid, id: 'x', at: 5, fence: 7, expectedRevision: 0, atoms: [] });
      const noted = { ...flow, revision: 1, updatedAt: 5, fence: 7, lastCommit: 'x' };
      same(await connection.getFlowDetail(flow.uuid), noted);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: [] });
      same(await connection.getFlowDetail(flow.uuid), { ...noted, revision: 2, lastCommit: null });
    });

    test('that is sent again is applied once', async ({ connectWith }) => {
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      const unit = { flowUuid: flow.uuid, id: 'x', expectedRevision: 0, atoms: [put(atom, 'SUCCESS', 1)] };
      await connection.commit(unit);
      const before = await connection.getFlowDetail(flow.uuid);
      await connection.commit({ ...unit, atoms: [put(atom, 'SUCCESS', 2)] });
      same(await connection.getFlowDetail(flow.uuid), before);
      await connection.commit({ flowUuid: flow.uuid, id: 'y', expectedRevision: 1, atoms: [] });
      await rejects(connection.commit(unit), new StorageConflictError(flow.uuid, 0, 2));
    });

    test('is refused when its claim was taken over, and changes nothing', async ({ connectWith }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connectWith(flow);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, fence: 2, atoms: [] });
      const before = await connection.getFlowDetail(flow.uuid);
      for (const expectedRevision of [0, 1]) {
        const stale = { flowUuid: flow.uuid, expectedRevision, fence: 1, state: 'RUNNING', atoms: [] } as const;
        await rejects(connection.commit(stale), new StaleFenceError(flow.uuid, [expectedRevision, 1], 1, 2));
      }
      same(await connection.getFlowDetail(flow.uuid), before);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, fence: 2, atoms: [] });
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 2, fence: 3, atoms: [] });
      includes(await connection.getFlowDetail(flow.uuid), { revision: 3, fence: 3 });
    });

    test('of two writers at one revision is accepted from exactly one', async ({ connectWith }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connectWith(flow);
      const attempts = Array.from({ length: 8 }, (_, writer) =>
        connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, meta: { writer }, atoms: [] }).then(() => writer),
      );
      const results = await Promise.allSettled(attempts);
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const losers = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      same(winners.length, 1);
      for (const loser of losers) ok(loser instanceof StorageConflictError);
      includes(await connection.getFlowDetail(flow.uuid), { revision: 1, meta: { writer: winners[0] } });
    });

    test('may put several runs forward at the same time', async ({ connect }) => {
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
        same([revision, atoms[0]?.results], [20, 19]);
      }
    });

    test('takes the last of several records of one atom', async ({ connectWith }) => {
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      const last = put(atom, 'SUCCESS', 2);
      await connection.commit({
        flowUuid: flow.uuid,
        expectedRevision: 0,
        atoms: [put(atom, 'RUNNING', null), last],
      });
      same(await connection.getAtomDetail(atom.uuid), last);
    });

    test('with two atoms of one name, a stolen atom or a changed kind is refused as a whole', async ({
      connectWith,
    }) => {
      const [a, b] = [aTask('a', 0), aTask('b', 1)];
      const flow = aFlow('f', a, b);
      const foreign = aTask('foreign');
      const connection = await connectWith(flow);
      await connection.saveLogbook(aBook('other', aFlow('g', foreign)));
      const before = await connection.getLogbooks();
      const commit = (...atoms: FlowDetail['atoms']) =>
        connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms });
      await rejects(commit(put(a, 'RUNNING', null), aTask('b', 2)), DuplicateError);
      await rejects(commit(aTask('c', 2), aTask('c', 3)), DuplicateError);
      await rejects(commit(put(a, 'RUNNING', null), foreign), DuplicateError);
      const turned: RetryDetail = { ...aRetry('a'), uuid: a.uuid };
      await rejects(commit(put(b, 'RUNNING', null), turned), UnsupportedError);
      same(await connection.getLogbooks(), before);
      await commit(put(a, 'RUNNING', null));
      includes(await connection.getFlowDetail(flow.uuid), { revision: 1, state: 'RUNNING' });
    });

    test('of ten thousand atoms is one commit', async ({ connectWith }) => {
      const flow = aFlow('f');
      const connection = await connectWith(flow);
      const atoms = Array.from({ length: 10_000 }, (_, index) => aTask(`atom ${index}`, index));
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms });
      same(await connection.getFlowDetail(flow.uuid), { ...flow, revision: 1, atoms });
      const done = atoms.map((atom) => put(atom, 'SUCCESS', atom.position));
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: done });
      same(await connection.getAtomsForFlow(flow.uuid), done);
    });
  });
}
