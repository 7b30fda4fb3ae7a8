import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { foldJournal } from '../../src/persistence/fold-journal.js';
import { readJournal } from '../../src/persistence/logbooks.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import type { Interruption } from '../../src/testing/interrupting-backend.js';
import { dieAfter, dieBefore, interrupting } from '../../src/testing/interrupting-backend.js';
import { journalObjections, objectionsTo } from '../../src/testing/journal-objections.js';
import { behavioursOf } from '../conformance/behaviours.js';
import { buildFlow } from '../conformance/build-flow.js';
import { CallCounts } from '../conformance/call-counts.js';
import type { ConformanceCase } from '../conformance/case.js';
import { EVERYTHING, generatedCases } from './generated-cases.js';

type Runs = (options: LoadOptions) => Promise<Engine>;

/** Engines for the runs of a generated case, which go on where the one before stopped. */
function enginesOf(test: ConformanceCase): Runs {
  const counts = new CallCounts();
  const pause = () => new Promise<void>((resolve) => void setImmediate(resolve));
  return (options) => {
    const stage = { isDead: false, trace: () => undefined, suspend: () => undefined, pause };
    const { root } = buildFlow(test.flow, behavioursOf(test.flow, counts, stage));
    return load(root, { ...options, journal: true, deferReverts: test.engine.deferReverts });
  };
}

const objections = (backend: PersistenceBackend, uuid: string) =>
  usingConnection(backend, (connection) => journalObjections(connection, uuid));

const detailOf = (backend: PersistenceBackend, uuid: string) =>
  usingConnection(backend, (connection) => connection.getFlowDetail(uuid));

/** Looks at the journal after every commit. */
function watching(backend: PersistenceBackend, found: string[]): Interruption {
  return {
    async onCommit(_, unit, commit) {
      await commit();
      found.push(...(await objections(backend, unit.flowUuid)));
    },
  };
}

const ENGINES: [name: string, options: LoadOptions][] = [
  ['serial', { engine: 'serial' }],
  ['serial, checkpoint change', { engine: 'serial', checkpoint: 'change' }],
  ['serial, by XState itself', { engine: 'serial', interpreter: 'native' }],
  ['parallel', { engine: 'parallel' }],
];

/** What happens to a run: at which change of an atom, and what. */
const disturbances = fc.record({
  what: fc.constantFrom('nothing', 'suspend', 'cancel'),
  at: fc.integer({ min: 1, max: 25 }),
});

describe.each(ENGINES)('the journal of any run of an engine that is %s', (_, options) => {
  it('tells after every commit of the states that are stored, by legal transitions, without a gap', async () => {
    const reached = new Set<string>();
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), disturbances, async (test, { what, at }) => {
        const store = memoryBackend();
        const found: string[] = [];
        const backend = interrupting(store, watching(store, found));
        const engines = enginesOf(test);
        let engine = await engines({ ...options, backend });
        const { flowUuid } = engine.storage;
        let changes = 0;
        engine.atomNotifier.register('*', () => {
          changes += 1;
          if (changes !== at) return;
          if (what === 'suspend') engine.suspend();
          if (what === 'cancel') engine.cancel(new Error('changed my mind')).catch(() => undefined);
        });
        await engine.run().catch(() => undefined);
        reached.add(engine.storage.getFlowState());
        if (engine.storage.getFlowState() === 'SUSPENDED') {
          await engine.close();
          engine = await engines({ ...options, backend, flowDetail: await detailOf(store, flowUuid) });
          await engine.run().catch(() => undefined);
          reached.add(`then ${engine.storage.getFlowState()}`);
        }
        const entries = await engine.journal();
        await engine.close();
        expect(found).toEqual([]);
        expect(entries).toEqual(await readJournal(store, flowUuid));
        // Only what was not there before comes without an event.
        expect(entries.filter(({ event, from }) => (event === null) !== (from === null))).toEqual([]);
        expect(objectionsTo(entries, await detailOf(store, flowUuid))).toEqual([]);
      }),
      { numRuns: 100 },
    );
    for (const state of ['SUCCESS', 'SUSPENDED', 'REVERTED', 'then SUCCESS']) expect(reached).toContain(state);
  }, 60_000);

  it('tells of the states that are stored after a death at any commit, and goes on in the next process', async () => {
    await fc.assert(
      fc.asyncProperty(
        generatedCases(EVERYTHING),
        fc.integer({ min: 1, max: 20 }),
        fc.boolean(),
        async (test, nth, made) => {
          const store = memoryBackend();
          const death = made ? dieAfter(nth) : dieBefore(nth);
          const engines = enginesOf(test);
          const first = await engines({ ...options, backend: interrupting(store, death) });
          const { flowUuid } = first.storage;
          await Promise.race([death.died, first.run().catch(() => undefined)]);
          expect(await objections(store, flowUuid)).toEqual([]);
          const before = await readJournal(store, flowUuid);
          const next = await engines({ ...options, backend: store, flowDetail: await detailOf(store, flowUuid) });
          await next.run().catch(() => undefined);
          expect(await objections(store, flowUuid)).toEqual([]);
          expect((await readJournal(store, flowUuid)).slice(0, before.length)).toEqual(before);
        },
      ),
      { numRuns: 60 },
    );
  }, 60_000);

  it('is the same without a store, and gives the states at any of its entries', async () => {
    await fc.assert(
      fc.asyncProperty(generatedCases(EVERYTHING), fc.nat(), async (test, pick) => {
        const engine = await enginesOf(test)(options);
        await engine.run().catch(() => undefined);
        const entries = await engine.journal();
        expect(objectionsTo(entries, engine.storage.flowDetail())).toEqual([]);
        const upTo = pick % (entries.length + 1);
        const then = foldJournal(entries, { upTo });
        expect(then.sequence).toBe(upTo);
        expect(foldJournal(entries.slice(upTo), { onto: then })).toEqual(foldJournal(entries));
        await engine.close();
      }),
      { numRuns: 40 },
    );
  }, 60_000);
});
