import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import { NotFoundError } from '../../../errors.js';
import type { PersistenceBackend } from '../../backend.js';
import { valueFormat } from '../../value-format.js';
import type { ValueOptions } from '../../value-format.js';
import { pathBackend } from './path-backend.js';
import type { ZooKeeperClient } from './zookeeper-session.js';
import { ZooKeeperStore } from './zookeeper-store.js';

export interface ZooKeeperBackendOptions extends ValueOptions {
  /** Where its servers are: `h1:2181,h2:2181`. Either this or `client` is needed. */
  readonly hosts?: string | undefined;
  /** The node under which runs are kept, made by `upgrade`. @default '/flowstate' */
  readonly path?: string | undefined;
  /** How long, in milliseconds, to wait for an answer; a session lives on for as long without its client. @default 10000 */
  readonly timeoutMs?: number | undefined;
  /** A connected client of the caller's, instead of hosts. It stays the caller's: closing the backend leaves it open. */
  readonly client?: ZooKeeperClient | undefined;
  /** @default the platform's clock, ids and randomness */
  readonly environment?: Environment | undefined;
}

/**
 * Keeps runs in ZooKeeper. Any number of processes may share it, on any machines.
 *
 * Needs the package `node-zookeeper-client`, unless a client is given.
 *
 * @throws {TypeError} for options that do not go together or have the wrong type.
 * @see TaskFlow `persistence/backends/impl_zookeeper.py`. Differs: versions are checked, and size does not matter.
 */
export function zookeeperBackend({
  hosts,
  path = '/flowstate',
  timeoutMs = 10_000,
  client,
  environment = systemEnvironment,
  ...values
}: ZooKeeperBackendOptions): PersistenceBackend {
  if (client !== undefined && hosts !== undefined)
    throw new TypeError('zookeeperBackend takes hosts or a client, got both');
  if (client === undefined && (typeof hosts !== 'string' || hosts === '')) {
    throw new TypeError(`hosts takes a text such as h1:2181,h2:2181, got ${JSON.stringify(hosts)}`);
  }
  if (!/^(?:\/[^/]+)+\/?$/.test(path)) {
    throw new TypeError(`path takes a node that begins with a slash, got ${JSON.stringify(path)}`);
  }
  if (typeof timeoutMs !== 'number' || !(timeoutMs > 0)) {
    throw new TypeError(`timeoutMs takes milliseconds above 0, got ${String(timeoutMs)}`);
  }
  const root = path.replace(/\/$/, '');
  const name = `zookeeper:${hosts === undefined ? '' : `//${hosts}`}${root}`;
  const store = new ZooKeeperStore({
    name,
    root,
    timeoutMs,
    client: async () => client ?? (await loadDriver())(hosts ?? '', { sessionTimeout: timeoutMs }),
    ownsClient: client === undefined,
    environment,
  });
  return pathBackend(store, valueFormat(values));
}

/** The longest that a client waits before it tries the same servers again. */
const SPIN_DELAY_MS = 200;

type CreateClient = (hosts: string, options: { readonly sessionTimeout: number }) => ZooKeeperClient;

async function loadDriver(): Promise<CreateClient> {
  try {
    const { default: driver } = await import('node-zookeeper-client');
    return (hosts, options) => driver.createClient(hosts, { ...options, retries: 0, spinDelay: SPIN_DELAY_MS });
  } catch (cause) {
    throw new NotFoundError('ZooKeeper needs the package node-zookeeper-client: npm install node-zookeeper-client', {
      cause,
    });
  }
}
