import { ok } from 'node:assert/strict';
import { UnstorableValueError } from '../../errors.js';
import { Failure } from '../../failure.js';
import { put } from '../../persistence/atom-details.js';
import { includes, rejects, same } from '../checks.js';
import { aBook, aFlow, aTask } from '../made-up-runs.js';
import type { Suite } from './suite.js';

/** What those backends promise that keep copies, as text. */
export function copyPromises({ test }: Suite): void {
  test('shares nothing with who wrote or read', async ({ connectWith }) => {
    const rows = [{ id: 1 }];
    const meta = { tags: ['a'] };
    const atom = { ...put(aTask('a'), 'SUCCESS', rows), meta };
    const connection = await connectWith(aFlow('f', atom));
    rows.push({ id: 2 });
    meta.tags.push('b');
    const stored = await connection.getAtomDetail(atom.uuid);
    same([stored.results, stored.meta], [[{ id: 1 }], { tags: ['a'] }]);
    ok((await connection.getAtomDetail(atom.uuid)) !== stored);
    (stored.results as unknown[]).length = 0;
    same((await connection.getAtomDetail(atom.uuid)).results, [{ id: 1 }]);
  });

  test('refuses a whole commit for one value that it cannot keep, and says whose it is', async ({ connectWith }) => {
    const atoms = [aTask('a', 0), aTask('b', 1), aTask('c', 2)];
    const flow = aFlow('f', ...atoms);
    const connection = await connectWith(flow);
    const results = [{ fine: 1 }, ['fine'], { rows: [0, { when: () => 0 }] }];
    const done = atoms.map((atom, index) => put(atom, 'SUCCESS', results[index]));
    const unit = { flowUuid: flow.uuid, expectedRevision: 0, state: 'SUCCESS', meta: { x: 1 }, atoms: done } as const;
    const refusal = connection.commit(unit);
    await rejects(refusal, UnstorableValueError);
    await refusal.catch((error: unknown) => includes(error as object, { path: '$.rows[1].when' }));
    await rejects(refusal, /a function, in the results of task 'c'/);
    same(await connection.getFlowDetail(flow.uuid), flow);
    const inMeta = { ...unit, meta: { bad: 1n }, atoms: [] };
    await rejects(connection.commit(inMeta), /\$\.bad cannot be stored: a bigint, in the meta of flow/);
    same(await connection.getFlowDetail(flow.uuid), flow);
    await rejects(connection.saveLogbook(aBook('other', aFlow('g'), aFlow('h', ...done))), UnstorableValueError);
    same((await connection.getLogbooks()).length, 1);
  });

  test('gives null for a result that is undefined', async ({ connectWith }) => {
    const atom = put(aTask('a'), 'SUCCESS', undefined);
    const connection = await connectWith(aFlow('f', atom));
    same((await connection.getAtomDetail(atom.uuid)).results, null);
  });

  test('gives failures without their live errors, like any other reload', async ({ connectWith }) => {
    const atom = put(aTask('a'), 'FAILURE', Failure.from(new Error('live')));
    const connection = await connectWith(aFlow('f', atom));
    const { failure } = await connection.getAtomDetail(atom.uuid);
    same([failure?.isLive, failure?.message], [false, 'live']);
  });
}
