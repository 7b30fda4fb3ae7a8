import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { InvalidFormatError } from '../../src/errors.js';
import { formatError } from '../../src/failure.js';
import { linear } from '../../src/flows/linear.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { encryptingCodec } from '../../src/persistence/codecs/encrypting.js';
import { richCodec } from '../../src/persistence/codecs/rich.js';
import { formatDetail } from '../../src/persistence/format-detail.js';
import { rejection, step } from './steps.js';

type DatabaseClass = new (path: string) => {
  prepare(sql: string): { run(parameters: readonly unknown[]): unknown; all(parameters: readonly unknown[]): unknown };
  close(): void;
};
const Database = createRequire(import.meta.url)('libsql') as DatabaseClass;

const MARKER = 'hunter2';
const keys = { k1: randomBytes(32) };
const codecs = {
  JSON: encryptingCodec({ keys, current: 'k1' }),
  rich: encryptingCodec({ keys, current: 'k1', inner: richCodec }),
};

/** Everything that logging a thing could show. */
const allOf = (thing: unknown) => inspect(thing, { depth: Infinity, showHidden: false, getters: true });

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flowstate-secrets-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function stored(): string {
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name)).toString('latin1'))
    .join('');
}

const bareError = () =>
  Object.assign(new Error('declined', { cause: Object.assign(new Error('why'), { header: MARKER }) }), {
    token: MARKER,
  });

/** A run in which secrets are injected, returned, attempted, kept as metadata and thrown. */
function secretFlow() {
  return linear('f').add(
    step('login', { requires: ['password'], provides: 'session', execute: ({ password }) => ({ token: password }) }),
    linear('g', { retry: times({ attempts: 2, name: 'r' }) }).add(
      step('pay', {
        requires: ['session'],
        execute: (_, context) => {
          context.progress(0.5, { sending: MARKER });
          throw bareError();
        },
        revert: () => ({ returned: MARKER }),
      }),
    ),
  );
}

interface Told {
  readonly event: string;
  readonly details: object;
}

function listeningTo({ notifier, atomNotifier }: Engine): Told[] {
  const told: Told[] = [];
  const listen = (event: string, details: object) => void told.push({ event, details });
  notifier.register('*', listen);
  atomNotifier.register('*', listen);
  atomNotifier.register('FAILURE', listen, { durable: true });
  return told;
}

describe.each(['JSON', 'rich'] as const)('secrets, with an encrypting codec around %s', (within) => {
  const codec = codecs[within];

  it.each<[string, () => PersistenceBackend]>([
    ['memory', () => memoryBackend({ codec })],
    ['sqlite', () => sqliteBackend({ path: join(folder, 'runs.db'), codec })],
    ['sqlite with a limit', () => sqliteBackend({ path: join(folder, 'runs.db'), codec, maxValueBytes: 4000 })],
  ])('appear in no byte of the store, no details, no text (%s)', async (_name, open) => {
    const backend = open();
    const engine = await load(secretFlow(), { backend, store: { password: MARKER } });
    const told = listeningTo(engine);
    engine.storage.updateFlowMetadata({ apiKey: MARKER });
    engine.compile();
    await engine.prepare();
    engine.storage.updateAtomMetadata('login', { note: MARKER });
    await engine.storage.injectAtomArgs('login', { pin: MARKER }, { transient: false });

    const error = await rejection(engine.run());
    expect(stored()).not.toContain(MARKER);
    expect(String(error) + formatError(error)).not.toContain(MARKER);
    expect(formatDetail(engine.storage.flowDetail())).not.toContain(MARKER);

    // Details have the results, for those who ask by name.
    const results = told.filter(({ details }) => 'result' in details).map(({ details }) => details);
    expect(results.length).toBeGreaterThan(5);
    expect(inspect(results.map((details) => (details as { result: unknown }).result))).toContain(MARKER);
    for (const { details } of told) {
      const { engine: _, ...facts } = details as { engine?: unknown };
      expect(allOf(facts) + JSON.stringify(facts)).not.toContain(MARKER);
    }

    // All of it is there for who has the key.
    const connection = await backend.getConnection();
    const flowDetail = await connection.getFlowDetail(engine.storage.flowUuid);
    expect(flowDetail.meta).toMatchObject({ apiKey: MARKER });
    const atoms = new Map(flowDetail.atoms.map((atom) => [atom.name, atom]));
    expect(atoms.get('login')?.meta).toMatchObject({ note: MARKER, injected: { pin: MARKER } });
    expect(atoms.get('pay')).toMatchObject({
      failure: { message: 'declined', properties: { token: MARKER }, causes: [{ properties: { header: MARKER } }] },
      revertResults: { returned: MARKER },
    });
    expect(atoms.get('_flowstate_injector')?.results).toEqual({ password: MARKER });
    const [book] = await connection.getLogbooks();
    expect(formatDetail(book!)).not.toContain(MARKER);
    await engine.close();
    await backend.close();
    expect(stored()).not.toContain(MARKER);
  });

  it('are found again by a process that takes the run up, which shows them no more than the first', async () => {
    const open = () => sqliteBackend({ path: join(folder, 'runs.db'), codec });
    const first = open();
    const engine = await load(secretFlow(), { backend: first, store: { password: MARKER }, neverResolve: true });
    await engine.run().catch(() => undefined);
    await engine.close();
    await first.close();

    const second = open();
    const connection = await second.getConnection();
    const flowDetail = await connection.getFlowDetail(engine.storage.flowUuid);
    const again = await load(secretFlow(), { backend: second, flowDetail });
    again.compile();
    await again.prepare();
    expect(again.storage.fetch('session')).toEqual({ token: MARKER });
    const error = await rejection(again.run());
    expect(String(error) + formatError(error) + String((error as Error).stack)).not.toContain(MARKER);
    expect(stored()).not.toContain(MARKER);
    await again.close();
    await second.close();
  });

  it('are quoted by no error about a value that cannot be kept', async () => {
    const backend = memoryBackend({ codec });
    const flow = linear('f').add(
      step('a', { execute: () => ({ token: MARKER, rows: [MARKER, { call: () => MARKER }] }) }),
    );
    const engine = await load(flow, { backend });
    const error = await rejection(engine.run());
    expect(String(error)).toContain('The value at $.rows[1].call cannot be stored: a function, in the result of a');
    expect(allOf(error)).not.toContain(MARKER);
    const refused = await rejection(engine.storage.inject({ x: { [MARKER.length]: MARKER, y: () => MARKER } }));
    expect(allOf(refused)).not.toContain(MARKER);
  });

  describe('and a store that somebody changed', () => {
    async function withStoredRun(change: (database: InstanceType<DatabaseClass>) => void) {
      const path = join(folder, 'runs.db');
      const backend = sqliteBackend({ path, codec });
      const engine = await load(secretFlow(), { backend, store: { password: MARKER }, neverResolve: true });
      await engine.run().catch(() => undefined);
      const { storage } = engine;
      const uuids = new Map(storage.atomNames().map((name) => [name, storage.getAtomUuid(name)]));
      await engine.close();
      const database = new Database(path);
      change(database);
      database.close();
      return { backend, connection: await backend.getConnection(), flowUuid: storage.flowUuid, uuids };
    }

    it.each([
      ['results', 'login', 'half of a text', 'substr(results, 1, length(results) - 4)', 'its results cannot be read'],
      ['results', 'login', 'what is not encrypted', `'"${MARKER}"'`, 'its results cannot be read'],
      ['failure', 'pay', 'what is not encrypted', `'{"message":"${MARKER}"}'`, 'its failure cannot be read'],
      ['meta', 'pay', 'another key', `replace(meta, ':k1:', ':k2:')`, 'its meta cannot be read'],
      [
        'results',
        'r',
        'the results of a task',
        "(select results from atom_details where name = 'login')",
        'results takes a list',
      ],
      [
        'failure',
        'pay',
        'the results of a task',
        "(select results from atom_details where name = 'login')",
        'failure takes the record of a failure',
      ],
    ])('name a record whose %s of %s are %s; the rest can be read', async (column, atom, _what, sql, message) => {
      const { backend, connection, flowUuid, uuids } = await withStoredRun((database) => {
        database.prepare(`update atom_details set ${column} = ${sql} where name = ?`).run([atom]);
      });
      for (const reading of [connection.getAtomDetail(uuids.get(atom)!), connection.getFlowDetail(flowUuid)]) {
        const error = await rejection(reading);
        expect(error).toBeInstanceOf(InvalidFormatError);
        expect(String(error)).toContain(`The record of atom '${atom}' is corrupted: ${message}`);
        expect(allOf(error)).not.toContain(MARKER);
      }
      for (const [name, uuid] of uuids) {
        if (name !== atom) expect((await connection.getAtomDetail(uuid)).name).toBe(name);
      }
      expect((await connection.getFlowDetail(flowUuid, { lazy: true })).uuid).toBe(flowUuid);
      await backend.close();
    });
  });
});

describe('without secrets to keep', () => {
  it('details of notifications are plain, and failures are plain JSON', async () => {
    const path = join(folder, 'runs.db');
    const backend = sqliteBackend({ path });
    const engine = await load(linear('f').add(step('a', { execute: () => Promise.reject(bareError()) })), { backend });
    const told = listeningTo(engine);
    await engine.run().catch(() => undefined);
    const failed = told.find(({ event }) => event === 'FAILURE');
    expect(Object.keys(failed!.details)).toContain('result');
    await engine.close();
    await backend.close();
    const database = new Database(path);
    const [row] = database.prepare("select failure from atom_details where name = 'a'").all([]) as {
      failure: string;
    }[];
    database.close();
    expect(JSON.parse(row!.failure)).toMatchObject({ version: 1, properties: { token: MARKER } });
  });
});
