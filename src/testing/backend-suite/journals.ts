import { DuplicateError, NotFoundError, StaleFenceError, StorageConflictError } from '../../errors.js';
import { put } from '../../persistence/atom-details.js';
import type { JournalEntry } from '../../persistence/journal-entry.js';
import { rejects, same } from '../checks.js';
import { HOSTILE_NAMES } from '../hostile-names.js';
import { aBook, aFlow, aTask } from '../made-up-runs.js';
import type { Suite } from './suite.js';

const MANY = 250;

function anEntry(sequence: number, more: Partial<JournalEntry> = {}): JournalEntry {
  const entity = { kind: 'task', name: `task ${sequence}`, uuid: `uuid ${sequence}` } as const;
  return { sequence, at: 1000 + sequence, entity, from: null, event: null, to: 'PENDING', cause: null, ...more };
}

const entries = (first: number, last: number) =>
  Array.from({ length: last - first + 1 }, (_, index) => anEntry(first + index));

/** What a backend promises of the journals of runs. */
export function journalPromises({ describe, test }: Suite): void {
  describe('the journal of a run', () => {
    test('is empty before anything is added, and there is none of a run that is not stored', async ({
      connectWith,
    }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connectWith(flow);
      same(await connection.getJournal(flow.uuid), []);
      await rejects(connection.getJournal('none'), new NotFoundError('There is no flow detail none'));
    });

    test('is added to by commits, and read in its order', async ({ connectWith }) => {
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      const first: JournalEntry[] = [
        { ...anEntry(1), entity: { kind: 'flow', name: 'f', uuid: flow.uuid }, to: 'RUNNING', event: 'run' },
        { ...anEntry(2), entity: { kind: 'task', name: 'a', uuid: atom.uuid }, from: 'PENDING', to: 'RUNNING' },
      ];
      const failed = { from: 'RUNNING', event: 'failed', to: 'FAILURE', cause: 'Error: no "way"\\' } as const;
      const second = [anEntry(3, failed)];
      const unit = { flowUuid: flow.uuid, id: 'x', atoms: [put(atom, 'RUNNING', null)] };
      await connection.commit({ ...unit, expectedRevision: 0, state: 'RUNNING', journal: first });
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: [] });
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 2, atoms: [], journal: second });
      same(await connection.getJournal(flow.uuid), [...first, ...second]);
      same((await connection.getFlowDetail(flow.uuid)).revision, 3);
    });

    test('is read by pages', async ({ connectWith }) => {
      const flow = aFlow('f');
      const connection = await connectWith(flow);
      const sizes = [1, 31, 1, 67, 150];
      let last = 0;
      for (const [expectedRevision, size] of sizes.entries()) {
        const journal = entries(last + 1, last + size);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision, atoms: [], journal });
        last += size;
      }
      same(last, MANY);
      same(await connection.getJournal(flow.uuid), entries(1, MANY));
      same(await connection.getJournal(flow.uuid, { limit: 40 }), entries(1, 40));
      same(await connection.getJournal(flow.uuid, { after: 31, limit: 2 }), entries(32, 33));
      same(await connection.getJournal(flow.uuid, { after: 32, limit: 100 }), entries(33, 132));
      same(await connection.getJournal(flow.uuid, { after: MANY - 1 }), entries(MANY, MANY));
      same(await connection.getJournal(flow.uuid, { after: MANY }), []);
      same(await connection.getJournal(flow.uuid, { after: 10 * MANY, limit: 5 }), []);
    });

    test('is not added to by a commit that is refused', async ({ connectWith }) => {
      const flow = aFlow('f', aTask('a', 0));
      const foreign = aTask('foreign');
      const connection = await connectWith(flow);
      await connection.saveLogbook(aBook('other', aFlow('g', foreign)));
      const begun = { flowUuid: flow.uuid, expectedRevision: 0, fence: 2, atoms: [], journal: entries(1, 2) };
      await connection.commit(begun);
      const next = { flowUuid: flow.uuid, atoms: [], journal: entries(3, 4) };
      await rejects(connection.commit({ ...next, expectedRevision: 0 }), StorageConflictError);
      await rejects(connection.commit({ ...next, expectedRevision: 5 }), StorageConflictError);
      await rejects(connection.commit({ ...next, expectedRevision: 1, fence: 1 }), StaleFenceError);
      await rejects(connection.commit({ ...next, expectedRevision: 1, atoms: [foreign] }), DuplicateError);
      same(await connection.getJournal(flow.uuid), entries(1, 2));
      await connection.commit({ ...next, expectedRevision: 1, fence: 2 });
      same(await connection.getJournal(flow.uuid), entries(1, 4));
    });

    test('has one entry of each number, and otherwise the whole commit is refused', async ({ connectWith }) => {
      const flow = aFlow('f', aTask('a'));
      const connection = await connectWith(flow);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [], journal: entries(1, 3) });
      const before = await connection.getFlowDetail(flow.uuid);
      const unit = { flowUuid: flow.uuid, expectedRevision: 1, state: 'RUNNING', atoms: [] } as const;
      const taken = new DuplicateError(`The journal of the flow detail ${flow.uuid} has an entry 3 already`);
      await rejects(connection.commit({ ...unit, journal: entries(3, 5) }), taken);
      const twice = [...entries(4, 5), anEntry(5)];
      await rejects(connection.commit({ ...unit, journal: twice }), DuplicateError);
      same(await connection.getFlowDetail(flow.uuid), before);
      same(await connection.getJournal(flow.uuid), entries(1, 3));
    });

    test('is added to once by a commit that is sent again', async ({ connectWith }) => {
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectWith(flow);
      const unit = { flowUuid: flow.uuid, id: 'x', expectedRevision: 0, atoms: [atom], journal: entries(1, 3) };
      await connection.commit(unit);
      await connection.commit(unit);
      same(await connection.getJournal(flow.uuid), entries(1, 3));
    });

    test('tells of any name and any cause', async ({ connectWith }) => {
      const flow = aFlow('f');
      const connection = await connectWith(flow);
      const journal = HOSTILE_NAMES.map((name, index) =>
        anEntry(index + 1, {
          entity: { kind: 'retry', name, uuid: name },
          cause: `${name} \0 \ud83d 🛫`,
        }),
      );
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [], journal });
      same(await connection.getJournal(flow.uuid), journal);
    });

    test('goes with its run, its book or all there is', async ({ connect }) => {
      const connection = await connect();
      const [first, second, third] = [aFlow('f'), aFlow('g'), aFlow('h')];
      const fill = async (flow: typeof first) => {
        const [book] = await connection.getLogbooks({ lazy: true });
        await connection.saveLogbook(book === undefined ? aBook('book', flow) : { ...book, flows: [flow] });
        same(await connection.getJournal(flow.uuid), []);
        await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [], journal: entries(1, 40) });
      };
      await fill(first);
      await fill(second);
      await connection.destroyFlowDetail(first.uuid);
      await rejects(connection.getJournal(first.uuid), NotFoundError);
      same(await connection.getJournal(second.uuid), entries(1, 40));
      await fill(first);
      const [book] = await connection.getLogbooks({ lazy: true });
      await connection.destroyLogbook(book?.uuid ?? '');
      await rejects(connection.getJournal(second.uuid), NotFoundError);
      for (const flow of [first, second, third]) await fill(flow);
      await connection.clearAll();
      await fill(third);
    });

    test('is saved with a run that is not stored yet, and stays with one that is', async ({ connect }) => {
      const connection = await connect();
      const [stored, added] = [aFlow('f'), aFlow('g')];
      const book = aBook('book', stored);
      await connection.saveLogbook(book);
      await connection.commit({ flowUuid: stored.uuid, expectedRevision: 0, atoms: [], journal: entries(1, 2) });
      const current = await connection.getFlowDetail(stored.uuid);
      const journals = new Map([stored, added].map(({ uuid }) => [uuid, entries(1, 70)]));
      await connection.saveLogbook({ ...book, flows: [current, added] }, { journals });
      same(await connection.getJournal(stored.uuid), entries(1, 2));
      same(await connection.getJournal(added.uuid), entries(1, 70));
    });
  });
}
