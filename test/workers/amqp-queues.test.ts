import { Connection } from 'rabbitmq-client';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../src/environment.js';
import { TransportError } from '../../src/errors.js';
import {
  acking,
  Inbox,
  LONG_MS,
  newName,
  text,
  textOf,
  textsFrom,
  textsOf,
  until,
} from '../../src/testing/transport-suite/suite.js';
import { RetryPolicy } from '../../src/workers/retry-policy.js';
import type { Message } from '../../src/workers/transport.js';
import { amqpTransport } from '../../src/workers/transports/amqp/transport.js';
import type { AmqpTransportOptions } from '../../src/workers/transports/amqp/transport.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { Proxy } from '../servers/proxy.js';
import { rabbitmq as server } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { AmqpAdmin } from './amqp-admin.js';
import { ChildConsumer } from './child-consumer.js';
import { newsOf, testLinks } from './links.js';

await describeWithServer(server, async (url) => {
  const admin = AmqpAdmin.to(url);
  const asked = admin.ask.bind(admin);
  const messagesIn = admin.messagesIn.bind(admin);
  const links = testLinks({ url });
  const proxies: Proxy[] = [];
  afterEach(() => {
    for (const proxy of proxies.splice(0)) proxy.close();
  });
  const open = (transportOptions: Record<string, unknown> = {}, at = url) => links.open({ url: at, transportOptions });
  const queue = (name: string) => `flowstate.${links.exchange}.queue.${name}`;
  const mailbox = (name: string) => `flowstate.${links.exchange}.mailbox.${name}`;

  describe('messages in RabbitMQ', () => {
    it('are with the broker when their sender is told so, and gone when they are dealt with', async () => {
      const link = await open();
      for (const each of textsFrom(20)) await link.send('payments', text(each));
      expect(await messagesIn(queue('payments'))).toBe(20);
      const inbox = new Inbox();
      const consumer = await link.consume('payments', { prefetch: 5 }, acking(inbox));
      await inbox.has(20);
      await consumer.stop();
      await until(async () => (await messagesIn(queue('payments'))) === 0);
    });

    it('become dead letters when the broker has given them as often as it may', async () => {
      const link = await open({ deliveryLimit: 3 });
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 1 }, (delivery) => {
        inbox.take(delivery);
        void delivery.release();
      });
      const sent: Message = { properties: { type: 'T', correlationId: 'c' }, body: Buffer.from('poison') };
      await link.send('payments', sent);
      await until(async () => (await link.deadLetters()).length === 1);
      expect(inbox.items.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3]);
      const [letter] = await link.deadLetters();
      expect(letter).toMatchObject({ kind: 'queue', place: 'payments', deliveries: 3, message: sent });
      expect(letter?.reason).toBe('the broker gave it up: delivery_limit');
      expect((await (await open()).deadLetters())[0]).toEqual(letter);
      expect(await link.requeueDeadLetters([letter?.id ?? ''])).toBe(1);
      await until(async () => (await link.deadLetters()).length === 1);
      expect(inbox.items.map(({ deliveries }) => deliveries)).toEqual([1, 2, 3, 1, 2, 3]);
    });

    it.each([1, 2])('are given up by the broker after so many deliveries: %i', async (deliveryLimit) => {
      const link = await open({ deliveryLimit });
      await link.consume('payments', { prefetch: 1 }, (delivery) => void delivery.release());
      await link.send('payments', text('poison'));
      await until(async () => (await link.deadLetters()).length === 1);
      expect((await link.deadLetters()).map(({ deliveries }) => deliveries)).toEqual([deliveryLimit]);
    });

    it('are given to others, counted, when a process that had them is killed', { timeout: 60_000 }, async () => {
      const sources: CompiledSources = compileSources();
      const link = await open();
      for (const each of textsFrom(3)) await link.send('payments', text(each));
      const dying = ChildConsumer.start(sources, url, links.exchange, 'payments');
      try {
        await until(() => dying.got.length === 4);
      } finally {
        await dying.kill();
        sources[Symbol.dispose]();
      }
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 10 }, acking(inbox));
      await inbox.has(3);
      expect(inbox.items.map(({ message, deliveries }) => [textOf(message), deliveries]).toSorted()).toEqual([
        ['message 0', 2],
        ['message 1', 2],
        ['message 2', 2],
      ]);
    });
  });

  describe('classic queues', () => {
    const classic = { queueType: 'classic' } as const;

    it('are what they are asked to be', async () => {
      const link = await open(classic);
      await link.send('payments', text('x'));
      const declare = (type: 'classic' | 'quorum') =>
        asked(async (channel) => {
          const args = { 'x-queue-type': type, 'x-dead-letter-exchange': `flowstate.${links.exchange}.dead` };
          return (await channel.queueDeclare({ queue: queue('payments'), durable: true, arguments: args }))
            .messageCount;
        });
      expect([await declare('classic'), await declare('quorum')]).toEqual([1, 'PRECONDITION_FAILED']);
    });

    it('count what was released, and say 2 of what was lost with a connection', async () => {
      const [one, other] = [await open(classic), await open(classic)];
      const [lost, inbox] = [new Inbox(), new Inbox()];
      await one.consume('payments', { prefetch: 1 }, lost.take);
      await one.send('payments', text('x'));
      for (let time = 1; time <= 4; time++) {
        const delivery = await lost.next();
        expect(delivery.deliveries).toBe(time);
        await delivery.release();
      }
      expect((await lost.next()).deliveries).toBe(5);
      await one.close();
      await other.consume('payments', { prefetch: 1 }, inbox.take);
      expect((await inbox.next()).deliveries).toBe(6);
    });

    it('know no limit of deliveries', async () => {
      const link = await open({ ...classic, deliveryLimit: 1 });
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 1 }, inbox.take);
      await link.send('payments', text('x'));
      for (let time = 0; time < 5; time++) await (await inbox.next()).release();
      expect(await link.deadLetters()).toEqual([]);
    });

    it('are no quorum queues: whoever wants one is refused, and is told why', async () => {
      await (await open(classic)).send('payments', text('x'));
      const sending = (await open()).send('payments', text('x'));
      await expect(sending).rejects.toThrow(TransportError);
      await expect(sending).rejects.toThrow(/refused: .*PRECONDITION_FAILED.*x-queue-type/);
    });
  });

  describe('what the broker closes', () => {
    it('is opened again: a channel to publish on, whose exchange was removed', async () => {
      const link = await open();
      const [inbox, box, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      await link.receive('box', { prefetch: 5, expiryMs: LONG_MS }, acking(box));
      await link.listen('room', room.take);
      await link.send('payments', text('before'));
      const news = newsOf(link);
      await asked((channel) => channel.exchangeDelete({ exchange: `flowstate.${links.exchange}` }));
      await link.send('payments', text('after'));
      await inbox.has(2);
      expect(textsOf(inbox.items)).toEqual(['before', 'after']);
      await until(() => news.length >= 2);
      expect(news).toEqual([false, true]);
    });

    it('is opened again: a consumer, whose queue was removed', async () => {
      const link = await open();
      const inbox = new Inbox();
      const news = newsOf(link);
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      await asked((channel) => channel.queueDelete(queue('payments')));
      await until(() => news.length === 2);
      await link.send('payments', text('after'));
      await inbox.has(1);
      expect([news, textsOf(inbox.items)]).toEqual([[false, true], ['after']]);
    });

    it('is opened again: a reader, whose mailbox was removed', async () => {
      const [link, other] = [await open(), await open()];
      const inbox = new Inbox();
      const news = newsOf(link);
      await link.receive('box', { prefetch: 5, expiryMs: LONG_MS }, acking(inbox));
      await asked((channel) => channel.queueDelete(mailbox('box')));
      await until(() => news.length === 2);
      expect(await other.post('box', text('after'))).toBe(true);
      await inbox.has(1);
      expect(textsOf(inbox.items)).toEqual(['after']);
    });

    it('takes nothing else with it: a channel on which something was refused', async () => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 5 }, inbox.take);
      await link.send('payments', text('had'));
      const had = await inbox.next();
      const news = newsOf(link);
      await asked((channel) => channel.queueDeclare({ queue: queue('taken'), durable: true }));
      await expect(link.send('taken', text('x'))).rejects.toThrow(/refused: .*PRECONDITION_FAILED/);
      await had.ack();
      await link.send('payments', text('next'));
      expect(textOf((await inbox.next()).message)).toBe('next');
      expect(news).toEqual([]);
      await asked((channel) => channel.queueDelete(queue('taken')));
    });

    it('is found out where nothing is said: a line that is dead', { timeout: 60_000 }, async () => {
      const { port, username, password } = new URL(url);
      const proxy = await Proxy.to(Number(port));
      proxies.push(proxy);
      const link = await open({ heartbeatMs: 1000 }, `amqp://${username}:${password}@127.0.0.1:${proxy.port}`);
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      const news = newsOf(link);
      proxy.stall();
      await until(() => news.length === 2);
      await link.send('payments', text('after'));
      await inbox.has(1);
      expect([news, textsOf(inbox.items)]).toEqual([[false, true], ['after']]);
    });
  });

  describe('what an exchange has', () => {
    it('is removed, whoever made it, and no more than that', async () => {
      const [link, tooling] = [await open(), await open()];
      const other = newName('other');
      const otherLink = await links.open({ exchange: other });
      await otherLink.send('payments', text('kept'));
      for (const topic of ['payments', 'a topic of "any" name \u{1f642}', 'x'.repeat(400)]) {
        await link.send(topic, text('x'));
      }
      const inbox = new Inbox();
      await link.consume('dead', { prefetch: 1 }, inbox.take);
      await link.send('dead', text('x'));
      await (await inbox.next()).reject('bad');
      await link.close();
      const names = ['', '.rooms', '.dead'].map((end) => `flowstate.${links.exchange}${end}`);
      const queues = [
        queue('payments'),
        queue('dead'),
        `flowstate.${links.exchange}.dead`,
        `flowstate.${links.exchange}.made`,
      ];
      const there = async () => [
        ...(await Promise.all(queues.map(messagesIn))),
        ...(await Promise.all(
          names.map((name) => asked((channel) => channel.exchangeDeclare({ exchange: name, passive: true }))),
        )),
      ];
      expect(await there()).toEqual([1, 0, 1, expect.any(Number), undefined, undefined, undefined]);
      await tooling.removeAll();
      expect(new Set(await there())).toEqual(new Set(['NOT_FOUND']));
      expect(await messagesIn(`flowstate.${other}.queue.payments`)).toBe(1);
      await otherLink.removeAll();
      await otherLink.close();
    });

    it('may be removed twice, and is made again by whoever needs it', async () => {
      const link = await open();
      await link.send('payments', text('x'));
      await link.removeAll();
      await link.removeAll();
      const [inbox, box, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
      await link.listen('room', room.take);
      await link.removeAll();
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, acking(box));
      await link.removeAll();
      await link.consume('payments', { prefetch: 1 }, acking(inbox));
      await link.send('payments', text('again'));
      await inbox.has(1);
      expect(textsOf(inbox.items)).toEqual(['again']);
      await link.removeAll();
      expect(await messagesIn(queue('payments'))).toBe('NOT_FOUND');
    });

    it('is made again by those who are using it when another removes it', async () => {
      const [link, tooling] = [await open(), await open()];
      const [inbox, box] = [new Inbox(), new Inbox()];
      await link.consume('payments', { prefetch: 1 }, acking(inbox));
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, acking(box));
      const news = newsOf(link);
      await tooling.removeAll();
      await until(() => news.length >= 2 && news.at(-1) === true);
      await tooling.send('payments', text('again'));
      await inbox.has(1);
      await until(() => tooling.post('box', text('again')));
      await box.has(1);
      await tooling.removeAll();
    });
  });

  describe('options', () => {
    const seen: Record<string, unknown>[] = [];
    class SeenConnection extends Connection {
      constructor(options: Record<string, unknown>) {
        seen.push(options);
        super(options);
      }
    }
    beforeAll(() => {
      seen.length = 0;
    });

    async function openSeen(options: AmqpTransportOptions): Promise<Record<string, unknown>> {
      const policy = new RetryPolicy({ intervalStartMs: 70, intervalStepMs: 10, intervalMaxMs: 90 });
      const importDriver = () => Promise.resolve({ Connection: SeenConnection });
      const link = await amqpTransport(
        { ...serverAt(url), ...options, importDriver },
        { exchange: links.exchange, policy, environment: systemEnvironment },
      ).open();
      links.add(link);
      const [last = {}] = seen.slice(-1);
      return last;
    }

    it('say where and who, how often signs are given, and how soon it is tried again', async () => {
      const { port } = new URL(url);
      expect(await openSeen({ heartbeatMs: 7000, connectTimeoutMs: 1234 })).toMatchObject({
        hosts: [`127.0.0.1:${port}`],
        vhost: '/',
        heartbeat: 7,
        connectionTimeout: 1234,
        retryLow: 70,
        retryHigh: 90,
        noDelay: true,
        connectionName: `flowstate ${links.exchange}`,
      });
      expect(seen.at(-1)).not.toHaveProperty('tls');
    });

    it('are made stronger by those of the driver', async () => {
      const driverOptions = { connectionName: 'mine', maxChannels: 12 };
      expect(await openSeen({ driverOptions })).toMatchObject(driverOptions);
    });

    it('give signs each second at the most', async () => {
      expect(await openSeen({ heartbeatMs: 20 })).toMatchObject({ heartbeat: 1 });
    });

    it('make queues with a limit of deliveries, and of time where that is given', async () => {
      const link = await open({ deliveryLimit: 7, consumerTimeoutMs: 3_600_000 });
      await link.send('payments', text('x'));
      const declare = (limit: number) =>
        asked(async (channel) => {
          const args = {
            'x-queue-type': 'quorum',
            'x-dead-letter-exchange': `flowstate.${links.exchange}.dead`,
            'x-delivery-limit': limit,
            'x-consumer-timeout': 3_600_000,
          } as const;
          return (await channel.queueDeclare({ queue: queue('payments'), durable: true, arguments: args })).queue;
        });
      expect([await declare(6), await declare(8)]).toEqual([queue('payments'), 'PRECONDITION_FAILED']);
    });
  });
});

function serverAt(url: string): AmqpTransportOptions {
  const { hostname, port, username, password } = new URL(url);
  return { hosts: hostname, port: Number(port), user: username, password };
}
