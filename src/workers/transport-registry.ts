import { parseConnectionText } from '../connection-text.js';
import { systemEnvironment } from '../environment.js';
import type { Environment } from '../environment.js';
import { KindRegistry } from '../kind-registry.js';
import { readAddress, SERVER_PARTS, withoutSlash } from '../server-address.js';
import { RetryPolicy } from './retry-policy.js';
import type { RetryOptions } from './retry-policy.js';
import type { Transport } from './transport.js';
import type { TransportBasics } from './transport-basics.js';
import { MemoryBroker } from './transports/memory/broker.js';

/** Makes a transport of one kind, for the exchange that it is given. */
export type MakeTransport = (basics: TransportBasics) => Transport;

/** The transports that come with flowstate. Others may be added by whoever brings them. */
export const knownTransports = new KindRegistry<MakeTransport>('transport');

knownTransports.register({
  names: ['memory'],
  urlParts: { hosts: 'name', path: 'name' },
  read: (given) => ({
    name: given.text('name'),
    broker: given.object('broker', 'a MemoryBroker', (value) => value instanceof MemoryBroker),
  }),
  load: async () => {
    const { memoryTransport } = await import('./transports/memory/transport.js');
    return (options) => (basics) => memoryTransport(options, basics);
  },
});

knownTransports.register({
  names: ['filesystem', 'file'],
  urlParts: { path: 'path' },
  read: (given) => ({
    path: given.text('path'),
    dataFolderIn: given.text('dataFolderIn'),
    dataFolderOut: given.text('dataFolderOut'),
    pollingIntervalMs: given.number('pollingIntervalMs'),
    storeProcessed: given.flag('storeProcessed'),
    processedFolder: given.text('processedFolder'),
    controlFolder: given.text('controlFolder'),
    leaseMs: given.number('leaseMs'),
    synchronous: given.choice('synchronous', ['NORMAL', 'FULL']),
  }),
  load: async () => {
    const { filesystemTransport } = await import('./transports/filesystem/transport.js');
    return (options) => (basics) => filesystemTransport(options, basics);
  },
});

for (const name of ['redis', 'rediss'] as const) {
  knownTransports.register({
    names: [name],
    urlParts: SERVER_PARTS,
    read: (given) => {
      const tls = given.object('tls', 'true, or options of node:tls', isTls);
      return {
        ...readAddress(given),
        database: databaseNumber(withoutSlash(given.text('database'))),
        tls: tls ?? name === 'rediss',
        cluster: given.flag('cluster'),
        leaseMs: given.number('leaseMs'),
        answerTimeoutMs: given.number('answerTimeoutMs'),
        driverOptions: given.object('driverOptions', 'options of the driver', isObject),
      };
    },
    load: async () => {
      const { redisTransport } = await import('./transports/redis/transport.js');
      return (options) => (basics) => redisTransport(options, basics);
    },
  });
}

for (const name of ['amqp', 'amqps'] as const) {
  knownTransports.register({
    names: [name],
    urlParts: { hosts: 'hosts', path: 'vhost', user: 'user', password: 'password' },
    read: (given) => ({
      hosts: given.text('hosts'),
      port: given.number('port'),
      user: given.text('user'),
      password: given.secret('password'),
      vhost: withoutSlash(given.text('vhost')),
      tls: given.object('tls', 'true, or options of node:tls', isTls) ?? name === 'amqps',
      queueType: given.choice('queueType', ['quorum', 'classic']),
      deliveryLimit: given.number('deliveryLimit'),
      consumerTimeoutMs: given.number('consumerTimeoutMs'),
      heartbeatMs: given.number('heartbeatMs'),
      connectTimeoutMs: given.number('connectTimeoutMs'),
      driverOptions: given.object('driverOptions', 'options of the driver', isObject),
    }),
    load: async () => {
      const { amqpTransport } = await import('./transports/amqp/transport.js');
      return (options) => (basics) => amqpTransport(options, basics);
    },
  });
}

function isTls(value: unknown): value is boolean | object {
  return typeof value === 'boolean' || isObject(value);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function databaseNumber(text: string | undefined): number | undefined {
  if (text === undefined || /^\d+$/.test(text)) return text === undefined ? undefined : Number(text);
  throw new RangeError(`The option database of the redis transport takes a number from 0, got '${text}'`);
}

/** Which transport, and of which exchange. */
export interface TransportOptions {
  /** Such as `amqp://user:password@broker/`, `redis://cache:6379/1`, `filesystem:/var/queues` or `memory://name`. */
  readonly url?: string | undefined;
  /** The name of everything that belongs together at the broker. @default 'default' */
  readonly exchange?: string | undefined;
  /** The name of the transport, where no URL says it; `redis` and `amqp` go with URLs of `rediss` and `amqps` too. */
  readonly transport?: string | undefined;
  /** Options of the transport itself. They are stronger than those in the URL. */
  readonly transportOptions?: Readonly<Record<string, unknown>> | undefined;
  readonly retryOptions?: RetryOptions | undefined;
  readonly environment?: Environment | undefined;
  /** Where names are looked up. @default the transports that come with flowstate */
  readonly registry?: KindRegistry<MakeTransport> | undefined;
}

/**
 * Makes a transport by name or by URL. Nothing is connected before it is opened.
 *
 * @throws {NotFoundError} for a name that no transport has, and for a driver that is not installed.
 * @throws {RangeError} for a URL that cannot be taken apart, or is one of another transport than was named, and for options
 *   that are unknown or of no use.
 * @throws {TypeError} for neither a name nor a URL.
 * @see TaskFlow `engines/worker_based/proxy.py`, `Proxy`. Differs: unknown options do not pass.
 */
export async function transport({
  url,
  exchange = 'default',
  transport: kind,
  transportOptions = {},
  retryOptions,
  environment = systemEnvironment,
  registry = knownTransports,
}: TransportOptions): Promise<Transport> {
  if (exchange === '') throw new RangeError('The option exchange takes a name, got an empty one');
  const policy = new RetryPolicy(retryOptions);
  const make = await registry.make(textOf(url, kind, registry), transportOptions);
  return make({ exchange, policy, environment });
}

function textOf(url: string | undefined, kind: string | undefined, registry: KindRegistry<MakeTransport>): string {
  const text = url ?? kind;
  if (text === undefined)
    throw new TypeError(`A transport takes a url, or one of the names ${registry.names.join(', ')}`);
  if (url === undefined || kind === undefined) return text;
  const { name } = parseConnectionText(url);
  const known = registry.known(name);
  // A URL of the same transport over TLS has a name with an s: `rediss`, `amqps`.
  if (known === registry.known(kind) || known === registry.nameOf(`${kind}s`)) return text;
  throw new RangeError(`The transport '${kind}' takes a url of its own, got one that begins with '${name}:'`);
}
