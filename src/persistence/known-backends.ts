import type { Environment } from '../environment.js';
import type { Codec } from './backend.js';
import { BackendRegistry } from './backend-registry.js';
import type { ZooKeeperClient } from './backends/path/zookeeper-session.js';
import type { MysqlPoolLike } from './backends/sql/mysql.js';
import type { PgPool } from './backends/sql/postgres-driver.js';
import type { SqliteDatabase } from './backends/sql/sqlite-driver.js';
import type { GivenOptions } from '../given-options.js';
import { readServer, SERVER_PARTS } from '../server-address.js';
import type { ValueOptions } from './value-format.js';

/** The backends that come with flowstate. Others may be added by whoever brings them. */
export const knownBackends = new BackendRegistry();

knownBackends.register({
  names: ['memory'],
  read: (given) => ({ deepCopy: given.flag('deepCopy'), ...valueOptions(given) }),
  load: async () => (await import('./backends/memory.js')).memoryBackend,
});

knownBackends.register({
  names: ['sqlite'],
  urlParts: { path: 'path' },
  read: (given) => ({
    path: given.text('path'),
    database: given.object('database', 'an open database', isSqliteDatabase),
    synchronous: given.choice('synchronous', ['NORMAL', 'FULL']),
    busyTimeoutMs: given.number('busyTimeoutMs'),
    ...valueOptions(given),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/sql/sqlite.js')).sqliteBackend,
});

knownBackends.register({
  names: ['postgresql', 'postgres'],
  urlParts: SERVER_PARTS,
  read: (given) => ({
    ...readServer(given),
    ...sslOf(given.choice('sslmode', ['disable', 'require', 'verify-full'])),
    pool: given.object('pool', 'a pool of the package pg', isPgPool),
    schema: given.text('schema'),
    statementTimeoutMs: given.number('statementTimeoutMs'),
    ...valueOptions(given),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/sql/postgres.js')).postgresBackend,
});

knownBackends.register({
  names: ['mysql', 'mariadb'],
  urlParts: SERVER_PARTS,
  read: (given) => ({
    ...readServer(given),
    pool: given.object('pool', 'a pool of the package mysql2', isMysqlPool),
    ...valueOptions(given),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/sql/mysql.js')).mysqlBackend,
});

knownBackends.register({
  names: ['directory', 'dir', 'file'],
  urlParts: { path: 'path' },
  read: (given) => ({
    path: given.text('path') ?? '',
    synchronous: given.choice('synchronous', ['NORMAL', 'FULL']),
    lockTimeoutMs: given.number('lockTimeoutMs'),
    journalBytes: given.number('journalBytes'),
    ...valueOptions(given),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/path/directory.js')).directoryBackend,
});

knownBackends.register({
  names: ['zookeeper', 'zk'],
  urlParts: { path: 'path', hosts: 'hosts' },
  read: (given) => ({
    hosts: given.text('hosts'),
    path: given.text('path'),
    timeoutMs: given.number('timeoutMs'),
    client: given.object('client', 'a client of ZooKeeper', isZooKeeperClient),
    ...valueOptions(given),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/path/zookeeper.js')).zookeeperBackend,
});

/** As PostgreSQL's own tools understand it: only `verify-full` looks at who it is that answers. */
function sslOf(mode: 'disable' | 'require' | 'verify-full' | undefined) {
  if (mode === undefined) return {};
  return { ssl: mode === 'require' ? { rejectUnauthorized: false } : mode === 'verify-full' };
}

function isPgPool(value: unknown): value is PgPool {
  return hasMethods(value, 'connect', 'end', 'on');
}

function isMysqlPool(value: unknown): value is MysqlPoolLike {
  return hasMethods(value, 'getConnection', 'end');
}

/** The options that all backends have that keep text. */
function valueOptions(given: GivenOptions): ValueOptions {
  return { codec: given.object('codec', 'a codec', isCodec), maxValueBytes: given.number('maxValueBytes') };
}

function isCodec(value: unknown): value is Codec {
  return hasMethods(value, 'encode', 'decode');
}

function isSqliteDatabase(value: unknown): value is SqliteDatabase {
  return hasMethods(value, 'prepare', 'exec', 'close');
}

function isZooKeeperClient(value: unknown): value is ZooKeeperClient {
  return hasMethods(value, 'getState', 'getData', 'getChildren', 'exists', 'mkdirp', 'transaction', 'on');
}

function isEnvironment(value: unknown): value is Environment {
  return (
    hasMethods(value, 'newId', 'random') && hasMethods(new Map(Object.entries(value)).get('clock'), 'now', 'setTimer')
  );
}

function hasMethods(value: unknown, ...names: readonly string[]): value is object {
  return (
    typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'function')
  );
}
