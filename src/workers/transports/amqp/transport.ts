import { importPackage, loadDriver } from '../../../driver-package.js';
import type { ImportDriver } from '../../../driver-package.js';
import type { Transport } from '../../transport.js';
import { positiveMs } from '../../transport-basics.js';
import type { TransportBasics } from '../../transport-basics.js';
import type { AmqpConnection } from './driver.js';
import { AmqpLink } from './link.js';

export interface AmqpTransportOptions {
  /** One, or several of a cluster, separated by commas; each may have a port. @default '127.0.0.1' */
  readonly hosts?: string | undefined;
  /** @default 5672, with TLS 5671 */
  readonly port?: number | undefined;
  /** @default 'guest' */
  readonly user?: string | undefined;
  /** @default 'guest' */
  readonly password?: string | undefined;
  /** @default '/' */
  readonly vhost?: string | undefined;
  /** True, or the options of node:tls, for a connection with TLS. */
  readonly tls?: boolean | object | undefined;
  /** The type of the queues of topics. Only quorum queues are replicated, and only they count deliveries exactly. @default 'quorum' */
  readonly queueType?: 'quorum' | 'classic' | undefined;
  /** After how many deliveries a quorum queue makes a message a dead letter by itself. @default 20 */
  readonly deliveryLimit?: number | undefined;
  /**
   * How long, in milliseconds, a consumer may take for its answer before the broker closes its channel. RabbitMQ heeds it
   * from 3.12 on; before, its setting `consumer_timeout` counts. @default as the broker is set up: half an hour
   */
  readonly consumerTimeoutMs?: number | undefined;
  /** How often both sides show that they are there, in milliseconds; a part of a second counts as a whole one. @default 10000 */
  readonly heartbeatMs?: number | undefined;
  /** How long it may take to connect, in milliseconds. @default 10000 */
  readonly connectTimeoutMs?: number | undefined;
  /** Further options of the driver. They are stronger than those above. */
  readonly driverOptions?: object | undefined;
  /** How the package of the driver is imported. @default import() */
  readonly importDriver?: ImportDriver | undefined;
}

const OWNER = 'the AMQP transport';
const DEFAULT_HOST = '127.0.0.1';
const DEFAULT_PORT = 5672;
const DEFAULT_TLS_PORT = 5671;
const DEFAULT_DELIVERY_LIMIT = 20;
const DEFAULT_HEARTBEAT_MS = 10_000;
const DEFAULT_CONNECT_MS = 10_000;
/** As large as the broker lets them be, which is 128 KiB by default: the properties of a message are in one. */
const FRAME_BYTES = 131_072;
/** Far along in the pauses between retries. */
const LATE = 1000;

/**
 * A transport over a broker that speaks AMQP 0-9-1, such as RabbitMQ (3.10 on).
 *
 * Needs the package `rabbitmq-client`. Queues are durable, messages persistent, and each is confirmed by the broker.
 *
 * @throws {RangeError} for a number or a time that is none.
 */
export function amqpTransport(options: AmqpTransportOptions, basics: TransportBasics): Transport {
  const { hosts = DEFAULT_HOST, user = 'guest', password = 'guest', vhost = '/', tls = false } = options;
  const { port = tls === false ? DEFAULT_PORT : DEFAULT_TLS_PORT, importDriver = importPackage } = options;
  const { queueType = 'quorum', deliveryLimit = DEFAULT_DELIVERY_LIMIT, consumerTimeoutMs } = options;
  const addresses = hosts.split(',').map((host) => (/:\d+$/.test(host) ? host : `${host}:${port}`));
  const placing = placeOf(addresses);
  const name = `${tls === false ? 'amqp' : 'amqps'}://${addresses.join(',')}/${vhost === '/' ? '' : vhost}`;
  const { policy } = basics;
  const connectionOptions = {
    ...placing,
    username: user,
    password,
    vhost,
    ...(tls === false ? {} : { tls }),
    connectionName: `flowstate ${basics.exchange}`,
    heartbeat: Math.ceil(positiveMs(OWNER, 'heartbeatMs', options.heartbeatMs ?? DEFAULT_HEARTBEAT_MS) / 1000),
    connectionTimeout: positiveMs(OWNER, 'connectTimeoutMs', options.connectTimeoutMs ?? DEFAULT_CONNECT_MS),
    retryLow: Math.max(1, policy.delayMs(0)),
    retryHigh: Math.max(1, policy.delayMs(LATE)),
    frameMax: FRAME_BYTES,
    // Without it each small message waits for the acknowledgement of the one before, 40 ms on many systems.
    noDelay: true,
    ...options.driverOptions,
  };
  const settings = {
    queueType,
    deliveryLimit: wholeNumber('deliveryLimit', deliveryLimit),
    consumerTimeoutMs:
      consumerTimeoutMs === undefined ? undefined : wholeNumber('consumerTimeoutMs', consumerTimeoutMs),
  };
  return {
    name,
    async open() {
      const driver = await loadDriver('The AMQP transport', ['rabbitmq-client'], importDriver, connectionIn);
      const link = new AmqpLink({ ...basics, ...settings, name, connect: () => new driver(connectionOptions) });
      await link.start();
      return link;
    },
  };
}

/** The driver takes a list apart at colons, and one address as it is. */
function placeOf(addresses: readonly string[]): object {
  const [first = '', ...others] = addresses;
  const [, hostname, port] = /^\[(.*)\]:(\d+)$/.exec(first) ?? [];
  if (hostname !== undefined && others.length === 0) return { hostname, port };
  const bad = addresses.find((address) => address.startsWith('['));
  if (bad === undefined) return { hosts: addresses };
  throw new RangeError(`The option hosts of the AMQP transport takes names or IPv4 addresses in a list, got ${bad}`);
}

type NewConnection = new (options: object) => AmqpConnection;

function connectionIn(imported: object): NewConnection | null {
  // It is the default of the package, too: which of the two is found depends on who loads it.
  const found = 'Connection' in imported ? imported.Connection : imported;
  return isNewConnection(found) ? found : null;
}

function isNewConnection(value: unknown): value is NewConnection {
  return typeof value === 'function';
}

function wholeNumber(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new RangeError(`The option ${name} of the AMQP transport takes a whole number from 1, got ${value}`);
}
