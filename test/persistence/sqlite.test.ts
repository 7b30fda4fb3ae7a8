import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, describe, expect, it } from 'vitest';
import { FlowstateError, InvalidFormatError, NotFoundError, StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import type { SqliteDatabase } from '../../src/persistence/backends/sql/sqlite-driver.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { describeCopyingBackend, describePersistenceBackend } from './backend-suite.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { race } from './racing-writers.js';

const folders: string[] = [];
const backends: PersistenceBackend[] = [];

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-sqlite-'));
  folders.push(folder);
  return join(folder, 'runs.db');
}

function opened(backend: PersistenceBackend): PersistenceBackend {
  backends.push(backend);
  return backend;
}

async function connect(backend: PersistenceBackend): Promise<Connection> {
  const connection = await opened(backend).getConnection();
  await connection.upgrade();
  return connection;
}

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Of the file that was opened last. */
let path = '';

describePersistenceBackend('SQLite in memory', () => sqliteBackend({ path: ':memory:' }));
describePersistenceBackend('SQLite in a file', () => sqliteBackend({ path: (path = newFile()) }), {
  reopen: () => sqliteBackend({ path }),
});
describePersistenceBackend(
  "SQLite in a database of the caller's",
  () => sqliteBackend({ database: new Database(':memory:') }),
  { runs: false },
);
describeCopyingBackend('SQLite', () => sqliteBackend({ path: newFile(), synchronous: 'NORMAL' }));

describe('SQLite persistence', () => {
  it('finds everything again in the next process', async () => {
    const path = newFile();
    const atom = put(aTask('a'), 'SUCCESS', { seats: [1, 2] });
    const book = aBook('book', aFlow('f', atom));
    const first = sqliteBackend({ path });
    const connection = await connect(first);
    await connection.saveLogbook(book);
    await first.close();
    const second = await connect(sqliteBackend({ path }));
    await second.validate();
    expect(await second.getLogbooks()).toEqual([book]);
  });

  it('gives atoms with large values as it gives all others, whatever is written in them', async () => {
    const values = ['', 'a "quoted" \\ path', '\u2028\u{1f600}é', 'x'.repeat(65_534), '"'.repeat(70_000), null, 0.1];
    const atoms = Array.from({ length: 600 }, (_, index) => ({
      ...put(aTask(`a${index} "\\"`), 'SUCCESS', values[index % values.length]),
      position: index,
    }));
    const flow = aFlow('f', ...atoms);
    const connection = await connect(sqliteBackend({ path: newFile() }));
    await connection.saveLogbook(aBook('book', flow));
    expect(await connection.getAtomsForFlow(flow.uuid)).toEqual(flow.atoms);
  });

  it('finds what was committed when the last process died without closing', async () => {
    const path = newFile();
    const flow = aFlow('f', aTask('a'));
    const dying = await connect(sqliteBackend({ path }));
    await dying.saveLogbook(aBook('book', flow));
    await dying.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
    const next = await connect(sqliteBackend({ path }));
    expect(await next.getFlowDetail(flow.uuid)).toEqual({ ...flow, state: 'RUNNING', revision: 1 });
  });

  describe('shared by two backends', () => {
    it('shows each what the other committed', async () => {
      const path = newFile();
      const [one, other] = [await connect(sqliteBackend({ path })), await connect(sqliteBackend({ path }))];
      const flow = aFlow('f', aTask('a'));
      await one.saveLogbook(aBook('book', flow));
      await other.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
      expect(await one.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1, state: 'RUNNING' });
    });

    it('lets exactly one win each revision', async () => {
      const path = newFile();
      const options = { path, synchronous: 'NORMAL' } as const;
      const writers = [
        await connect(sqliteBackend(options)),
        await connect(sqliteBackend(options)),
        await connect(sqliteBackend(options)),
      ];
      const flow = aFlow('f', aTask('a'));
      await writers[0]?.saveLogbook(aBook('book', flow));
      const revisions = 30;
      const wins = await race(writers, flow, revisions);
      expect(wins.reduce((sum, won) => sum + won, 0)).toBe(revisions);
    });

    it('may be upgraded by both at once', async () => {
      const path = newFile();
      const connections = await Promise.all([1, 2, 3].map(() => opened(sqliteBackend({ path })).getConnection()));
      await Promise.all(connections.map((connection) => connection.upgrade()));
      for (const connection of connections) await connection.validate();
    });
  });

  describe('while another process has the file locked', () => {
    const libsql = createRequire(import.meta.url).resolve('libsql');
    const holder = `
      const db = new (require(process.argv[1]))(process.argv[2]);
      db.exec('begin immediate');
      process.stdout.write('locked');
      process.stdin.on('data', () => { db.exec('commit'); process.exit(0); });
    `;

    async function lock(path: string) {
      const child = spawn(process.execPath, ['-e', holder, libsql, path], { stdio: ['pipe', 'pipe', 'inherit'] });
      await once(child.stdout, 'data');
      return {
        async release() {
          child.stdin.end('release');
          await once(child, 'exit');
        },
      };
    }

    it('waits, and lets this process go on meanwhile', async () => {
      const path = newFile();
      const flow = aFlow('f');
      const connection = await connect(sqliteBackend({ path }));
      await connection.saveLogbook(aBook('book', flow));
      const held = await lock(path);
      let done = false;
      const committing = connection
        .commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] })
        .then(() => (done = true));
      expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      expect(done).toBe(false);
      await held.release();
      await committing;
      expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1 });
    });

    it('gives up after busyTimeoutMs, having changed nothing', async () => {
      const path = newFile();
      const flow = aFlow('f', aTask('a'));
      const connection = await connect(sqliteBackend({ path, busyTimeoutMs: 30 }));
      await connection.saveLogbook(aBook('book', flow));
      const held = await lock(path);
      const refusal = connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, state: 'RUNNING', atoms: [] });
      await expect(refusal).rejects.toThrow(StorageError);
      await expect(refusal).rejects.toThrow(/could not commit revision 1 of the flow detail .*: database is locked/);
      await held.release();
      expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [] });
    });
  });

  describe('a crash', () => {
    /** A database that dies at the n-th statement that is run after `arm(n)`. */
    function mortal() {
      const database = new Database(':memory:');
      let left = Infinity;
      const tick = () => {
        left -= 1;
        if (left < 0) throw new Error('died');
      };
      const wrapped: SqliteDatabase = {
        get inTransaction() {
          return database.inTransaction;
        },
        prepare(sql) {
          const statement = database.prepare(sql);
          return {
            get reader() {
              return statement.reader;
            },
            all: (parameters) => statement.all(parameters),
            run: (parameters) => {
              tick();
              return statement.run(parameters);
            },
          };
        },
        exec(sql) {
          if (sql !== 'rollback') tick();
          return database.exec(sql);
        },
        close: () => database.close(),
      };
      return { database: wrapped, arm: (statements: number) => void (left = statements) };
    }

    it('between any two statements of a commit leaves nothing of it', async () => {
      const { database, arm } = mortal();
      const connection = await connect(sqliteBackend({ database }));
      const flow = aFlow('f', ...Array.from({ length: 250 }, (_, index) => aTask(`a${index}`, index)));
      const book = aBook('book', flow);
      await connection.saveLogbook(book);
      const atoms = flow.atoms.map((atom) => put({ ...atom, kind: 'task', results: null }, 'SUCCESS', 1));
      const unit = { flowUuid: flow.uuid, expectedRevision: 0, state: 'SUCCESS', atoms } as const;
      let survived = 0;
      for (let statements = 0; survived === 0; statements += 1) {
        arm(statements);
        const outcome = await connection.commit(unit).then(
          () => 'committed',
          (error: unknown) => error,
        );
        arm(Infinity);
        if (outcome === 'committed') survived = statements;
        else {
          expect(outcome).toBeInstanceOf(StorageError);
          expect(await connection.getLogbook(book.uuid)).toEqual(book);
        }
      }
      // begin, the flow, three hundreds of atoms, commit
      expect(survived).toBe(6);
      expect(await connection.getFlowDetail(flow.uuid)).toEqual({ ...flow, state: 'SUCCESS', revision: 1, atoms });
    });
  });

  describe('its schema', () => {
    it('comes from nothing with upgrade, which is said when it is missing', async () => {
      const connection = await opened(sqliteBackend({ path: newFile() })).getConnection();
      await expect(connection.getLogbooks()).rejects.toThrow(/no such table.*: call upgrade\(\) first/);
      await expect(connection.validate()).rejects.toThrow(
        /is at an older schema, without \[0001_.*\]: call upgrade\(\) first/,
      );
      await connection.upgrade();
      await connection.validate();
    });

    it('of a newer flowstate is refused', async () => {
      const path = newFile();
      const first = sqliteBackend({ path });
      await connect(first);
      await first.close();
      const database = new Database(path);
      database.exec(
        "insert into flowstate_migrations (name, timestamp) values ('9999_tomorrow', '2040-01-01T00:00:00Z')",
      );
      database.close();
      const connection = await opened(sqliteBackend({ path })).getConnection();
      await expect(connection.validate()).rejects.toThrow(/is at a newer schema, with \[9999_tomorrow\]/);
      await expect(connection.upgrade()).rejects.toThrow(StorageError);
    });

    it('enforces that no atom and no run is left without its book', async () => {
      const database = new Database(':memory:');
      const connection = await connect(sqliteBackend({ database }));
      const book = aBook('book', aFlow('f', aTask('a')), aFlow('g', aTask('a'), aTask('b', 1)));
      await connection.saveLogbook(book);
      await connection.destroyLogbook(book.uuid);
      for (const table of ['flow_details', 'atom_details']) {
        expect(database.prepare(`select count(*) as n from ${table}`).get()).toMatchObject({ n: 0 });
      }
    });
  });

  describe('what is corrupted', () => {
    it.each([
      ['results', '{"half":', "atom 'broken' is corrupted: its results cannot be read"],
      ['failure', '{"version": 99}', "atom 'broken' is corrupted: failure takes the record of a failure"],
      ['state', 'DREAMING', 'atom \'broken\' is corrupted: state takes one of PENDING, .*, got "DREAMING"'],
      ['intention', 'PARTY', "atom 'broken' is corrupted: intention takes one of"],
      ['kind', 'spoon', "atom 'broken' is corrupted: kind takes one of task, retry"],
      ['position', 'first', "atom 'broken' is corrupted: position takes a whole number"],
      ['results', Buffer.from('{}'), "atom 'broken' is corrupted: its results take text, got a object"],
    ])('in %s is named', async (column, value, message) => {
      const database = new Database(':memory:');
      const connection = await connect(sqliteBackend({ database }));
      const flow = aFlow('f', aTask('broken'));
      await connection.saveLogbook(aBook('book', flow));
      database.prepare(`update atom_details set ${column} = ?`).run([value]);
      const reading = connection.getFlowDetail(flow.uuid);
      await expect(reading).rejects.toThrow(InvalidFormatError);
      await expect(reading).rejects.toThrow(new RegExp(message));
    });
  });

  describe('its errors', () => {
    it('are never those of the driver', async () => {
      const path = newFile();
      writeFileSync(path, 'this is no database, however long it may be '.repeat(100));
      const connection = await opened(sqliteBackend({ path })).getConnection();
      for (const ask of [
        () => connection.upgrade(),
        () => connection.validate(),
        () => connection.getLogbooks(),
        () => connection.saveLogbook(aBook('b')),
        () => connection.clearAll(),
      ]) {
        const error: unknown = await ask().catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(StorageError);
        expect((error as StorageError).cause).toBeInstanceOf(Error);
      }
    });

    it('name the file that cannot be opened', async () => {
      const path = join(newFile(), 'nowhere', 'runs.db');
      const connection = await opened(sqliteBackend({ path })).getConnection();
      await expect(connection.upgrade()).rejects.toThrow(StorageError);
      await expect(connection.upgrade()).rejects.toThrow(path);
    });

    it('name the packages to install when there is no driver', async () => {
      const importDriver = (name: string) => Promise.reject(new Error(`Cannot find package '${name}'`));
      const connection = await opened(sqliteBackend({ path: ':memory:', importDriver })).getConnection();
      const error: unknown = await connection.upgrade().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(NotFoundError);
      expect((error as NotFoundError).message).toBe(
        'SQLite needs one of the packages libsql and better-sqlite3: npm install libsql',
      );
      expect((error as NotFoundError).cause).toMatchObject({
        errors: [expect.any(Error), expect.any(Error)] as unknown,
      });
    });

    it('say that it is closed', async () => {
      const backend = sqliteBackend({ path: ':memory:' });
      const connection = await backend.getConnection();
      await connection.upgrade();
      await backend.close();
      await backend.close();
      await expect(connection.getLogbooks()).rejects.toThrow('sqlite::memory: is closed');
      await expect(backend.getConnection()).rejects.toThrow(FlowstateError);
    });

    it('leave nobody waiting who asked before it closed', async () => {
      const path = newFile();
      const flow = aFlow('f', aTask('a'));
      const backend = sqliteBackend({ path });
      const connection = await connect(backend);
      await connection.saveLogbook(aBook('book', flow));
      const commits = Array.from({ length: 20 }, (_, expectedRevision) =>
        connection.commit({ flowUuid: flow.uuid, expectedRevision, atoms: [] }),
      );
      const closing = backend.close();
      const made = (await Promise.allSettled(commits)).filter((result) => result.status === 'fulfilled').length;
      await closing;
      await expect(connection.getFlowDetail(flow.uuid)).rejects.toThrow(/is closed/);
      const { revision } = await (await connect(sqliteBackend({ path }))).getFlowDetail(flow.uuid);
      expect(revision).toBe(made);
    });

    it.each([
      [{}, /path takes the name of a file or :memory:, got undefined/],
      [{ path: '' }, /path takes .*, got an empty text/],
      [{ path: 'x.db', database: new Database(':memory:') }, /takes a path or a database, got both/],
      [{ database: new Database(':memory:'), synchronous: 'FULL' as const }, /synchronous takes a path beside it/],
      [{ path: 'x.db', busyTimeoutMs: -1 }, /busyTimeoutMs takes milliseconds from 0, got -1/],
    ])('refuse options that make no sense: %o', (options, message) => {
      expect(() => sqliteBackend(options)).toThrow(TypeError);
      expect(() => sqliteBackend(options)).toThrow(message);
    });
  });

  it('uses the second driver when the first is not there', async () => {
    const asked: string[] = [];
    const importDriver = (name: string): Promise<unknown> => {
      asked.push(name);
      return name === 'libsql' ? Promise.reject(new Error('not there')) : Promise.resolve({ default: Database });
    };
    const connection = await connect(sqliteBackend({ path: ':memory:', importDriver }));
    await connection.validate();
    expect(asked).toEqual(['libsql', 'better-sqlite3']);
  });

  it("leaves a database of the caller's open", async () => {
    const database = new Database(':memory:');
    const backend = sqliteBackend({ database });
    const connection = await connect(backend);
    const book = await connection.saveLogbook(aBook('book'));
    await backend.close();
    expect(await (await connect(sqliteBackend({ database }))).getLogbooks()).toEqual([book]);
  });

  it('makes no file before it is used', async () => {
    const path = newFile();
    const backend = opened(sqliteBackend({ path }));
    await backend.getConnection();
    expect(existsSync(path)).toBe(false);
    expect(backend.name).toBe(`sqlite:${path}`);
  });

  it('begins its log anew long before that has become large', async () => {
    const path = newFile();
    const connection = await connect(sqliteBackend({ path, synchronous: 'NORMAL' }));
    const atom = aTask('a');
    const flow = aFlow('trip', atom);
    await connection.saveLogbook(aBook('journeys', flow));
    const sizes: number[] = [];
    for (let expectedRevision = 0; expectedRevision < 1_000; expectedRevision++) {
      const atoms = [put(atom, 'SUCCESS', { seats: [expectedRevision] })];
      await connection.commit({ flowUuid: flow.uuid, expectedRevision, atoms });
      sizes.push(statSync(`${path}-wal`).size);
    }
    expect(Math.max(...sizes)).toBeLessThan(500_000);
    expect(new Set(sizes.slice(-500)).size).toBe(1);
  });

  it('is as durable as asked', async () => {
    const modes: unknown[] = [];
    for (const synchronous of ['NORMAL', 'FULL', undefined] as const) {
      class Watched extends Database {
        override exec(sql: string) {
          if (sql.startsWith('PRAGMA synchronous')) modes.push(sql);
          return super.exec(sql);
        }
      }
      const importDriver = () => Promise.resolve({ default: Watched });
      await connect(sqliteBackend({ path: newFile(), synchronous, importDriver }));
    }
    expect(modes).toEqual(['NORMAL', 'FULL', 'FULL'].map((mode) => `PRAGMA synchronous = ${mode}`));
  });
});
