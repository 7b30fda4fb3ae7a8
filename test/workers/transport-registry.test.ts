import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../src/environment.js';
import { NotFoundError, TransportError } from '../../src/errors.js';
import { newName, text } from '../../src/testing/transport-suite/suite.js';
import { RetryPolicy } from '../../src/workers/retry-policy.js';
import type { Transport } from '../../src/workers/transport.js';
import type { TransportBasics } from '../../src/workers/transport-basics.js';
import { knownTransports, transport } from '../../src/workers/transport-registry.js';
import type { TransportOptions } from '../../src/workers/transport-registry.js';
import { amqpTransport } from '../../src/workers/transports/amqp/transport.js';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { redisTransport } from '../../src/workers/transports/redis/transport.js';
import { rabbitmq } from '../servers/rabbitmq.js';
import { redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';

const basics: TransportBasics = {
  exchange: 'flowstate_test',
  policy: new RetryPolicy({ maxRetries: 0 }),
  environment: systemEnvironment,
};

/** All that anybody could read of an error, with its causes. */
async function whatIsSaid(making: Promise<Transport>): Promise<string> {
  const error: unknown = await making.then((made) => made.open()).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  return `${String(error)} ${inspect(error, { depth: Infinity, showHidden: true })}`;
}

/** The URL of a port at which nobody listens. */
async function nowhere(scheme: string): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `${scheme}://ann:secret@127.0.0.1:${port}`;
}

describe('a transport', () => {
  it.each([
    ['memory', 'memory://'],
    ['memory://shop', 'memory://shop'],
    ['memory:shop', 'memory://shop'],
    ['MEMORY://Shop', 'memory://Shop'],
    ['filesystem:queues', 'filesystem:queues'],
    ['filesystem:/var/queues?pollingIntervalMs=50', 'filesystem:/var/queues'],
    ['file:///var/my%20queues', 'filesystem:/var/my queues'],
    ['redis', 'redis://127.0.0.1:6379/0'],
    ['redis://ann:secret@cache:6380/2?leaseMs=500', 'redis://cache:6380/2'],
    ['redis://:secret@[::1]/', 'redis://[::1]:6379/0'],
    ['rediss://ann:secret@cache', 'rediss://cache:6379/0'],
    ['amqp', 'amqp://127.0.0.1:5672/'],
    ['amqp://ann:secret@broker/shop', 'amqp://broker:5672/shop'],
    ['amqp://ann:secret@broker//', 'amqp://broker:5672/'],
    ['amqp://ann:secret@one,two:5673/', 'amqp://one:5672,two:5673/'],
    ['amqp://ann:secret@[::1]:5673/', 'amqp://[::1]:5673/'],
    ['amqps://ann:secret@broker', 'amqps://broker:5671/'],
  ])('is made of the URL %o, and called by its address', async (url, name) => {
    expect((await transport({ url })).name).toBe(name);
  });

  it.each<[TransportOptions, string]>([
    [{ transport: 'memory', transportOptions: { name: 'shop' } }, 'memory://shop'],
    [{ transport: 'memory', transportOptions: { broker: new MemoryBroker() } }, 'memory://'],
    [{ transport: 'filesystem', transportOptions: { path: 'queues' } }, 'filesystem:queues'],
    [
      { transport: 'filesystem', transportOptions: { dataFolderIn: 'in', dataFolderOut: 'out' } },
      'filesystem:in (in), out (out)',
    ],
    [{ transport: 'redis', transportOptions: { host: 'cache', port: 6380 } }, 'redis://cache:6380/0'],
    [{ transport: 'redis', transportOptions: { tls: {} } }, 'rediss://127.0.0.1:6379/0'],
    [{ transport: 'amqp', transportOptions: { hosts: 'broker', vhost: 'shop' } }, 'amqp://broker:5672/shop'],
    [{ transport: 'amqp', transportOptions: { tls: true } }, 'amqps://127.0.0.1:5671/'],
  ])('is made of a name and options: %o', async (options, name) => {
    expect((await transport(options)).name).toBe(name);
  });

  it('takes options that are stronger than its URL', async () => {
    const made = await transport({ url: 'redis://cache:6380/1', transportOptions: { port: 6381, database: '2' } });
    expect(made.name).toBe('redis://cache:6381/2');
  });

  it.each([
    ['redis', 'redis://cache'],
    ['Redis', 'redis://cache'],
    ['redis', 'rediss://cache'],
    ['rediss', 'rediss://cache'],
    ['amqp', 'amqp://broker'],
    ['amqp', 'amqps://broker'],
    ['file', 'filesystem:queues'],
  ])('is %o with a URL that says the same: %o', async (kind, url) => {
    expect((await transport({ transport: kind, url })).name).toContain(url);
  });

  it('is added by whoever brings one', async () => {
    const registry = knownTransports.copy();
    const made: Transport = { name: 'pigeons', open: () => Promise.reject(new TransportError('none is here')) };
    registry.register({
      names: ['pigeon'],
      read: (given) => given.number('birds'),
      load: async () => () => () => made,
    });
    expect(await transport({ url: 'pigeon:?birds=3', registry })).toBe(made);
    expect(knownTransports.names).not.toContain('pigeon');
  });

  it.each<[TransportOptions, new (...args: never[]) => Error, RegExp]>([
    [{}, TypeError, /takes a url, or one of the names amqp, amqps, file, filesystem, memory, redis, rediss/],
    [{ url: 'rabit://broker' }, NotFoundError, /no transport named 'rabit', only amqp, /],
    [{ url: 'radis://cache' }, NotFoundError, /no transport named 'radis'.*did you mean 'redis'\?/],
    [{ transport: 'amp', url: 'amqp://broker' }, NotFoundError, /no transport named 'amp'.*did you mean 'amqp'\?/],
    [{ transport: 'amqp', url: 'redis://cache' }, RangeError, /'amqp' takes a url of its own, .* begins with 'redis:'/],
    [{ transport: 'rediss', url: 'redis://cache' }, RangeError, /'rediss' takes a url of its own/],
    [{ url: 'memory', exchange: '' }, RangeError, /option exchange takes a name, got an empty one/],
    [
      { url: 'redis://cache?leaseMS=1' },
      RangeError,
      /redis transport takes .*, got 'leaseMS'; did you mean 'leaseMs'\?/,
    ],
    [{ url: 'amqp://h?queuType=classic' }, RangeError, /amqp transport takes .*; did you mean 'queueType'\?/],
    [
      { url: 'amqp://h?queueType=stream' },
      RangeError,
      /queueType of the amqp transport takes quorum or classic, got 'str/,
    ],
    [{ url: 'filesystem:q?pollingIntervall=1' }, RangeError, /filesystem transport takes .*'pollingIntervalMs'\?/],
    [{ url: 'memory://a?brokr=1' }, RangeError, /memory transport takes the options name, broker, .*'broker'\?/],
    [
      { url: 'memory', transportOptions: { broker: {} } },
      RangeError,
      /broker .* takes a MemoryBroker.*, got an object/,
    ],
    [{ url: 'memory', transportOptions: { colour: 'red' } }, RangeError, /got 'colour'$/],
    [{ url: 'redis://cache/shop' }, RangeError, /database of the redis transport takes a number from 0, got 'shop'/],
    [
      { url: 'redis://cache?tls=true' },
      RangeError,
      /tls .* takes true, or options of node:tls, which a URL cannot hold/,
    ],
    [{ url: 'redis://one,two' }, RangeError, /option host takes one host, got 'one,two'/],
    [{ url: 'redis://h?leaseMs=0' }, RangeError, /leaseMs of the Redis transport takes milliseconds above 0, got 0/],
    [{ url: 'redis://h?answerTimeoutMs=-1' }, RangeError, /answerTimeoutMs of the Redis transport .*, got -1/],
    [{ url: 'filesystem:q?leaseMs=-1' }, RangeError, /leaseMs of the filesystem transport .* above 0, got -1/],
    [{ url: 'filesystem' }, TypeError, /takes a path, or the folders dataFolderIn and dataFolderOut/],
    [
      { url: 'amqp://h?deliveryLimit=0' },
      RangeError,
      /deliveryLimit of the AMQP transport takes a whole number .*, got 0/,
    ],
    [{ url: 'amqp://h?deliveryLimit=1.5' }, RangeError, /deliveryLimit .* takes a whole number from 1, got 1.5/],
    [
      { url: 'amqp://h?consumerTimeoutMs=0.5' },
      RangeError,
      /consumerTimeoutMs .* takes a whole number from 1, got 0.5/,
    ],
    [
      { url: 'amqp://h?heartbeatMs=-5' },
      RangeError,
      /heartbeatMs of the AMQP transport takes milliseconds above 0, got -5/,
    ],
    [{ url: 'amqp://[::1],two' }, RangeError, /hosts of the AMQP transport takes names or IPv4 .*, got \[::1\]:5672/],
  ])('refuses %o', async (options, type, message) => {
    const made = transport(options);
    await expect(made).rejects.toThrow(type);
    await expect(made).rejects.toThrow(message);
  });

  it.each<[NonNullable<TransportOptions['retryOptions']>, RegExp]>([
    [{ maxRetries: -1 }, /maxRetries of retryOptions takes a whole number from 0, or null, got -1/],
    [{ maxRetries: 1.5 }, /maxRetries .* got 1.5/],
    [{ intervalStartMs: -1 }, /intervalStartMs of retryOptions takes milliseconds from 0, got -1/],
    [{ intervalStepMs: NaN }, /intervalStepMs .* got NaN/],
    [{ intervalMaxMs: Infinity }, /intervalMaxMs .* got Infinity/],
    [{ maxRetry: 3 } as object, /retryOptions takes .*, got 'maxRetry'; did you mean 'maxRetries'\?/],
  ])('refuses retryOptions %o, whichever it is', async (retryOptions, message) => {
    for (const url of ['memory', 'filesystem:queues', 'redis', 'amqp']) {
      const made = transport({ url, retryOptions });
      await expect(made).rejects.toThrow(RangeError);
      await expect(made).rejects.toThrow(message);
    }
  });

  it.each([
    ['Redis', 'ioredis', redisTransport],
    ['AMQP', 'rabbitmq-client', amqpTransport],
  ])('over %s names the package that is missing when it is opened', async (what, name, make) => {
    const importDriver = () => Promise.reject(new Error(`Cannot find package '${name}'`));
    const opening = make({ importDriver }, basics).open();
    await expect(opening).rejects.toThrow(NotFoundError);
    await expect(opening).rejects.toThrow(`The ${what} transport needs the package ${name}: npm install ${name}`);
  });

  it('does not load a driver, nor connect, before it is opened', async () => {
    const importDriver = () => Promise.reject(new Error('it was asked for'));
    expect(redisTransport({ importDriver }, basics).name).toBe('redis://127.0.0.1:6379/0');
    expect(amqpTransport({ importDriver }, basics).name).toBe('amqp://127.0.0.1:5672/');
  });
});

describe('a password', () => {
  const none = { maxRetries: 0 } as const;

  it.each(['redis', 'rediss', 'amqp', 'amqps'])(
    'is not in what is said of %s that cannot be reached',
    async (scheme) => {
      const said = await whatIsSaid(transport({ url: await nowhere(scheme), retryOptions: none }));
      expect(said).toMatch(/TransportError: .*cannot be reached/);
      expect(said).toContain('ECONNREFUSED');
      expect(said).not.toMatch(/secret|\bann\b/);
    },
  );

  it.each([
    'redis://ann:se/cret@cache:6379',
    'amqp://ann:se?cret@broker',
    'amqp://ann:secret@bro ker',
    'redis://ann:secret@one:port',
    'memory://ann:secret@shop',
    'filesystem://ann:secret@/var/queues',
    'redis://ann:secret@cache/0?password=secret',
    'amqp://ann:%zzsecret@broker',
  ])('is not in what is said of the URL %o', async (url) => {
    expect(await whatIsSaid(transport({ url }))).not.toMatch(/ann:|secret|[^a-z]se[^a-z]|cret/);
  });

  it.each(['redis', 'amqp'])('is not in what is said of one that %s cannot take', async (url) => {
    const said = await whatIsSaid(transport({ url, transportOptions: { password: 20_482_048 } }));
    expect(said).toContain(`The option password of the ${url} transport takes text, got a number`);
    expect(said).not.toContain('2048');
  });
});

await describeWithServer(redis, (url) => {
  it('Redis refuses a password that is wrong, and nobody repeats it', async () => {
    const given = new URL(url);
    [given.username, given.password] = ['ann', 'secret'];
    const said = await whatIsSaid(transport({ url: given.href, retryOptions: { maxRetries: 0 } }));
    expect(said).toMatch(/TransportError: redis:.*WRONGPASS/s);
    expect(said).not.toMatch(/secret|\bann\b/);
  });
});

await describeWithServer(rabbitmq, (url) => {
  it('RabbitMQ refuses a password that is wrong, and nobody repeats it', async () => {
    const given = new URL(url);
    given.password = 'secret';
    const said = await whatIsSaid(transport({ url: given.href, retryOptions: { maxRetries: 0 } }));
    expect(said).toMatch(/TransportError: amqp:.*ACCESS_REFUSED/s);
    expect(said).not.toContain('secret');
  });

  it('RabbitMQ has no vhost of a name that nobody made', async () => {
    const made = transport({ url: new URL('/flowstate_test_none', url).href, retryOptions: { maxRetries: 0 } });
    expect(await whatIsSaid(made)).toMatch(/TransportError: amqp:.*NOT_ALLOWED.*flowstate_test_none/s);
  });
});

describe('brokers in memory', () => {
  it('are one for all who give a name, and others for others', async () => {
    const [name, other] = [newName('memory'), newName('memory')];
    const open = async (at: string, exchange = 'shop') => (await transport({ url: `memory://${at}`, exchange })).open();
    const links = [await open(name), await open(name), await open(other), await open(name, 'other')];
    const heard: number[] = [];
    for (const [index, link] of links.entries()) {
      await link.listen('room', () => heard.push(index));
    }
    await links[0]?.announce('room', text('x'));
    await systemEnvironment.clock.yield();
    await systemEnvironment.clock.yield();
    expect(heard).toEqual([0, 1]);
    for (const link of links) await link.close();
  });
});
