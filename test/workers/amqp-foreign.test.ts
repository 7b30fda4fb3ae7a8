import { describe, expect, it } from 'vitest';
import { acking, Inbox, newName, text, textOf, until } from '../../src/testing/transport-suite/suite.js';
import { rabbitmq as server } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { AmqpAdmin } from './amqp-admin.js';
import { testLinks } from './links.js';

await describeWithServer(server, (url) => {
  const admin = AmqpAdmin.to(url);
  const links = testLinks({ url });
  const queue = (name: string) => `flowstate.${links.exchange}.queue.${name}`;

  describe('what others put into RabbitMQ', () => {
    it('is a message with what it has', async () => {
      const link = await links.open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      const to = queue('payments');
      await admin.put(to, 'plain', { type: 'NOTE', correlationId: 'c', headers: { from: 'x', n: 1 } });
      await admin.put(to, { json: true }, { replyTo: 'r' });
      await admin.put(to, Buffer.alloc(0), { headers: { 'flowstate-properties': '{"type":7}' } });
      await inbox.has(3);
      expect(inbox.items.map(({ message }) => [message.properties, textOf(message)])).toEqual([
        [{ type: 'NOTE', correlationId: 'c', headers: { from: 'x' } }, 'plain'],
        [{ type: '', replyTo: 'r' }, '{"json":true}'],
        [{ type: '', headers: { 'flowstate-properties': '{"type":7}' } }, ''],
      ]);
    });

    it('counts as given once, whatever it says of that', async () => {
      const link = await links.open();
      const inbox = new Inbox();
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      await admin.put(queue('payments'), 'x', { headers: { 'flowstate-deliveries': -7, 'x-delivery-count': -3 } });
      expect((await inbox.next()).deliveries).toBe(1);
    });

    const deep = Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
    const json = { contentType: 'application/json' };
    it.each([
      ['JSON that nests too deep', deep, json, 'its JSON nests too deep', ''],
      [
        'headers that fit into no frame',
        'text',
        { headers: { from: '\u0001'.repeat(90_000) } },
        /^its properties take/,
        'text',
      ],
    ])('is a dead letter where it cannot be sent on: %s', async (_, body, fields, reason, kept) => {
      const link = await links.open();
      const [inbox, box, heard] = [new Inbox(), new Inbox(), new Inbox<unknown>()];
      await link.consume('payments', { prefetch: 5 }, acking(inbox));
      await link.receive('box', { prefetch: 5, expiryMs: 60_000 }, acking(box));
      await link.listen('room', heard.take);
      await admin.put(queue('payments'), body, fields);
      await admin.put(`flowstate.${links.exchange}.mailbox.box`, body, fields);
      await admin.put('room', body, { ...fields, exchange: `flowstate.${links.exchange}.rooms` });
      await link.send('payments', text('whole'));
      await link.post('box', text('whole'));
      await link.announce('room', text('whole'));
      await Promise.all([inbox.has(1), box.has(1), heard.has(1)]);
      await until(async () => (await link.deadLetters()).length === 2);
      const letters = await link.deadLetters();
      expect(letters.map(({ kind, place }) => `${kind} ${place}`).toSorted()).toEqual([
        'mailbox box',
        'queue payments',
      ]);
      for (const letter of letters)
        expect([letter.reason, textOf(letter.message)]).toEqual([
          expect.toSatisfy((each: string) => (reason instanceof RegExp ? reason.test(each) : each === reason)),
          kept,
        ]);
    });

    it('is a dead letter with a place and an id when the broker gives it up', async () => {
      const link = await links.open({ transportOptions: { deliveryLimit: 2 } });
      const inbox = new Inbox();
      const consumer = await link.consume('a topic', { prefetch: 1 }, (delivery) => {
        inbox.take(delivery);
        void delivery.release();
      });
      await admin.put(queue('a%20topic'), 'foreign', { type: 'NOTE' });
      await until(async () => (await link.deadLetters()).length === 1);
      const [letter] = await link.deadLetters();
      expect(letter).toMatchObject({
        kind: 'queue',
        place: 'a topic',
        reason: 'the broker gave it up: delivery_limit',
      });
      await consumer.stop();
      expect(await link.requeueDeadLetters([letter?.id ?? ''])).toBe(1);
      expect([await admin.messagesIn(queue('a%20topic')), await link.deadLetters()]).toEqual([1, []]);
    });

    it('into the list of queues removes nothing of anybody else', async () => {
      const link = await links.open();
      await link.send('payments', text('x'));
      const other = newName('other');
      await admin.ask((channel) => channel.queueDeclare({ queue: other, durable: true }));
      await admin.put(`flowstate.${links.exchange}.made`, Buffer.from(other));
      await admin.put(`flowstate.${links.exchange}.made`, { no: 'name' });
      await link.removeAll();
      expect([await admin.messagesIn(other), await admin.messagesIn(queue('payments'))]).toEqual([0, 'NOT_FOUND']);
      await admin.ask((channel) => channel.queueDelete(other));
    });
  });
});
