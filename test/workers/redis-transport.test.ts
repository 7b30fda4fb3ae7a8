import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.js';
import { plainName } from '../../src/safe-name.js';
import { acking, Inbox, text, textOf, textsFrom, textsOf, until } from '../../src/testing/transport-suite/suite.js';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import { transport } from '../../src/workers/transport-registry.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { Proxy } from '../servers/proxy.js';
import { OwnRedis, redis as server } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { ChildConsumer } from './child-consumer.js';
import { newsOf, SOON, testLinks } from './links.js';

await describeWithServer(server, async (url) => {
  const admin = new Redis(url);
  const proxy = await Proxy.to(Number(new URL(url).port));
  afterAll(() => {
    admin.disconnect();
    proxy.close();
  });
  const leftovers = (exchange: string) => admin.keys(`flowstate:{${plainName(exchange)}}:*`);

  transportSuite({
    name: 'Redis',
    transport: (exchange) => transport({ url: `redis://127.0.0.1:${proxy.port}`, exchange, retryOptions: SOON }),
    interrupt: () => proxy.cutAll(),
    keepsOverCuts: true,
    outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
    leftovers,
    describe,
    it,
  });

  describe('messages in Redis', () => {
    const links = testLinks({ url });
    const port = () => new URL(url).port;
    const open = (transportOptions: Record<string, unknown> = {}) => links.open({ transportOptions });
    const keyOf = (topic: string) => `flowstate:{${links.exchange}}:queue:${topic}`;

    it('are gone when they are dealt with: a stream does not grow', async () => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 10 }, acking(inbox));
      for (const each of textsFrom(50)) await link.send('payments', text(each));
      await inbox.has(50);
      const key = keyOf('payments');
      await until(async () => (await admin.xlen(key)) === 0);
      expect(await admin.xpending(key, 'consumers')).toEqual([0, null, null, null]);
    });

    it('in a mailbox are gone soon after, and before their reader has left', async () => {
      const link = await open();
      const inbox = new Inbox();
      const mailbox = { prefetch: 100, expiryMs: 60_000 };
      const consumer = await link.receive('answers', mailbox, acking(inbox));
      const key = `flowstate:{${links.exchange}}:mailbox:answers`;
      for (const each of textsFrom(10)) await link.post('answers', text(each));
      await until(async () => (await admin.xlen(key)) === 0);
      expect(textsOf(inbox.items)).toEqual(textsFrom(10));
      for (const each of textsFrom(10)) await link.post('answers', text(each));
      await inbox.has(20);
      await consumer.stop();
      expect(await admin.xlen(key)).toBe(0);
    });

    it('are removed, whenever the connection is cut', async () => {
      const exchange = 'cut_while_removed';
      const made = await transport({ url: `redis://127.0.0.1:${proxy.port}`, exchange, retryOptions: SOON });
      const link = await made.open();
      for (let turns = 0; turns < 20; turns++) {
        await link.send('payments', text('one'));
        proxy.cutAll();
        for (let turn = 0; turn < turns % 5; turn++) await new Promise(setImmediate);
        await link.removeAll();
        expect(await leftovers(exchange)).toEqual([]);
      }
      await link.close();
    });

    it('leave no consumer behind', async () => {
      const link = await open();
      const inbox = new Inbox();
      const consumer = await link.consume('payments', { prefetch: 1 }, inbox.take);
      await link.send('payments', text('one'));
      await (await inbox.next()).ack();
      const key = keyOf('payments');
      await consumer.stop();
      expect(await admin.call('XINFO', 'CONSUMERS', key, 'consumers')).toEqual([]);
    });

    it('are given to others that come in a form that is none: as dead letters', async () => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 1 }, inbox.take);
      await admin.xadd(keyOf('payments'), '*', 'body', 'foreign');
      await admin.xadd(keyOf('payments'), '*', 'amount', '7', 'to', 'Ann');
      await link.send('payments', text('whole'));
      expect(textOf((await inbox.next()).message)).toBe('whole');
      expect((await link.deadLetters()).map(({ reason, message }) => [reason, textOf(message)])).toEqual([
        ['it is no message', 'foreign'],
        ['it is no message', 'amount: 7\nto: Ann\n'],
      ]);
    });

    it('count when others wrote them, from one on, whatever they say of that and beside it', async () => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 1 }, inbox.take);
      const fields = ['properties', '{"type":"NOTE"}', 'body', 'foreign'];
      // More than a script can take as arguments.
      const more = Array.from({ length: 9000 }, (_, index) => [`more ${index}`, 'x']).flat();
      await admin.xadd(keyOf('payments'), '*', ...fields, 'deliveries', '-7', ...more);
      await admin.xadd(keyOf('payments'), '*', ...fields);
      const counts = [];
      for (let time = 0; time < 4; time++) {
        const delivery = await inbox.next();
        counts.push([delivery.deliveries, textOf(delivery.message)]);
        await delivery.release();
      }
      expect(counts).toEqual([
        [1, 'foreign'],
        [1, 'foreign'],
        [2, 'foreign'],
        [2, 'foreign'],
      ]);
    });

    it('stay with whoever shows that it is alive, however long it takes', async () => {
      const [slow, other] = [await open({ leaseMs: 60 }), await open({ leaseMs: 60 })];
      const [slowly, others] = [new Inbox(), new Inbox()];
      await slow.consume('payments', { prefetch: 1 }, slowly.take);
      await other.send('payments', text('long'));
      const long = await slowly.next();
      await other.consume('payments', { prefetch: 5 }, acking(others));
      const key = keyOf('payments');
      const idle = async () => Number(((await admin.xpending(key, 'consumers', '-', '+', 1)) as [unknown[]])[0][2]);
      // It was kept several times: idle for nearly a third of the lease, and for nothing again.
      for (let time = 0; time < 5; time++) {
        await until(async () => (await idle()) > 15);
        await until(async () => (await idle()) <= 15);
      }
      expect(others.items).toEqual([]);
      await long.ack();
      await until(async () => (await admin.xlen(key)) === 0);
    });

    it('name neither user nor password when they cannot be sent', async () => {
      const made = await transport({ url: `redis://ann:secret@127.0.0.1:${port()}/3`, retryOptions: SOON });
      expect(made.name).toBe(`redis://127.0.0.1:${port()}/3`);
      const error: unknown = await made.open().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(TransportError);
      expect(String(error)).not.toMatch(/ann:|secret/);
    });
  });
});

let own: OwnRedis | null = null;
const ownServer = { ...server, find: async () => (own = await OwnRedis.start()) };

await describeWithServer(ownServer, () => {
  const theServer = () => {
    if (own === null) throw new Error('there is none');
    return own;
  };
  let sources: CompiledSources;
  const children: ChildConsumer[] = [];
  const links = testLinks({ exchange: 'own' });
  beforeAll(() => {
    sources = compileSources();
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.kill();
  });
  afterAll(() => sources[Symbol.dispose]());

  const open = (url: string, exchange: string, options: object = {}) =>
    links.open({ url, exchange, retryOptions: { ...SOON, ...options } });

  describe('a Redis server of our own', () => {
    it('that is killed and starts again has lost nothing that it took', { timeout: 60_000 }, async () => {
      const server = theServer();
      const sender = await open(server.url, 'killed', { maxRetries: null });
      const reader = await open(server.url, 'killed');
      const inbox = new Inbox();
      await reader.consume('payments', { prefetch: 10 }, acking(inbox));
      const sent = textsFrom(300);
      const sending = (async () => {
        for (const each of sent) await sender.send('payments', text(each));
      })();
      for (const limit of [50, 150]) {
        await inbox.has(limit);
        await server.crash();
        await server.restart();
      }
      await sending;
      const seen = () => new Set(textsOf(inbox.items));
      await until(() => seen().size === sent.length);
      expect([...seen()].toSorted()).toEqual(sent.toSorted());
    });

    it('gives what a killed process had to another', { timeout: 60_000 }, async () => {
      const url = `${theServer().url}?leaseMs=500`;
      const link = await open(url, 'dying');
      for (const each of textsFrom(2)) await link.send('payments', text(each));
      const dying = ChildConsumer.start(sources, url, 'dying', 'payments');
      children.push(dying);
      await until(() => dying.got.length === 3);
      await dying.kill();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 10 }, acking(inbox));
      await inbox.has(2);
      expect(inbox.items.map(({ message, deliveries }) => [textOf(message), deliveries])).toEqual([
        ['message 0', 2],
        ['message 1', 2],
      ]);
    });

    it('that does not answer any more is left for a new connection', { timeout: 60_000 }, async () => {
      const proxy = await Proxy.to(theServer().port);
      const url = `redis://127.0.0.1:${proxy.port}?answerTimeoutMs=200`;
      const link = await open(url, 'stalled', { maxRetries: null });
      const news = newsOf(link);
      await link.send('payments', text('before'));
      proxy.stall();
      await link.send('payments', text('after'));
      expect(news).toEqual([false, true]);
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 10 }, acking(inbox));
      await inbox.has(2);
      // The one that had no answer may have come, and is sent again.
      expect([...new Set(textsOf(inbox.items))]).toEqual(['before', 'after']);
      await link.close();
      proxy.close();
    });
  });
});
