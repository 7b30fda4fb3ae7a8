import { importPackage, loadDriver } from '../../../driver-package.js';
import type { ImportDriver } from '../../../driver-package.js';
import type { Transport } from '../../transport.js';
import { positiveMs } from '../../transport-basics.js';
import type { TransportBasics } from '../../transport-basics.js';
import type { RedisClient } from './connection.js';
import { RedisLink } from './link.js';

export interface RedisTransportOptions {
  /** @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** @default 6379 */
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** The number of the database. @default 0 */
  readonly database?: number | undefined;
  /** True, or the options of node:tls, for a connection with TLS. */
  readonly tls?: boolean | object | undefined;
  /** Whether the server is one of a cluster. @default false */
  readonly cluster?: boolean | undefined;
  /** How long after its last sign, in milliseconds, what a consumer has is given to others. @default 15000 */
  readonly leaseMs?: number | undefined;
  /** How long the server may take to answer, in milliseconds, before the connection is made anew. @default 10000 */
  readonly answerTimeoutMs?: number | undefined;
  /** Further options of the driver, such as `sentinels`. They are stronger than those above. */
  readonly driverOptions?: object | undefined;
  /** How the package of the driver is imported. @default import() */
  readonly importDriver?: ImportDriver | undefined;
}

const OWNER = 'the Redis transport';
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 6379;
const DEFAULT_LEASE_MS = 15_000;
const DEFAULT_ANSWER_MS = 10_000;
/** How long a reader waits at the server for something to come. */
const BLOCK_MS = 5000;

/**
 * A transport over a Redis server (6.2 on): queues and mailboxes are streams with a consumer group, rooms are channels.
 *
 * Needs the package `ioredis`. What the server keeps over a crash of its own is decided by its settings.
 *
 * @throws {RangeError} for a time that is none.
 */
export function redisTransport(options: RedisTransportOptions, basics: TransportBasics): Transport {
  const { host = DEFAULT_HOST, port = DEFAULT_PORT, database = 0, tls = false, cluster = false } = options;
  const { importDriver = importPackage } = options;
  const scheme = tls === false ? 'redis' : 'rediss';
  const name = `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  const leaseMs = positiveMs(OWNER, 'leaseMs', options.leaseMs ?? DEFAULT_LEASE_MS);
  const answerTimeoutMs = positiveMs(OWNER, 'answerTimeoutMs', options.answerTimeoutMs ?? DEFAULT_ANSWER_MS);
  const retryStrategy = (times: number) => basics.policy.delayMs(times - 1);
  const clientOptions = {
    host,
    port,
    username: options.user,
    password: options.password,
    db: database,
    ...(tls === false ? {} : { tls: tls === true ? {} : tls }),
    connectionName: 'flowstate',
    // What is asked fails without a connection, and is asked again by whoever knows whether it may.
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    retryStrategy,
    connectTimeout: answerTimeoutMs,
    noDelay: true,
    keepAlive: 10_000,
    disableClientInfo: true,
    // Replies of the newer one have other shapes.
    protocol: 2,
    ...options.driverOptions,
  };
  return {
    name,
    async open() {
      const driver = await loadDriver('The Redis transport', ['ioredis'], importDriver, driverIn);
      const newClient = () => {
        if (!cluster) return new driver.Redis(clientOptions);
        const { retryStrategy: clusterRetryStrategy, ...redisOptions } = clientOptions;
        const settings = { redisOptions, clusterRetryStrategy, lazyConnect: true, enableOfflineQueue: false };
        return new driver.Cluster([{ host, port }], settings);
      };
      const nodesOf = (client: RedisClient) => ('nodes' in client ? mastersOf(client) : [client]);
      const parts = { isCluster: cluster, newClient, nodesOf };
      const link = new RedisLink({ ...basics, ...parts, name, leaseMs, answerTimeoutMs, blockMs: BLOCK_MS });
      await link.start();
      return link;
    },
  };
}

type NewClient = new (...args: readonly unknown[]) => RedisClient;

function driverIn(imported: object): { readonly Redis: NewClient; readonly Cluster: NewClient } | null {
  const { Redis, Cluster } = imported as { readonly Redis?: unknown; readonly Cluster?: unknown };
  return isNewClient(Redis) && isNewClient(Cluster) ? { Redis, Cluster } : null;
}

function isNewClient(value: unknown): value is NewClient {
  return typeof value === 'function';
}

function mastersOf(client: RedisClient & { readonly nodes?: unknown }): readonly RedisClient[] {
  const { nodes } = client;
  return typeof nodes === 'function' ? (nodes.call(client, 'master') as readonly RedisClient[]) : [client];
}
