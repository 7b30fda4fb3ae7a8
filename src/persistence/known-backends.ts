import type { Environment } from '../environment.js';
import type { Codec } from './backend.js';
import { BackendRegistry } from './backend-registry.js';
import type { ZooKeeperClient } from './backends/path/zookeeper-session.js';
import type { SqliteDatabase } from './backends/sql/sqlite-driver.js';

/** The backends that come with flowstate. Others may be added by whoever brings them. */
export const knownBackends = new BackendRegistry();

knownBackends.register({
  names: ['memory'],
  read: (given) => ({ deepCopy: given.flag('deepCopy'), codec: given.object('codec', 'a codec', isCodec) }),
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
    codec: given.object('codec', 'a codec', isCodec),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/sql/sqlite.js')).sqliteBackend,
});

knownBackends.register({
  names: ['directory', 'dir', 'file'],
  urlParts: { path: 'path' },
  read: (given) => ({
    path: given.text('path') ?? '',
    synchronous: given.choice('synchronous', ['NORMAL', 'FULL']),
    lockTimeoutMs: given.number('lockTimeoutMs'),
    journalBytes: given.number('journalBytes'),
    codec: given.object('codec', 'a codec', isCodec),
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
    codec: given.object('codec', 'a codec', isCodec),
    environment: given.object('environment', 'an environment', isEnvironment),
  }),
  load: async () => (await import('./backends/path/zookeeper.js')).zookeeperBackend,
});

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
