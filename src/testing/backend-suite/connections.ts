import { ok } from 'node:assert/strict';
import { load } from '../../engines/load.js';
import { StorageConflictError, StorageError } from '../../errors.js';
import { put } from '../../persistence/atom-details.js';
import type { Connection, PersistenceBackend, UnitOfWork } from '../../persistence/backend.js';
import { includes, same } from '../checks.js';
import { interrupting } from '../interrupting-backend.js';
import { aBook, aFlow, aTask } from '../made-up-runs.js';
import { virtualEnvironment } from '../virtual-environment.js';
import { STORIES } from './stories.js';
import type { Suite } from './suite.js';
import { connectTo } from './suite.js';

/** Times that something is asked again of a store whose connections were cut. */
const PATIENCE = 20;

/** What a backend promises of several connections, and of those that are cut. */
export function connectionPromises({ describe, test, interrupt }: Suite): void {
  describe('several connections', () => {
    test('see at once what one of them has committed', async ({ open, reopen }) => {
      const backend = await open();
      const [one, other] = [await connectTo(backend), await connectTo(await reopen(backend))];
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      await one.saveLogbook(aBook('book', flow));
      for (let revision = 0; revision < 10; revision += 2) {
        await one.commit({ flowUuid: flow.uuid, expectedRevision: revision, atoms: [put(atom, 'SUCCESS', revision)] });
        same((await other.getAtomDetail(atom.uuid)).results, revision);
        await other.commit({ flowUuid: flow.uuid, expectedRevision: revision + 1, state: 'RUNNING', atoms: [] });
        includes(await one.getFlowDetail(flow.uuid), { revision: revision + 2, state: 'RUNNING' });
      }
    });

    test('that commit at one revision: exactly one is accepted, each time', async ({ open, reopen }) => {
      const backend = await open();
      const connections = [await connectTo(backend), await connectTo(await reopen(backend))];
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      await connections[0]?.saveLogbook(aBook('book', flow));
      for (let revision = 0; revision < 10; revision++) {
        const commits = connections.map((connection, writer) =>
          connection.commit({
            flowUuid: flow.uuid,
            id: `${revision} by ${writer}`,
            expectedRevision: revision,
            meta: { writer },
            atoms: [put(atom, 'SUCCESS', writer)],
          }),
        );
        const ends = await Promise.allSettled(commits);
        const winners = [...ends.keys()].filter((writer) => ends[writer]?.status === 'fulfilled');
        const refusals = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as unknown] : []));
        same(winners.length, 1);
        for (const refusal of refusals) ok(refusal instanceof StorageConflictError, String(refusal));
        const { meta, atoms } = (await connections[1]?.getFlowDetail(flow.uuid)) ?? {};
        same([meta, atoms?.[0]?.results], [{ writer: winners[0] }, winners[0]]);
      }
    });
  });

  if (interrupt === undefined) return;
  const cut = async (backend: PersistenceBackend) => {
    await interrupt(backend);
  };

  describe('connections that are cut', () => {
    test('are made anew', async ({ open }) => {
      const backend = await open();
      const connection = await connectTo(backend);
      const book = await connection.saveLogbook(aBook('book', aFlow('f', aTask('a'))));
      for (let time = 0; time < 3; time++) {
        await cut(backend);
        same(await patiently(() => connection.getLogbook(book.uuid)), book);
      }
    });

    test('in the middle of a commit: sent again, it is made once', async ({ open }) => {
      const backend = await open();
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const connection = await connectTo(backend);
      await connection.saveLogbook(aBook('book', flow));
      for (let revision = 0; revision < 20; revision++) {
        const result = { revision, text: 'x'.repeat(revision * 5000) };
        const unit = { flowUuid: flow.uuid, id: `unit ${revision}`, expectedRevision: revision };
        await commitWhileCut(connection, { ...unit, atoms: [put(atom, 'SUCCESS', result)] }, () => cut(backend));
        const { revision: reached, atoms } = await patiently(() => connection.getFlowDetail(flow.uuid));
        same([reached, atoms[0]?.results], [revision + 1, result]);
      }
    });

    for (const story of STORIES) {
      test(`at every commit of ${story.name}: the run goes on`, async ({ open }) => {
        const store = await open();
        await connectTo(store);
        const backend = interrupting(store, {
          async onCommit(n, _unit, commit) {
            await Promise.all([commit(), n % 2 === 0 ? cut(store) : undefined]);
          },
        });
        const engine = await load(story.flow({ called: async () => undefined, suspend: () => undefined }), {
          backend,
          environment: virtualEnvironment({ prefix: story.name, advancesByItself: true }),
          engine: story.engine,
          commitRetry: { attempts: PATIENCE, delayMs: 10 },
        });
        await engine.run().catch((error: unknown) => {
          if (error instanceof StorageError) throw error;
        });
        const connection = await connectTo(store);
        const { state, revision } = await patiently(() => connection.getFlowDetail(engine.storage.flowUuid));
        same([state, revision], [engine.storage.getFlowState(), engine.storage.flowDetail().revision]);
        ok(state === 'SUCCESS' || state === 'REVERTED', String(state));
        await engine.close();
      });
    }
  });
}

async function commitWhileCut(connection: Connection, unit: UnitOfWork, cut: () => Promise<void>): Promise<void> {
  const [committed] = await Promise.allSettled([connection.commit(unit), cut()]);
  if (committed.status === 'fulfilled') return;
  ok(isTrouble(committed.reason), String(committed.reason));
  await patiently(() => connection.commit(unit));
}

/** Asks again as long as there is trouble with the store. */
async function patiently<Result>(ask: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask();
    } catch (error) {
      if (!isTrouble(error) || attempt >= PATIENCE) throw error;
    }
  }
}

function isTrouble(error: unknown): boolean {
  return error instanceof StorageError && !(error instanceof StorageConflictError);
}
