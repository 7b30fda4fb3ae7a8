import { NotFoundError } from '../../errors.js';
import { Failure } from '../../failure.js';
import { addAttemptFailure, lastFailures, lastResults, put, resetDetail } from '../../persistence/atom-details.js';
import { includes, rejects, same } from '../checks.js';
import { aBook, aFailure, aFlow, aRetry, aRetryThatFailed, aTask } from '../made-up-runs.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import type { Suite } from './suite.js';

/** What a backend promises of atoms, their results and failures. */
export function atomPromises({ describe, test }: Suite): void {
  describe('an atom detail', () => {
    test('is found by its uuid and with its flow, ordered by position', async ({ connectWith }) => {
      const atoms = [aTask('third', 2), aRetry('first', 0), aTask('second', 1), aTask('last', 100)];
      const flow = aFlow('f', ...atoms);
      const connection = await connectWith(flow);
      const names = (await connection.getAtomsForFlow(flow.uuid)).map((atom) => atom.name);
      same(names, ['first', 'second', 'third', 'last']);
      const stored = await connection.getFlowDetail(flow.uuid);
      same(
        stored.atoms.map((atom) => atom.name),
        names,
      );
      for (const atom of atoms) same(await connection.getAtomDetail(atom.uuid), atom);
      same(await connection.getFlowDetail(flow.uuid, { lazy: true }), { ...flow, atoms: [] });
    });

    test('that is not there is named, as is its flow', async ({ connect }) => {
      const connection = await connect();
      await rejects(connection.getAtomDetail('none'), new NotFoundError('There is no atom detail none'));
      await rejects(connection.getAtomsForFlow('none'), new NotFoundError('There is no flow detail none'));
      await rejects(connection.getFlowDetail('none'), new NotFoundError('There is no flow detail none'));
    });

    test('keeps its state, intention, version and metadata', async ({ connectWith }) => {
      const atom = {
        ...aTask('a'),
        state: 'REVERTING',
        intention: 'REVERT',
        version: '2.7',
        meta: { progress: 0.25 },
      } as const;
      const bare = { ...aTask('b', 1), state: null, version: null };
      const connection = await connectWith(aFlow('f', atom, bare));
      same(await connection.getAtomDetail(atom.uuid), atom);
      same(await connection.getAtomDetail(bare.uuid), bare);
    });

    test('keeps results of every shape that JSON has', async ({ connectWith }) => {
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
      same(
        stored.map((atom) => JSON.stringify(atom.results)),
        results.map((result) => JSON.stringify(result)),
      );
    });

    test('may be large', async ({ connectWith }) => {
      const big = { text: 'ü🙂"\\\n'.repeat(200_000), numbers: Array.from({ length: 50_000 }, (_, index) => index) };
      const atom = put(aTask('a'), 'SUCCESS', big);
      const connection = await connectWith(aFlow('f', atom));
      same(await connection.getAtomDetail(atom.uuid), atom);
    });

    test('may have any name, and so may its flow and its book', async ({ connect }) => {
      const connection = await connect();
      const atoms = HOSTILE_NAMES.map((each, position) => aTask(each, position));
      const book = {
        ...aBook(HOSTILE_NAMES.join(''), { ...aFlow(HOSTILE_NAMES.join('')), atoms }),
        meta: { __proto__x: 1 },
      };
      await connection.saveLogbook(book);
      same(await connection.getLogbook(book.uuid), book);
    });

    test('may have any uuid', async ({ connect }) => {
      const connection = await connect();
      for (const uuid of HOSTILE_NAMES) {
        const atom = { ...aTask('a'), uuid };
        const book = { ...aBook('book', { ...aFlow('f', atom), uuid }), uuid };
        await connection.saveLogbook(book);
        await connection.commit({ flowUuid: uuid, expectedRevision: 0, atoms: [put(atom, 'SUCCESS', uuid)] });
        same(await connection.getAtomDetail(uuid), put(atom, 'SUCCESS', uuid));
        includes(await connection.getFlowDetail(uuid, { lazy: true }), { uuid, revision: 1 });
      }
      same((await connection.getLogbooks({ lazy: true })).length, HOSTILE_NAMES.length);
      for (const uuid of HOSTILE_NAMES) await connection.destroyLogbook(uuid);
      same(await connection.getLogbooks(), []);
    });
  });

  describe('failures', () => {
    test('come back with type, message, stack, code, properties, causes and members', async ({ connectWith }) => {
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
      same(stored?.failure?.toRecord(), failure.toRecord());
      same(stored?.failure?.matches(failure), true);
      includes(stored, { state: 'FAILURE', results: null, revertFailure: null });
      same(reverted?.revertFailure?.message, 'of revert');
      same(reverted?.failure, null);
    });

    test('of a task that was reverted stay beside what revert gave', async ({ connectWith }) => {
      const failure = aFailure('execute');
      const atom = put(put(aTask('a'), 'FAILURE', failure), 'REVERTED', { undone: true });
      const connection = await connectWith(aFlow('f', atom));
      same(await connection.getAtomDetail(atom.uuid), atom);
    });

    test('are gone after a reset', async ({ connectWith }) => {
      const atom = put(put(aTask('a'), 'FAILURE', aFailure('x')), 'REVERTED', 'undone');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [resetDetail(atom)] });
      same(await connection.getAtomDetail(atom.uuid), resetDetail(atom));
    });
  });

  describe('a retry', () => {
    test('D2: has the values and the failures of its attempts after a reload', async ({ connectWith }) => {
      const failure = aFailure('first');
      const retry = aRetryThatFailed('r', 42, 'a', failure);
      const connection = await connectWith(aFlow('f', retry));
      const stored = await connection.getAtomDetail(retry.uuid);
      same(stored, retry);
      same(lastResults(stored), 42);
      same(stored.kind === 'retry' && lastFailures(stored).get('a')?.message, 'first');
    });

    test('D2: keeps many attempts in order, each with all its failures, under any atom name', async ({
      connectWith,
    }) => {
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
      same(plain(stored), plain(retry));
      same(stored.kind, 'retry');
    });

    test('D3: keeps what its revert gave, and its own failures', async ({ connectWith }) => {
      const reverted = put(put(aRetry('r'), 'SUCCESS', 1), 'REVERTED', { gave: 'up' });
      const failed = put(
        put(put(aRetry('s', 1), 'SUCCESS', 1), 'FAILURE', aFailure('own')),
        'REVERT_FAILURE',
        aFailure('own revert'),
      );
      const connection = await connectWith(aFlow('f', reverted, failed));
      same(await connection.getAtomDetail(reverted.uuid), reverted);
      same(await connection.getAtomDetail(failed.uuid), failed);
    });
  });
}
