import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { NotFoundError, StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Codec, Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import type { ImportDriver } from '../../src/driver-package.js';
import { fetch } from '../../src/persistence/fetch.js';
import { newSqlPlace } from '../servers/place.js';
import type { SqlPlace } from '../servers/place.js';
import { Proxy } from '../servers/proxy.js';
import { describeCopyingBackend, describePersistenceBackend } from './backend-suite.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { race } from './racing-writers.js';

/** What is particular to a server. */
export interface ServerDialect {
  /** As messages have it. */
  readonly name: string;
  readonly url: string;
  /** Ends all connections to a place, from the server's side. */
  cut(place: SqlPlace): Promise<unknown>;
  /** Part of the request that commits. */
  readonly commitRequest: string;
  /** Takes the schema back to its first step. */
  readonly back: readonly string[];
  /** The package of its driver. */
  readonly driver: string;
  make(options: { readonly importDriver: ImportDriver }): PersistenceBackend;
}

/** A codec whose text is no JSON. */
const BASE64: Codec = {
  encode: (value) => Buffer.from(JSON.stringify(value)).toString('base64'),
  decode: (text): unknown => JSON.parse(Buffer.from(text, 'base64').toString()),
};

/** What backends promise that keep runs on a database server, beside what all backends promise. */
export function describeServerBackend(dialect: ServerDialect) {
  const { name, url } = dialect;
  const places: SqlPlace[] = [];
  const backends: PersistenceBackend[] = [];
  const proxies: Proxy[] = [];

  async function place(): Promise<SqlPlace> {
    const made = await newSqlPlace(url);
    if (made === null) throw new Error(`${url} names no server`);
    places.push(made);
    return made;
  }

  async function open(conf: Parameters<typeof fetch>[0]): Promise<PersistenceBackend> {
    const backend = await fetch(conf);
    backends.push(backend);
    return backend;
  }

  async function connect(conf: Parameters<typeof fetch>[0]): Promise<Connection> {
    const connection = await (await open(conf)).getConnection();
    await connection.upgrade();
    return connection;
  }

  /** A connection through a wire that can be cut. */
  async function connectThroughProxy(made: SqlPlace): Promise<{ proxy: Proxy; connection: Connection }> {
    const { port } = new URL(made.url);
    const proxy = await Proxy.to(Number(port === '' ? (name === 'PostgreSQL' ? 5432 : 3306) : port));
    proxies.push(proxy);
    const connection = await connect({ connection: made.url, host: '127.0.0.1', port: proxy.port });
    return { proxy, connection };
  }

  afterEach(async () => {
    for (const backend of backends.splice(0)) await backend.close();
    for (const proxy of proxies.splice(0)) proxy.close();
  });
  afterAll(async () => {
    for (const made of places.splice(0)) await made.drop();
  });

  describePersistenceBackend(name, async () => fetch((await place()).url));
  describeCopyingBackend(name, async () => fetch((await place()).url));

  describe(`${name} persistence, on its server,`, () => {
    it('is upgraded by several at once', async () => {
      const made = await place();
      const connections = await Promise.all([1, 2, 3, 4].map(async () => (await open(made.url)).getConnection()));
      await Promise.all(connections.map((connection) => connection.upgrade()));
      for (const connection of connections) await connection.validate();
    });

    it('comes from nothing with upgrade, which is said when it is missing', async () => {
      const connection = await (await open((await place()).url)).getConnection();
      await expect(connection.getLogbooks()).rejects.toThrow(/: call upgrade\(\) first/);
      await expect(connection.validate()).rejects.toThrow(/older schema, without \[0001_.*\]: call upgrade\(\) first/);
    });

    it('is brought from an older schema to the newest, with what is in it', async () => {
      const made = await place();
      const connection = await connect(made.url);
      const atom = put(aTask('a'), 'SUCCESS', { rows: [1] });
      const flow = { ...aFlow('f', atom), createdAt: 0, updatedAt: 0 };
      const book = await connection.saveLogbook(aBook('book', flow));
      for (const statement of dialect.back) await made.run(statement);
      const next = await (await open(made.url)).getConnection();
      await expect(next.validate()).rejects.toThrow(/older schema, without \[0002_times_and_fences, 0003_journal\]/);
      await next.upgrade();
      await next.validate();
      expect(await next.getLogbook(book.uuid)).toEqual({ ...book, flows: [flow] });
    });

    it('of a newer flowstate is refused', async () => {
      const made = await place();
      await connect(made.url);
      await made.run("insert into flowstate_migrations (name, timestamp) values ('9999_tomorrow', '2040-01-01')");
      const connection = await (await open(made.url)).getConnection();
      await expect(connection.validate()).rejects.toThrow(/is at a newer schema, with \[9999_tomorrow\]/);
      await expect(connection.upgrade()).rejects.toThrow(StorageError);
    });

    it('lets exactly one of eight writers, each with a pool of its own, win each revision', async () => {
      const made = await place();
      const writers = await Promise.all(Array.from({ length: 8 }, () => connect(made.url)));
      const flow = aFlow('f', aTask('a'));
      await writers[0]?.saveLogbook(aBook('book', flow));
      const revisions = 25;
      const wins = await race(writers, flow, revisions);
      expect(wins.reduce((sum, won) => sum + won, 0)).toBe(revisions);
    });

    it('takes one book, and one atom, from several who save them at the same time', async () => {
      const made = await place();
      const writers = await Promise.all(Array.from({ length: 4 }, () => connect(made.url)));
      const atom = aTask('a');
      const flow = aFlow('f', atom);
      const book = aBook('book', flow);
      const saved = await Promise.all(writers.map((writer) => writer.saveLogbook(book)));
      for (const each of saved) expect(each).toEqual(book);
      await Promise.all(writers.map((writer, index) => writer.updateAtomDetail(put(atom, 'SUCCESS', index))));
      expect(await writers[0]?.getFlowDetail(flow.uuid)).toMatchObject({ revision: writers.length });
    });

    it('keeps JSON as it was written', async () => {
      const value = JSON.parse(
        '{"b":1e21,"a":-1e-7,"1":0,"0":{"z":null,"a":"\\u0000 \\ud800 \\\\u0041 \'\\""},"long":9007199254740991}',
      ) as unknown;
      const atom = put(aTask('a'), 'SUCCESS', value);
      const connection = await connect((await place()).url);
      await connection.saveLogbook(aBook('book', aFlow('f', atom)));
      expect(JSON.stringify((await connection.getAtomDetail(atom.uuid)).results)).toBe(JSON.stringify(value));
    });

    it('keeps JSON as deep as the codec takes it', async () => {
      const value: unknown = JSON.parse(`${'['.repeat(900)}1${']'.repeat(900)}`);
      const atom = put(aTask('a'), 'SUCCESS', value);
      const connection = await connect((await place()).url);
      await connection.saveLogbook(aBook('book', aFlow('f', atom)));
      await connection.commit({ flowUuid: 'none', expectedRevision: 0, atoms: [] }).catch(() => undefined);
      expect((await connection.getAtomDetail(atom.uuid)).results).toEqual(value);
    });

    it('keeps what another codec writes', async () => {
      const made = await place();
      const backend = await open({ connection: made.url, codec: BASE64 });
      expect(backend.codec?.decode(backend.codec.encode(['x']))).toEqual(['x']);
      const connection = await backend.getConnection();
      await connection.upgrade();
      const atom = put(aTask('a'), 'SUCCESS', ['abc', 1]);
      const flow = { ...aFlow('f', atom), meta: { note: 'x' } };
      const book = await connection.saveLogbook(aBook('book', flow));
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, atoms: [put(atom, 'SUCCESS', { a: 2 })] });
      expect(await connection.getLogbook(book.uuid)).toEqual({
        ...book,
        flows: [{ ...flow, revision: 1, atoms: [put(atom, 'SUCCESS', { a: 2 })] }],
      });
    });

    it('keeps times and fences beyond 32 bits', async () => {
      const flow = { ...aFlow('f'), createdAt: 4_102_444_800_000 };
      const connection = await connect((await place()).url);
      await connection.saveLogbook(aBook('book', flow));
      const fence = Number.MAX_SAFE_INTEGER;
      await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, at: 4_102_444_800_001, fence, atoms: [] });
      expect(await connection.getFlowDetail(flow.uuid)).toEqual({
        ...flow,
        revision: 1,
        updatedAt: 4_102_444_800_001,
        fence,
      });
    });

    it('refuses what is too long for a column, and keeps nothing of it', async () => {
      const connection = await connect((await place()).url);
      const flow = aFlow('f', { ...aTask('a'), intention: 'x'.repeat(17) as 'EXECUTE' });
      await expect(connection.saveLogbook(aBook('book', flow))).rejects.toThrow(/too long/i);
      expect(await connection.getLogbooks()).toEqual([]);
    });

    describe('when connections are lost', () => {
      async function storedRun() {
        const made = await place();
        const { proxy, connection } = await connectThroughProxy(made);
        const atom = aTask('a');
        const flow = aFlow('f', atom);
        await connection.saveLogbook(aBook('book', flow));
        const unit = { flowUuid: flow.uuid, id: 'x', expectedRevision: 0, atoms: [put(atom, 'SUCCESS', 1)] };
        return { made, proxy, connection, flow, unit };
      }

      it.each(['request', 'answer'] as const)('with a commit in doubt (the %s), it is applied once', async (at) => {
        const { proxy, connection, flow, unit } = await storedRun();
        proxy.cutAt(at, dialect.commitRequest);
        await expect(connection.commit(unit)).rejects.toThrow(StorageError);
        expect(proxy.cuts).toBe(1);
        await connection.commit({ ...unit, atoms: [...unit.atoms] });
        await connection.commit(unit);
        const { revision, lastCommit, atoms } = await connection.getFlowDetail(flow.uuid);
        expect([revision, lastCommit, atoms]).toEqual([1, 'x', unit.atoms]);
      });

      it('reads and commits go on, on new ones', async () => {
        const { made, connection, flow, unit } = await storedRun();
        await dialect.cut(made);
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
        await dialect.cut(made);
        await connection.commit(unit).catch(() => connection.commit(unit));
        expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1 });
      });

      it('because the server is down, that is said, and all goes on when it is back', async () => {
        const { proxy, connection, flow, unit } = await storedRun();
        proxy.refuse();
        for (const ask of [
          () => connection.commit(unit),
          () => connection.getFlowDetail(flow.uuid),
          () => connection.validate(),
          () => connection.saveLogbook(aBook('other')),
        ]) {
          const error: unknown = await ask().catch((reason: unknown) => reason);
          expect(error).toBeInstanceOf(StorageError);
          expect((error as StorageError).cause).toBeInstanceOf(Error);
        }
        proxy.refuse(false);
        await connection.commit(unit);
        expect(await connection.getFlowDetail(flow.uuid)).toMatchObject({ revision: 1 });
      });

      it('in the middle of long transactions, nothing is half there', async () => {
        const { proxy, connection, flow } = await storedRun();
        const atoms = Array.from({ length: 250 }, (_, index) => aTask(`t${index}`, index));
        proxy.cutAt('request', 't150');
        const unit = { flowUuid: flow.uuid, id: 'long', expectedRevision: 0, atoms };
        await expect(connection.commit(unit)).rejects.toThrow(StorageError);
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
        await connection.commit(unit);
        expect((await connection.getFlowDetail(flow.uuid)).atoms).toHaveLength(251);
      });
    });

    describe('its errors', () => {
      const secret = 'geheim';

      async function failureOf(conf: Parameters<typeof fetch>[0]): Promise<Error> {
        const connection = await (await open(conf)).getConnection();
        const error: unknown = await connection.upgrade().catch((reason: unknown) => reason);
        if (!(error instanceof Error)) throw new Error('it was not refused');
        const seen = new Set<unknown>();
        const texts = (each: unknown): string =>
          each instanceof Error && !seen.has(each)
            ? (seen.add(each), `${each.message} ${JSON.stringify(each)} ${each.stack ?? ''} ${texts(each.cause)}`)
            : '';
        expect(texts(error)).not.toContain(secret);
        return error;
      }

      it('name the database that is not there', async () => {
        const error = await failureOf({ connection: url, database: 'no_such_database' });
        expect(error).toBeInstanceOf(StorageError);
        expect(error.message).toMatch(/no_such_database could not upgrade its schema: .*no_such_database/);
      });

      it('name the server that does not answer', async () => {
        const error = await failureOf({ connection: url, host: '127.0.0.1', port: 1, password: secret });
        expect(error).toBeInstanceOf(StorageError);
        expect(error.message).toContain('127.0.0.1:1/');
        expect(error.message).toContain('ECONNREFUSED');
      });

      it('say that somebody was not let in', async () => {
        const error = await failureOf({ connection: url, user: 'nobody_known', password: secret });
        expect(error).toBeInstanceOf(StorageError);
        expect(error.message).toContain('nobody_known');
      });

      it('name the package to install when there is no driver', async () => {
        const importDriver = (missing: string) => Promise.reject(new Error(`Cannot find package '${missing}'`));
        const error = await failureOf(dialect.make({ importDriver }));
        expect(error).toBeInstanceOf(NotFoundError);
        expect(error.message).toBe(`${name} needs the package ${dialect.driver}: npm install ${dialect.driver}`);
      });

      it('say that it is closed', async () => {
        const backend = await fetch((await place()).url);
        const connection = await backend.getConnection();
        await connection.upgrade();
        await backend.close();
        await backend.close();
        await expect(connection.getLogbooks()).rejects.toThrow(/ is closed$/);
        await expect(backend.getConnection()).rejects.toThrow(StorageError);
      });
    });
  });
}
