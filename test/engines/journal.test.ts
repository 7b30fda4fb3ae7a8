import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import type { Engine } from '../../src/engines/engine.js';
import { StorageConflictError, StorageError, UnstorableValueError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { encryptingCodec } from '../../src/persistence/codecs/encrypting.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { foldJournal } from '../../src/persistence/fold-journal.js';
import type { JournalEntry } from '../../src/persistence/journal-entry.js';
import { readJournal } from '../../src/persistence/logbooks.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { failBefore, interrupting } from '../../src/testing/interrupting-backend.js';
import { journalObjections } from '../../src/testing/journal-objections.js';
import { virtualEnvironment } from '../../src/testing/virtual-environment.js';
import { rejection, step, throwing } from './steps.js';

const fails = throwing(new RangeError('no seats\n  left'));

/** `a: PENDING -execute-> RUNNING (cause)`, of all entries or of those of one entity. */
function lines(entries: readonly JournalEntry[], of?: string): string[] {
  return entries
    .filter(({ entity }) => of === undefined || entity.name === of)
    .map(({ entity, from, event, to, cause }) => {
      const change = event === null ? `${String(from)} -> ${String(to)}` : `${String(from)} -${event}-> ${String(to)}`;
      return `${entity.name}: ${change}${cause === null ? '' : ` (${cause})`}`;
    });
}

const detailOf = (backend: PersistenceBackend, { storage }: Engine) =>
  usingConnection(backend, (connection) => connection.getFlowDetail(storage.flowUuid));

async function objections(backend: PersistenceBackend, { storage }: Engine): Promise<string[]> {
  return usingConnection(backend, (connection) => journalObjections(connection, storage.flowUuid));
}

describe('the journal of a run', () => {
  it('is kept where it is asked for, and nowhere else', async () => {
    const backend = memoryBackend();
    const units: unknown[] = [];
    const watched = interrupting(backend, {
      onCommit: async (_, unit, commit) => {
        units.push(unit.journal);
        await commit();
      },
    });
    const engine = await load(linear('f').add(step('a')), { backend: watched });
    await engine.run();
    expect(await engine.journal()).toEqual([]);
    expect(new Set(units)).toEqual(new Set([undefined]));
    expect(await readJournal(backend, engine.storage.flowUuid)).toEqual([]);
    await expect(load(linear('f').add(step('a')), { journal: 'yes' as never })).rejects.toThrow(
      'journal takes true or false, got yes',
    );
  });

  it('tells of the flow and of each atom, from the beginning', async () => {
    const environment = virtualEnvironment();
    const begun = environment.clock.now();
    const engine = await load(linear('f').add(step('a'), step('b')), { journal: true, environment });
    await engine.run();
    const entries = await engine.journal();
    expect(lines(entries)).toEqual([
      'f: null -> PENDING',
      'a: null -> PENDING',
      'b: null -> PENDING',
      'f: PENDING -run-> RUNNING',
      'a: PENDING -execute-> RUNNING',
      'a: RUNNING -succeeded-> SUCCESS',
      'b: PENDING -execute-> RUNNING',
      'b: RUNNING -succeeded-> SUCCESS',
      'f: RUNNING -succeeded-> SUCCESS',
    ]);
    expect(entries.map(({ sequence }) => sequence)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(entries[0]).toEqual({
      sequence: 1,
      at: begun,
      entity: { kind: 'flow', name: 'f', uuid: engine.storage.flowUuid },
      from: null,
      event: null,
      to: 'PENDING',
      cause: null,
    });
    expect(entries[1]?.entity).toEqual({ kind: 'task', name: 'a', uuid: engine.storage.getAtomUuid('a') });
  });

  it('says why something failed and was undone', async () => {
    const engine = await load(linear('f').add(step('a'), step('b', { execute: fails })), { journal: true });
    await rejection(engine.run());
    expect(lines(await engine.journal()).slice(6)).toEqual([
      'b: PENDING -execute-> RUNNING',
      'b: RUNNING -failed-> FAILURE (RangeError: no seats left)',
      'b: FAILURE -revert-> REVERTING (REVERT: b failed)',
      'b: REVERTING -reverted-> REVERTED',
      'a: SUCCESS -revert-> REVERTING (REVERT: b failed)',
      'a: REVERTING -reverted-> REVERTED',
      'f: RUNNING -reverted-> REVERTED (b failed: RangeError: no seats left)',
    ]);
  });

  it('says which retry has a flow tried again', async () => {
    let attempts = 0;
    const flaky = step('b', { execute: () => (++attempts === 1 ? fails() : 'b') });
    const flow = linear('f', { retry: times({ name: 'r', attempts: 2 }) }).add(step('a'), flaky);
    const engine = await load(flow, { journal: true });
    await engine.run();
    const entries = await engine.journal();
    expect(lines(entries, 'a')).toEqual([
      'a: null -> PENDING',
      'a: PENDING -execute-> RUNNING',
      'a: RUNNING -succeeded-> SUCCESS',
      'a: SUCCESS -revert-> REVERTING (RETRY by r)',
      'a: REVERTING -reverted-> REVERTED',
      'a: REVERTED -reset-> PENDING',
      'a: PENDING -execute-> RUNNING',
      'a: RUNNING -succeeded-> SUCCESS',
    ]);
    expect(lines(entries, 'r')).toContain('r: SUCCESS -retry-> RETRYING');
    expect(entries.find(({ entity }) => entity.name === 'r')?.entity.kind).toBe('retry');
  });

  it('says why a run was cancelled', async () => {
    const flow = linear('f').add(
      step('a', {
        execute: () => {
          engine.cancel(new Error('the customer left')).catch(() => undefined);
          return 'a';
        },
      }),
      step('b'),
    );
    const engine: Engine = await load(flow, { journal: true });
    await engine.run();
    const entries = await engine.journal();
    expect(lines(entries, 'a').slice(3)).toEqual([
      'a: SUCCESS -revert-> REVERTING (cancelled: the customer left)',
      'a: REVERTING -reverted-> REVERTED',
    ]);
    expect(lines(entries, 'f')).toContain('f: RUNNING -suspend-> SUSPENDING (cancelled: the customer left)');
    expect(lines(entries, 'f')).toContain('f: RUNNING -reverted-> REVERTED (cancelled: the customer left)');
  });

  it('keeps causes short, in one line', async () => {
    const long = throwing(new Error(`${'word\n'.repeat(1000)}end`));
    const engine = await load(linear('f').add(step('a', { execute: long })), { journal: true });
    await rejection(engine.run());
    const failed = (await engine.journal()).find(({ event }) => event === 'failed');
    expect(failed?.cause).toMatch(/^Error: (word )+\w*…$/);
    expect(failed?.cause?.length).toBe(201);
  });

  it('is read by pages, with what is not durable yet', async () => {
    const backend = memoryBackend();
    const engine = await load(linear('f').add(step('a'), step('b')), { backend, journal: true });
    expect(lines(await engine.journal())).toEqual(['f: null -> PENDING']);
    expect(await readJournal(backend, engine.storage.flowUuid)).toEqual([]);
    await engine.run();
    const all = await engine.journal();
    expect(await engine.journal({ after: 3 })).toEqual(all.slice(3));
    expect(await engine.journal({ after: 2, limit: 4 })).toEqual(all.slice(2, 6));
    expect(await readJournal(backend, engine.storage.flowUuid, { after: 2, limit: 4 })).toEqual(all.slice(2, 6));
    await expect(engine.journal({ after: -1 })).rejects.toThrow('after takes a whole number from 0, got -1');
    await expect(readJournal(backend, engine.storage.flowUuid, { limit: 0.5 })).rejects.toThrow(
      'limit takes a whole number from 0, got 0.5',
    );
  });

  it('has what the store has not got, where the store was given up on', async () => {
    const backend = interrupting(memoryBackend(), failBefore(4, new StorageError('down'), 2));
    const options = { backend, journal: true, commitRetry: { attempts: 1 } };
    const engine = await load(linear('f').add(step('a'), step('b')), options);
    expect(await rejection(engine.run())).toBeInstanceOf(StorageError);
    expect(await objections(backend, engine)).toEqual([]);
    const known = (await engine.journal()).map(({ sequence }) => sequence);
    expect(known).toEqual(Array.from(known, (_, index) => index + 1));
    expect(known.length).toBeGreaterThan((await readJournal(backend, engine.storage.flowUuid)).length);
    await rejection(engine.run());
    await engine.run();
    expect(await objections(backend, engine)).toEqual([]);
    expect(engine.storage.getFlowState()).toBe('SUCCESS');
  });

  it('loses nothing of a commit that the store has refused', async () => {
    const refused = new UnstorableValueError('$', 'it cannot be stored');
    const backend = interrupting(memoryBackend(), failBefore(4, refused));
    const engine = await load(linear('f').add(step('a'), step('b')), { backend, journal: true });
    expect(await rejection(engine.run())).toBe(refused);
    expect(await objections(backend, engine)).toEqual([]);
    expect(lines(await readJournal(backend, engine.storage.flowUuid)).at(-1)).toBe('f: RUNNING -failed-> FAILURE');
    await engine.run();
    expect(await objections(backend, engine)).toEqual([]);
  });

  it('is that of the store, once somebody else has taken the run over', async () => {
    const backend = memoryBackend();
    const flow = linear('f').add(step('a'));
    const first = await load(flow, { backend, journal: true });
    const flowDetail = await detailOf(backend, first);
    const second = await load(flow, { backend, journal: true, flowDetail });
    await second.run();
    expect(await rejection(first.run())).toBeInstanceOf(StorageConflictError);
    expect(await first.journal()).toEqual(await second.journal());
    expect(await objections(backend, first)).toEqual([]);
  });

  it('goes on in the next process', async () => {
    const backend = memoryBackend();
    const suspending = step('a', {
      execute: () => {
        engine.suspend();
        return 'a';
      },
    });
    const engine: Engine = await load(linear('f').add(suspending, step('b')), { backend, journal: true });
    await engine.run();
    const before = await engine.journal();
    const flowDetail = await detailOf(backend, engine);
    const next = await load(linear('f').add(step('a'), step('b')), { backend, journal: true, flowDetail });
    await next.run();
    const entries = await next.journal();
    expect(entries.slice(0, before.length)).toEqual(before);
    expect(lines(entries.slice(before.length))).toEqual([
      'f: SUSPENDED -run-> RUNNING',
      'b: PENDING -execute-> RUNNING',
      'b: RUNNING -succeeded-> SUCCESS',
      'f: RUNNING -succeeded-> SUCCESS',
    ]);
    expect(await objections(backend, next)).toEqual([]);
  });

  it('tells of what it has missed when it is taken up again', async () => {
    const backend = memoryBackend();
    const flow = (...suspends: string[]) =>
      linear('f').add(
        ...['a', 'b', 'c'].map((name) =>
          step(name, {
            execute: () => {
              if (suspends.includes(name)) engine.suspend();
              return name;
            },
          }),
        ),
      );
    let engine = await load(flow('a'), { backend, journal: true });
    await engine.run();
    engine = await load(flow('b'), { backend, flowDetail: await detailOf(backend, engine) });
    await engine.run();
    expect(await objections(backend, engine)).not.toEqual([]);
    engine = await load(flow(), { backend, journal: true, flowDetail: await detailOf(backend, engine) });
    await engine.run();
    const missed = 'b: PENDING -> SUCCESS (as it was when the journal was taken up)';
    expect(lines(await engine.journal())).toContain(missed);
    expect(await objections(backend, engine)).toEqual([]);
  });

  it('begins with what there is, for a run that was stored without one', async () => {
    const backend = memoryBackend();
    const first = await load(linear('f').add(step('a')), { backend });
    await first.run();
    const flowDetail = await detailOf(backend, first);
    const engine = await load(linear('f').add(step('a')), { backend, journal: true, flowDetail });
    expect(lines(await engine.journal())).toEqual([
      'f: null -> SUCCESS',
      'a: null -> SUCCESS (as it was when the journal was taken up)',
    ]);
  });

  it('tells of atoms that are given other names, and of a reset', async () => {
    const backend = memoryBackend();
    const suspending = step('a', {
      execute: () => {
        first.suspend();
        return 'a';
      },
    });
    const first: Engine = await load(linear('f').add(suspending, step('b')), { backend, journal: true });
    await first.run();
    const next = await load(linear('f').add(step('z'), step('b')), {
      backend,
      journal: true,
      flowDetail: await detailOf(backend, first),
      onPlanChange: () => ({ rename: { a: 'z' } }),
    });
    await next.run();
    expect(lines(await next.journal())).toContain('z: SUCCESS -> SUCCESS (it was named a)');
    await next.reset();
    expect(lines(await next.journal()).slice(-3)).toEqual([
      'z: SUCCESS -reset-> PENDING',
      'b: SUCCESS -reset-> PENDING',
      'f: SUCCESS -reset-> PENDING',
    ]);
    expect(await objections(backend, next)).toEqual([]);
  });

  it('tells no words of errors where the store is not to know what it keeps', async () => {
    const backend = memoryBackend({ codec: encryptingCodec({ keys: { k: new Uint8Array(32) }, current: 'k' }) });
    const leaking = throwing(new Error('the card 4111 is refused'));
    const flow = linear('f').add(step('a'), step('b', { execute: leaking }));
    const engine = await load(flow, { backend, journal: true });
    await rejection(engine.run());
    const entries = await engine.journal();
    expect(JSON.stringify(entries)).not.toContain('4111');
    expect(lines(entries, 'b').slice(2, 4)).toEqual([
      'b: RUNNING -failed-> FAILURE',
      'b: FAILURE -revert-> REVERTING (REVERT: b failed)',
    ]);
    expect(lines(entries).at(-1)).toBe('f: RUNNING -reverted-> REVERTED (b failed)');
  });
});

describe('foldJournal', () => {
  it('gives the states after any entry, by uuid and by name', async () => {
    const engine = await load(linear('f').add(step('a'), step('b')), { journal: true });
    await engine.run();
    const entries = await engine.journal();
    const { sequence, at, flow, atoms, byName } = foldJournal(entries, { upTo: 5 });
    expect([sequence, at]).toEqual([5, entries[4]?.at]);
    expect(flow).toEqual({ kind: 'flow', name: 'f', uuid: engine.storage.flowUuid, state: 'RUNNING' });
    expect([byName.get('a')?.state, byName.get('b')?.state]).toEqual(['RUNNING', 'PENDING']);
    expect(atoms.get(engine.storage.getAtomUuid('a'))).toBe(byName.get('a'));
    expect(foldJournal([])).toMatchObject({ sequence: 0, at: null, flow: null });
  });

  it('refuses a journal with a gap', async () => {
    const engine = await load(linear('f').add(step('a')), { journal: true });
    await engine.run();
    const [, ...rest] = await engine.journal();
    expect(() => foldJournal(rest)).toThrow(new RangeError('The entry 1 of a journal was expected, got 2'));
  });
});
