import { once } from 'node:events';
import zookeeper from 'node-zookeeper-client';
import type { Client } from 'node-zookeeper-client';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { NotFoundError, StorageConflictError, StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import { zookeeperBackend } from '../../src/persistence/backends/path/zookeeper.js';
import type { ZooKeeperBackendOptions } from '../../src/persistence/backends/path/zookeeper.js';
import { fetch } from '../../src/persistence/fetch.js';
import { newPlace } from '../servers/place.js';
import { Proxy } from '../servers/proxy.js';
import { describeWithServer } from '../servers/server.js';
import { zookeeper as server } from '../servers/zookeeper.js';
import { describeCopyingBackend, describePersistenceBackend } from './backend-suite.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { race } from './racing-writers.js';

const backends: PersistenceBackend[] = [];
const proxies: Proxy[] = [];

async function connect(options: ZooKeeperBackendOptions): Promise<Connection> {
  const backend = zookeeperBackend(options);
  backends.push(backend);
  const connection = await backend.getConnection();
  await connection.upgrade();
  return connection;
}

/** Ends a session at the server, as it does by itself with one that it has not heard of for too long. */
async function endSessionOf(client: Client, hosts: string): Promise<void> {
  const options = { sessionId: client.getSessionId(), sessionPassword: client.getSessionPassword(), retries: 0 };
  const twin = zookeeper.createClient(hosts, options);
  const connected = once(twin, 'connected');
  twin.connect();
  await connected;
  const closed = once(twin, 'disconnected');
  twin.close();
  await closed;
}

afterEach(async () => {
  for (const backend of backends.splice(0)) await backend.close();
  for (const proxy of proxies.splice(0)) proxy.close();
});

await describeWithServer(server, async (url) => {
  const place = await newPlace(url);
  if (place === null) throw new Error(`${url} has no places`);
  // Each of its nodes is taken away by itself.
  afterAll(() => place.drop(), 120_000);
  const { hostname, port, pathname } = new URL(place.url.replace(/^zookeeper:/, 'http:'));
  const hosts = `${hostname}:${port}`;
  let folders = 0;
  const newPath = () => `${pathname}/${(folders += 1)}`;

  describePersistenceBackend('ZooKeeper', () => zookeeperBackend({ hosts, path: newPath() }));
  describeCopyingBackend('ZooKeeper', () => zookeeperBackend({ hosts, path: newPath() }));

  describe('ZooKeeper persistence', () => {
    const many = Array.from({ length: 5000 }, (_, index) => aTask(`a${index}`, index));

    async function connectThrough(path = newPath()): Promise<{ proxy: Proxy; connection: Connection }> {
      const proxy = await Proxy.to(Number(port));
      proxies.push(proxy);
      return { proxy, connection: await connect({ hosts: `127.0.0.1:${proxy.port}`, path }) };
    }

    it('is found under its URL, with its path', async () => {
      const path = newPath();
      await connect({ hosts, path });
      const fetched = await fetch(`zookeeper://${hosts}${path}?timeoutMs=5000`);
      backends.push(fetched);
      expect(fetched.name).toBe(`zookeeper://${hosts}${path}`);
      expect(await (await fetched.getConnection()).getLogbooks()).toEqual([]);
    });

    it('is not valid before it was upgraded', async () => {
      const backend = zookeeperBackend({ hosts, path: newPath() });
      backends.push(backend);
      const connection = await backend.getConnection();
      await expect(connection.validate()).rejects.toThrow(/has to be upgraded first/);
      await expect(connection.getFlowDetail('x')).rejects.toThrow(StorageError);
    });

    it('keeps a client of the caller open', async () => {
      const client = zookeeper.createClient(hosts);
      client.connect();
      const backend = zookeeperBackend({ client, path: newPath() });
      const connection = await backend.getConnection();
      await connection.upgrade();
      const book = await connection.saveLogbook(aBook('book', aFlow('f')));
      expect(await connection.getLogbook(book.uuid)).toEqual(book);
      await backend.close();
      await expect(connection.getLogbooks()).rejects.toThrow(/is closed/);
      expect(client.getState().name).toBe('SYNC_CONNECTED');
      client.close();
    });

    it('says so when the session of such a client is over', async () => {
      const client = zookeeper.createClient(hosts);
      client.connect();
      const connection = await connect({ client, path: newPath(), timeoutMs: 500 });
      const lost = once(client, 'disconnected');
      client.close();
      await lost;
      await expect(connection.getLogbooks()).rejects.toThrow(StorageError);
    });

    it('says so when the server has ended the session of such a client, and loses nothing', async () => {
      const proxy = await Proxy.to(Number(port));
      proxies.push(proxy);
      const client = zookeeper.createClient(`127.0.0.1:${proxy.port}`, { spinDelay: 100 });
      client.connect();
      const path = newPath();
      const connection = await connect({ client, path, timeoutMs: 5_000 });
      const book = await connection.saveLogbook(aBook('book', aFlow('f', aTask('a'))));
      const expired = once(client, 'expired');
      proxy.refuse();
      await endSessionOf(client, hosts);
      proxy.refuse(false);
      await expired;
      await expect(connection.getLogbook(book.uuid)).rejects.toThrow(StorageError);
      expect(await (await connect({ hosts, path })).getLogbook(book.uuid)).toEqual(book);
      client.close();
    });

    it('begins a new session after its connection was cut', async () => {
      const { proxy, connection } = await connectThrough();
      const book = await connection.saveLogbook(aBook('book', aFlow('f', aTask('a'))));
      for (let cuts = 0; cuts < 3; cuts += 1) {
        proxy.cutAll();
        const read = () => connection.getLogbook(book.uuid);
        // What is asked while nobody has noticed yet fails, and is asked again.
        expect(await read().catch((error: unknown) => (error instanceof StorageError ? read() : error))).toEqual(book);
      }
    });

    it.each([
      ['few', 1],
      ['many', many.length],
    ])('applies a commit of %s atoms once, wherever the connection is cut', { timeout: 120_000 }, async (_, count) => {
      const path = newPath();
      const outside = await connect({ hosts, path });
      const { proxy, connection } = await connectThrough(path);
      const atoms = many.slice(0, count).map((atom) => ({ ...atom, uuid: `${count}-${atom.uuid}` }));
      const flow = aFlow('f');
      await outside.saveLogbook(aBook('book', flow));
      let failures = 0;
      for (let revision = 0; revision < 6; revision += 1) {
        const done = atoms.map((atom) => put(atom, 'SUCCESS', revision));
        const unit = { flowUuid: flow.uuid, id: `unit ${revision}`, expectedRevision: revision, atoms: done };
        const committing = connection.commit(unit).then(
          () => null,
          (error: unknown) => error,
        );
        // A commit begins with a look at the journal: some time after that it is cut.
        for (let turns = 0; turns < revision * 3 * Math.min(count, 50); turns += 1) await new Promise(setImmediate);
        proxy.cutAt(revision % 2 === 0 ? 'answer' : 'request', '');
        const failure = await committing;
        const between = await outside.getFlowDetail(flow.uuid);
        expect([revision, revision + 1]).toContain(between.revision);
        const results = between.revision === 0 ? [] : [between.revision - 1];
        expect(new Set(between.atoms.map((atom) => atom.results))).toEqual(new Set(results));
        if (failure !== null) {
          failures += 1;
          expect(failure).toBeInstanceOf(StorageError);
          expect(failure).not.toBeInstanceOf(StorageConflictError);
        }
        await outside.commit(unit);
        expect(await outside.getFlowDetail(flow.uuid)).toMatchObject({ revision: revision + 1 });
        proxy.cutAll();
      }
      expect(failures).toBeGreaterThan(0);
      expect(await outside.getAtomsForFlow(flow.uuid)).toHaveLength(count);
    });

    it(
      'lets exactly one of several writers win each revision, with many atoms or few',
      { timeout: 120_000 },
      async () => {
        const path = newPath();
        const writers = await Promise.all([1, 2, 3].map(() => connect({ hosts, path })));
        const flow = aFlow('f', ...many.slice(0, 1500));
        await writers[0]?.saveLogbook(aBook('book', flow));
        const revisions = 12;
        const wins = await race(writers, flow, revisions, (revision) =>
          flow.atoms.slice(0, revision % 3 === 0 ? undefined : 3),
        );
        expect(wins.reduce((sum, won) => sum + won, 0)).toBe(revisions);
        const atoms = await writers[0]?.getAtomsForFlow(flow.uuid);
        expect(new Set(atoms?.slice(0, 3).map(({ results }) => JSON.stringify(results))).size).toBe(1);
        expect(new Set(atoms?.slice(3).map(({ results }) => JSON.stringify(results))).size).toBe(1);
      },
    );

    it('keeps values larger than a node may be, and removes them', async () => {
      const path = newPath();
      const connection = await connect({ hosts, path });
      const big = '🙂'.repeat(600_000);
      const atom = put(aTask('a'), 'SUCCESS', big);
      const flow = { ...aFlow('f', atom), meta: { big } };
      const book = { ...aBook('book', flow), meta: { big } };
      await connection.saveLogbook(book);
      expect(await connection.getLogbook(book.uuid)).toEqual(book);
      await connection.destroyLogbook(book.uuid);
      await expect(connection.getAtomDetail(atom.uuid)).rejects.toThrow(NotFoundError);
      const client = zookeeper.createClient(hosts);
      client.connect();
      const left = await new Promise((resolve) => {
        client.getChildren(`${path}/parts`, (_error, children) => resolve(children));
      });
      client.close();
      expect(left).toEqual([]);
    });

    it('gives up when nobody answers', async () => {
      const proxy = await Proxy.to(Number(port));
      proxy.close();
      const backend = zookeeperBackend({ hosts: `127.0.0.1:${proxy.port}`, timeoutMs: 200 });
      backends.push(backend);
      await expect((await backend.getConnection()).upgrade()).rejects.toThrow(/did not answer within 200 ms/);
    });
  });
});

describe('the options of a ZooKeeper backend', () => {
  it.each([
    [{}, /hosts takes a text such as h1:2181,h2:2181, got undefined/],
    [{ hosts: '' }, /hosts takes a text/],
    [{ hosts: 'h', path: 'relative' }, /path takes a node that begins with a slash, got "relative"/],
    [{ hosts: 'h', path: '/' }, /path takes a node/],
    [{ hosts: 'h', timeoutMs: 0 }, /timeoutMs takes milliseconds above 0, got 0/],
    [{ hosts: 'h', client: zookeeper.createClient('h') }, /takes hosts or a client, got both/],
  ])('are checked: %#', (options: ZooKeeperBackendOptions, message) => {
    expect(() => zookeeperBackend(options)).toThrow(TypeError);
    expect(() => zookeeperBackend(options)).toThrow(message);
  });
});
