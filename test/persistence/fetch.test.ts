import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DuplicateError, NotFoundError, StorageError } from '../../src/errors.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { BackendRegistry } from '../../src/persistence/backend-registry.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { jsonCodec } from '../../src/persistence/codecs/json.js';
import { parseConnectionText } from '../../src/connection-text.js';
import { backend, fetch } from '../../src/persistence/fetch.js';
import type { GivenOptions } from '../../src/given-options.js';
import { knownBackends } from '../../src/persistence/known-backends.js';
import { nearestName } from '../../src/nearest-name.js';
import { aBook } from './made-up-runs.js';

describe('fetch', () => {
  it.each(['memory', 'memory:', 'MEMORY', ' memory ', 'memory+fast', 'memory?deepCopy=yes'])(
    'makes a memory backend of %o',
    async (text) => {
      const made = await fetch(text);
      expect([made.name, made.codec]).toEqual(['memory', jsonCodec]);
    },
  );

  it.each([
    ['sqlite:trips.db', resolve('trips.db')],
    ['sqlite:data/trips.db', resolve('data/trips.db')],
    ['sqlite:/var/trips.db', '/var/trips.db'],
    ['sqlite:///var/trips.db', '/var/trips.db'],
    ['sqlite:///var/my%20trips%3F.db', '/var/my trips?.db'],
    ['sqlite:#1.db', resolve('#1.db')],
    ['sqlite::memory:', ':memory:'],
    ['sqlite+libsql:trips.db', resolve('trips.db')],
    ['sqlite:trips.db?synchronous=normal&busyTimeoutMs=1e3', resolve('trips.db')],
    ['sqlite?path=trips.db', resolve('trips.db')],
  ])('makes an SQLite backend of %o', async (text, path) => {
    const made = await fetch(text);
    expect(made.name).toBe(`sqlite:${path}`);
  });

  it.each([
    ['postgresql://ann:secret@db.example:5433/trips?schema=flows', 'postgresql://db.example:5433/trips?schema=flows'],
    ['postgres://ann:secret@db.example/trips?sslmode=require', 'postgresql://db.example/trips'],
    ['postgresql://[::1]:5432/trips', 'postgresql://[::1]:5432/trips'],
    ['postgresql:///trips', 'postgresql:///trips'],
    ['postgresql', 'postgresql'],
    ['mysql+pymysql://ann:secret@db.example:3307/trips?ssl=yes', 'mysql://db.example:3307/trips'],
    ['mariadb://ann:secret@db.example/trips', 'mysql://db.example/trips'],
  ])('makes a backend of a server of %o, and calls it by its address', async (text, name) => {
    expect((await fetch(text)).name).toBe(name);
  });

  it('takes options, which are stronger than the URL', async () => {
    expect((await fetch({ connection: 'memory', deepCopy: false })).codec).toBeUndefined();
    expect((await fetch({ connection: 'memory:?deepCopy=true', deepCopy: false })).codec).toBeUndefined();
    expect((await fetch({ connection: 'sqlite', path: ':memory:' })).name).toBe('sqlite::memory:');
    expect((await fetch({ connection: 'sqlite:a.db', path: 'b.db', synchronous: undefined })).name).toBe(
      `sqlite:${resolve('b.db')}`,
    );
  });

  it('gives a backend back', async () => {
    const made = memoryBackend();
    expect(await fetch(made)).toBe(made);
  });

  it.each<[unknown, new (...args: never[]) => Error, RegExp]>([
    [
      'oracle://h/db',
      NotFoundError,
      /no backend named 'oracle', only dir, directory, file, mariadb, memory, mysql, postgres, postgresql, sqlite, zk, zookeeper$/,
    ],
    ['sqlit:trips.db', NotFoundError, /only .*memory, .*; did you mean 'sqlite'\?/],
    ['postgresql://h1,h2/db', RangeError, /The option host takes one host, got 'h1,h2'/],
    ['postgresql://h/db?port=99999', TypeError, /port takes a whole number from 1 to 65535, got 99999/],
    [
      'postgresql://h/db?sslmode=maybe',
      RangeError,
      /sslmode of the postgresql backend takes disable or require or verify-full/,
    ],
    ['postgresql://h/db?schema=', TypeError, /schema takes the name of a schema/],
    ['postgresql://ann:secret@h/db?maxConnections=0', TypeError, /maxConnections takes a whole number from 1, got 0/],
    [
      { connection: 'mysql://ann:secret@h/db', connectTimeoutMs: 0 },
      TypeError,
      /connectTimeoutMs takes milliseconds above 0/,
    ],
    [
      { connection: 'postgresql://ann:secret@h/db', pool: { connect() {}, end() {}, on() {} } },
      TypeError,
      /takes a pool or an address, got a pool and host/,
    ],
    ['', RangeError, /A connection takes a name, or a URL/],
    [':memory:', RangeError, /A connection takes a name, or a URL .* got ":memory:"/],
    ['./trips.db', RangeError, /A connection takes a name/],
    [
      'sqlite://trips.db',
      RangeError,
      /sqlite URL takes no hosts, got 'trips.db': a relative path is written sqlite:trips.db, an absolute one sqlite:\/\/\/trips.db/,
    ],
    ['sqlite:a%zz.db', RangeError, /The path of a sqlite URL takes a percent sign only/],
    [
      'sqlite:a.db?synchronus=FULL',
      RangeError,
      /sqlite backend takes the options path, .*, got 'synchronus'; did you mean 'synchronous'\?/,
    ],
    ['sqlite:a.db?colour=red', RangeError, /got 'colour'$/],
    [
      'sqlite:a.db?synchronous=SOMETIMES',
      RangeError,
      /synchronous of the sqlite backend takes NORMAL or FULL, got 'SOMETIMES'/,
    ],
    ['sqlite:a.db?busyTimeoutMs=soon', RangeError, /busyTimeoutMs of the sqlite backend takes a number, got 'soon'/],
    ['sqlite:a.db?busyTimeoutMs=', RangeError, /busyTimeoutMs of the sqlite backend takes a number, got ''/],
    ['sqlite:a.db?busyTimeoutMs=1&busyTimeoutMs=2', RangeError, /'busyTimeoutMs' twice/],
    ['sqlite:a.db?path=b.db', RangeError, /'path' twice/],
    ['sqlite:a.db?synchronous', RangeError, /got 'synchronous' without a value/],
    ['sqlite:a.db?=1', RangeError, /one without a name/],
    [
      'sqlite:a.db?codec=json',
      RangeError,
      /codec of the sqlite backend takes a codec, which a URL cannot hold, got 'json'/,
    ],
    ['memory:somewhere', RangeError, /memory URL takes no path, got 'somewhere'/],
    ['memory:?deepCopy=maybe', RangeError, /deepCopy of the memory backend takes true or false, got 'maybe'/],
    ['sqlite://user:secret@host/x.db', RangeError, /takes no hosts/],
    [{ connection: 'sqlite', path: 7 }, RangeError, /path of the sqlite backend takes text, got 7/],
    [
      { connection: 'sqlite', path: 'a.db', database: 1 },
      RangeError,
      /database of the sqlite backend takes an open database/,
    ],
    [{ connection: 'memory', __proto__key: 1 }, RangeError, /got '__proto__key'/],
    [{ connection: 'sqlite' }, TypeError, /path takes the name of a file or :memory:/],
    [
      { driver: 'sqlite' },
      TypeError,
      /A backend takes a name, a URL, options with a connection, or a backend, got something else/,
    ],
    [null, TypeError, /A backend takes/],
    [7, TypeError, /A backend takes .* got 7/],
  ])('refuses %o', async (conf, type, message) => {
    const made = fetch(conf as string);
    await expect(made).rejects.toThrow(type);
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.not.toThrow(/secret/);
  });
});

describe('backend', () => {
  it('is upgraded, and closed with its block when it was made for it', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'flowstate-fetch-')), 'runs.db');
    const used = [];
    {
      await using store = await backend(`sqlite:${path}`);
      used.push(store);
      const connection = await store.getConnection();
      await connection.validate();
      await connection.saveLogbook(aBook('book'));
    }
    await expect(used[0]?.getConnection()).rejects.toThrow(StorageError);
    expect(existsSync(path)).toBe(true);
    rmSync(join(path, '..'), { recursive: true });
  });

  it('is left open when it was given', async () => {
    let closed = 0;
    const given = { ...memoryBackend(), close: () => Promise.resolve(void (closed += 1)) };
    {
      await using store = await backend(given);
      expect(store.codec).toBe(jsonCodec);
    }
    expect(closed).toBe(0);
  });

  it('is closed when it cannot be upgraded', async () => {
    let closed = 0;
    const broken = {
      ...memoryBackend(),
      close: () => Promise.resolve(void (closed += 1)),
      getConnection: () => Promise.reject(new StorageError('no')),
    };
    const registry = new BackendRegistry();
    registry.register({ names: ['broken'], read: () => undefined, load: () => Promise.resolve(() => broken) });
    await expect(backend('broken', { registry })).rejects.toThrow('no');
    expect(closed).toBe(1);
    await expect(backend(broken)).rejects.toThrow('no');
    expect(closed).toBe(1);
  });
});

describe('the registry', () => {
  const entry = (name: string) => ({
    names: [name, `${name}-alias`] as const,
    urlParts: { path: 'folder', hosts: 'hosts', user: 'user', password: 'password' },
    read: (given: GivenOptions) => ({
      folder: given.text('folder'),
      hosts: given.text('hosts'),
      user: given.text('user'),
      password: given.text('password'),
    }),
    load: () => Promise.resolve((options: object) => ({ ...memoryBackend(), name: JSON.stringify(options) })),
  });

  it('takes backends of others, under several names', async () => {
    const before = knownBackends.names;
    const registry = knownBackends.copy();
    registry.register(entry('mine'));
    expect(registry.names).toEqual([...before, 'mine', 'mine-alias'].sort());
    expect(knownBackends.names).toEqual(before);
    const made = await fetch('mine-alias://ann:p%40ss@h1:1,[::1]:2,h3/runs/2024', { registry });
    expect(JSON.parse(made.name)).toEqual({
      folder: '/runs/2024',
      hosts: 'h1:1,[::1]:2,h3',
      user: 'ann',
      password: 'p@ss',
    });
  });

  it('loads one only when it is asked for', async () => {
    const registry = new BackendRegistry();
    registry.register({ ...entry('mine'), load: () => Promise.reject<() => PersistenceBackend>(new Error('loaded')) });
    await expect(fetch('other', { registry })).rejects.toThrow(NotFoundError);
    await expect(fetch('mine', { registry })).rejects.toThrow('loaded');
  });

  it('takes a name once, unless it is to be replaced', () => {
    const registry = knownBackends.copy();
    expect(() => registry.register(entry('memory'))).toThrow(DuplicateError);
    expect(() => registry.register({ ...entry('x'), names: ['x', 'sqlite'] })).toThrow(DuplicateError);
    expect(registry.names).toEqual(knownBackends.names);
    registry.register(entry('memory'), { replace: true });
    expect(() => registry.register(entry('Mine'))).toThrow(RangeError);
  });
});

describe('a connection text', () => {
  it.each([
    ['dir', { name: 'dir', path: null, hosts: [] }],
    ['dir:', { name: 'dir', path: null }],
    ['dir:///', { name: 'dir', path: '/' }],
    [
      'Redis://cache:6379/2?namespace=shop+one&x=a=b',
      {
        name: 'redis',
        hosts: ['cache:6379'],
        path: '/2',
        options: new Map([
          ['namespace', 'shop one'],
          ['x', 'a=b'],
        ]),
      },
    ],
    ['zookeeper://h1:2181,h2:2181/flows', { hosts: ['h1:2181', 'h2:2181'], path: '/flows' }],
    ['amqp://u:p:q@h', { user: 'u', password: 'p:q', hosts: ['h'], path: null }],
    ['amqp://u@h', { user: 'u', password: null }],
    ['sqlite:C:\\runs\\x.db', { path: 'C:\\runs\\x.db' }],
    ['sqlite:a.db?x=1?2', { path: 'a.db', options: new Map([['x', '1?2']]) }],
  ])('such as %o is taken apart', (text, parts) => {
    expect(parseConnectionText(text)).toMatchObject(parts);
  });

  it('that is wrong is not repeated where it may hold a password', () => {
    for (const text of ['redis://u:secret@h h/', '://u:secret@h', 'redis://u:secret@h:port']) {
      expect(() => parseConnectionText(text)).toThrow(RangeError);
      expect(() => parseConnectionText(text)).not.toThrow(/secret/);
    }
  });
});

describe('nearestName', () => {
  it.each([
    ['synchronus', 'synchronous'],
    ['BusyTimeoutMS', 'busyTimeoutMs'],
    ['pth', 'path'],
    ['colour', null],
    ['', null],
  ])('of %o is %o', (given, nearest) => {
    expect(nearestName(given, ['path', 'synchronous', 'busyTimeoutMs'])).toBe(nearest);
  });
});
