import { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.js';
import { acking, Inbox, newName, text, textsOf } from '../../src/testing/transport-suite/suite.js';
import type { Link } from '../../src/workers/transport.js';
import { transport } from '../../src/workers/transport-registry.js';
import type { TransportOptions } from '../../src/workers/transport-registry.js';
import { newCertificate } from '../servers/certificates.js';
import { rabbitmq } from '../servers/rabbitmq.js';
import { OwnRedis, redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { TlsProxy } from '../servers/tls-proxy.js';

const certificate = newCertificate();
afterAll(() => certificate[Symbol.dispose]());
const { key, cert } = certificate;

const links: Link[] = [];
afterEach(async () => {
  for (const link of links.splice(0)) {
    await link.removeAll();
    await link.close();
  }
});

async function open(options: TransportOptions): Promise<Link> {
  const link = await (
    await transport({ exchange: newName('tls'), retryOptions: { maxRetries: 0 }, ...options })
  ).open();
  links.push(link);
  return link;
}

/** What comes of a message that is sent and taken. */
async function roundTrip(link: Link): Promise<string[]> {
  const inbox = new Inbox();
  await link.consume('payments', { prefetch: 1 }, acking(inbox));
  await link.send('payments', text('sealed'));
  await inbox.has(1);
  return textsOf(inbox.items);
}

/** The whole story of an error, as far as its messages tell it. */
async function storyOf(opening: Promise<Link>): Promise<string> {
  const story: string[] = [];
  let error: unknown = await opening.catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(TransportError);
  for (; error instanceof Error; error = error.cause) story.push(error.message);
  return story.join(' < ');
}

const STRANGER = /self-signed certificate|self signed certificate/;

const withTls = { ...redis, find: () => OwnRedis.start({ ...certificate, asksClients: true }) };

await describeWithServer(withTls, (url) => {
  describe('Redis over TLS', () => {
    const tls = { ca: cert, key, cert };

    it('carries messages, with options of node:tls as they are given', async () => {
      const made = await transport({ url, transportOptions: { tls } });
      expect(made.name).toBe(`${url}/0`);
      expect(await roundTrip(await open({ url, transportOptions: { tls } }))).toEqual(['sealed']);
    });

    it('is the same with the name redis, or with a redis URL and the option tls', async () => {
      const options = { transportOptions: { tls } };
      expect(await roundTrip(await open({ url, transport: 'redis', ...options }))).toEqual(['sealed']);
      expect(await roundTrip(await open({ url: url.replace('rediss', 'redis'), ...options }))).toEqual(['sealed']);
    });

    it('does not speak with a server that it does not know', async () => {
      expect(await storyOf(open({ url, transportOptions: { tls: { key, cert } } }))).toMatch(STRANGER);
    });

    it('is refused without the certificate that the server asks for', async () => {
      expect(await storyOf(open({ url, transportOptions: { tls: { ca: cert } } }))).toMatch(
        /certificate required|ECONNRESET|closed|no connection/i,
      );
    });

    it('is not spoken where the URL does not say so: that fails, and does not wait', async () => {
      await storyOf(open({ url: url.replace('rediss', 'redis') }));
    });
  });
});

await describeWithServer(redis, (url) => {
  describe('driverOptions of Redis', () => {
    it('reach the driver, and are stronger than the others', async () => {
      const connectionName = newName('named');
      const admin = new Redis(url);
      try {
        await open({ url, transportOptions: { driverOptions: { connectionName } } });
        expect(await admin.client('LIST')).toContain(`name=${connectionName} `);
      } finally {
        admin.disconnect();
      }
    });

    it('may say how the driver finds its server', async () => {
      const { hostname, port } = new URL(url);
      const driverOptions = { host: hostname, port: Number(port) };
      const link = await open({ url: 'redis://nowhere.invalid:1', transportOptions: { driverOptions } });
      expect(await roundTrip(link)).toEqual(['sealed']);
    });
  });
});

await describeWithServer(rabbitmq, async (url) => {
  const { port, username, password } = new URL(url);
  const proxy = await TlsProxy.to(Number(port), { key, cert });
  const strict = await TlsProxy.to(Number(port), { key, cert, ca: cert, requestCert: true });
  afterAll(() => {
    proxy.close();
    strict.close();
  });
  const through = ({ port: at }: TlsProxy, scheme = 'amqps') => `${scheme}://${username}:${password}@127.0.0.1:${at}`;

  describe('AMQP over TLS', () => {
    it('carries messages, with options of node:tls as they are given', async () => {
      const options = { url: through(proxy), transportOptions: { tls: { ca: cert, servername: 'localhost' } } };
      expect((await transport(options)).name).toBe(`amqps://127.0.0.1:${proxy.port}/`);
      expect(await roundTrip(await open(options))).toEqual(['sealed']);
      expect(proxy.names).toEqual(['localhost']);
    });

    it('is the same with the name amqp, or with an amqp URL and the option tls', async () => {
      const transportOptions = { tls: { ca: cert } };
      expect(await roundTrip(await open({ url: through(proxy), transport: 'amqp', transportOptions }))).toEqual([
        'sealed',
      ]);
      expect(await roundTrip(await open({ url: through(proxy, 'amqp'), transportOptions }))).toEqual(['sealed']);
    });

    it('does not speak with a server that it does not know', async () => {
      expect(await storyOf(open({ url: through(proxy) }))).toMatch(STRANGER);
      expect(await storyOf(open({ url: through(proxy, 'amqp'), transportOptions: { tls: true } }))).toMatch(STRANGER);
    });

    it('shows the certificate that a server asks for', async () => {
      const link = await open({ url: through(strict), transportOptions: { tls: { ca: cert, key, cert } } });
      expect(await roundTrip(link)).toEqual(['sealed']);
      await storyOf(open({ url: through(strict), transportOptions: { tls: { ca: cert } } }));
    });

    it('is not spoken where the URL does not say so: that fails, and does not wait', async () => {
      const transportOptions = { connectTimeoutMs: 500 };
      await storyOf(open({ url: through(proxy, 'amqp'), transportOptions }));
    });
  });
});
