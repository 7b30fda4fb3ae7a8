import { ok } from 'node:assert/strict';
import { rejects, same } from '../checks.js';
import { acking, Inbox, text, textOf, textsFrom, textsOf } from './suite.js';
import type { Suite } from './suite.js';

const TOPIC = 'payments';

/** What a transport promises of queues. */
export function queuePromises({ describe, test }: Suite): void {
  describe('queues', () => {
    test('give each message to one of several consumers', async ({ open }) => {
      const [sender, one, other] = [await open(), await open(), await open()];
      const inboxes = [new Inbox(), new Inbox(), new Inbox()] as const;
      await one.consume(TOPIC, { prefetch: 3 }, acking(inboxes[0]));
      await one.consume(TOPIC, { prefetch: 1 }, acking(inboxes[1]));
      await other.consume(TOPIC, { prefetch: 5 }, acking(inboxes[2]));
      const sent = textsFrom(40);
      await Promise.all(sent.map((each) => sender.send(TOPIC, text(each))));
      const all = () => inboxes.flatMap(({ items }) => items);
      while (all().length < sent.length) await Promise.race(inboxes.map((inbox) => inbox.has(inbox.items.length + 1)));
      same(textsOf(all()).toSorted(), sent.toSorted());
      same(new Set(all().map(({ deliveries }) => deliveries)).size, 1);
      same(all()[0]?.deliveries, 1);
    });

    test('keep what nobody consumes yet, in order', async ({ open }) => {
      const sent = textsFrom(20);
      const sender = await open();
      for (const each of sent) await sender.send(TOPIC, text(each));
      await sender.close();
      const inbox = new Inbox();
      await (await open()).consume(TOPIC, { prefetch: 1 }, acking(inbox));
      await inbox.has(sent.length);
      same(textsOf(inbox.items), sent);
    });

    test('give a consumer no more than it can have without an answer', async ({ open }) => {
      const [sender, few, many] = [await open(), await open(), await open()];
      const [fewInbox, manyInbox] = [new Inbox(), new Inbox()];
      for (const each of textsFrom(6)) await sender.send(TOPIC, text(each));
      await few.consume(TOPIC, { prefetch: 2 }, fewInbox.take);
      await fewInbox.has(2);
      await many.consume(TOPIC, { prefetch: 10 }, manyInbox.take);
      await manyInbox.has(4);
      same([fewInbox.items.length, manyInbox.items.length], [2, 4]);
      await (await fewInbox.next()).ack();
      await manyInbox.items[0]?.ack();
      await sender.send(TOPIC, text('one more'));
      while (fewInbox.items.length + manyInbox.items.length < 7) {
        await Promise.race([fewInbox, manyInbox].map((inbox) => inbox.has(inbox.items.length + 1)));
      }
      ok(fewInbox.items.length <= 3);
    });

    test('give a message that is released to somebody again, and count', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume(TOPIC, { prefetch: 1 }, inbox.take);
      await link.send(TOPIC, text('again'));
      for (let time = 1; time <= 3; time++) {
        const delivery = await inbox.next();
        same([textOf(delivery.message), delivery.deliveries], ['again', time]);
        await delivery.release();
      }
      await (await inbox.next()).ack();
      await link.send(TOPIC, text('another'));
      const { message, deliveries } = await inbox.next();
      same([textOf(message), deliveries], ['another', 1]);
    });

    test('give what a consumer had to others when its link is closed', async ({ open }) => {
      const [sender, dying, living] = [await open(), await open(), await open()];
      const [lost, kept] = [new Inbox(), new Inbox()];
      await dying.consume(TOPIC, { prefetch: 10 }, lost.take);
      for (const each of textsFrom(3)) await sender.send(TOPIC, text(each));
      await lost.has(3);
      await lost.items[1]?.ack();
      await dying.close();
      await living.consume(TOPIC, { prefetch: 10 }, acking(kept));
      await kept.has(2);
      same(textsOf(kept.items).toSorted(), ['message 0', 'message 2']);
      same(
        kept.items.map(({ deliveries }) => deliveries),
        [2, 2],
      );
      // It is no longer the one that may answer.
      await lost.items[0]?.reject('too late');
      same(await sender.deadLetters(), []);
    });

    test('give a consumer that was stopped no more, and take the answers to what it has', async ({ open }) => {
      const link = await open();
      const [stopped, next] = [new Inbox(), new Inbox()];
      const consumer = await link.consume(TOPIC, { prefetch: 2 }, stopped.take);
      for (const each of textsFrom(3)) await link.send(TOPIC, text(each));
      await stopped.has(2);
      await consumer.stop();
      await consumer.stop();
      await link.consume(TOPIC, { prefetch: 10 }, acking(next));
      await next.has(1);
      same(textsOf(next.items), ['message 2']);
      await stopped.items[0]?.ack();
      await stopped.items[1]?.release();
      await next.has(2);
      same([textsOf(next.items)[1], stopped.items.length], ['message 1', 2]);
    });

    test('take the first answer to a delivery alone', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume(TOPIC, { prefetch: 1 }, inbox.take);
      await link.send(TOPIC, text('once'));
      const delivery = await inbox.next();
      await delivery.ack();
      await delivery.release();
      await delivery.reject('no');
      await delivery.ack();
      await link.send(TOPIC, text('next'));
      same(textOf((await inbox.next()).message), 'next');
      same(await link.deadLetters(), []);
    });

    test('refuse a prefetch that is no number of messages', async ({ open }) => {
      const link = await open();
      for (const prefetch of [0, -1, 1.5, NaN]) {
        await rejects(
          link.consume(TOPIC, { prefetch }, () => undefined),
          RangeError,
        );
      }
    });
  });

  describe('dead letters', () => {
    test('say what they were, why and when, the oldest first', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume(TOPIC, { prefetch: 10 }, inbox.take);
      const sent = { properties: { type: 'REQUEST', correlationId: 'c', replyTo: 'r' }, body: Buffer.from('first') };
      await link.send(TOPIC, sent);
      await (await inbox.next()).release();
      await (await inbox.next()).reject('nobody knows it: "so" \u{1f642}');
      await link.send(TOPIC, text('second'));
      await (await inbox.next()).reject('');
      const letters = await link.deadLetters();
      same(
        letters.map(({ reason, place, kind, deliveries }) => [reason, place, kind, deliveries]),
        [
          ['nobody knows it: "so" \u{1f642}', TOPIC, 'queue', 2],
          ['', TOPIC, 'queue', 1],
        ],
      );
      same(letters[0]?.message.properties, sent.properties);
      same(
        letters.map(({ message }) => textOf(message)),
        ['first', 'second'],
      );
      same(new Set(letters.map(({ id }) => id)).size, 2);
      for (const { at } of letters) ok(Number.isInteger(at) && at > 0);
      same(
        (await link.deadLetters({ limit: 1 })).map(({ reason }) => reason),
        [letters[0]?.reason],
      );
    });

    test('can be sent again, as new ones', async ({ open }) => {
      const [link, tooling] = [await open(), await open()];
      const inbox = new Inbox();
      await link.consume(TOPIC, { prefetch: 10 }, inbox.take);
      for (const each of textsFrom(3)) await link.send(TOPIC, text(each));
      for (let each = 0; each < 3; each++) await (await inbox.next()).reject('not now');
      const ids = (await tooling.deadLetters()).map(({ id }) => id);
      same(await tooling.requeueDeadLetters([ids[2] ?? '', 'none', ids[0] ?? '']), 2);
      const again = [await inbox.next(), await inbox.next()];
      same(textsOf(again).toSorted(), ['message 0', 'message 2']);
      same(
        again.map(({ deliveries }) => deliveries),
        [1, 1],
      );
      same(
        (await tooling.deadLetters()).map(({ id }) => id),
        [ids[1]],
      );
      same(await tooling.requeueDeadLetters(ids), 1);
    });

    test('are what a handler throws at', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume(TOPIC, { prefetch: 1 }, (delivery) => {
        if (textOf(delivery.message) === 'bad') throw new Error('no good');
        acking(inbox)(delivery);
      });
      await link.send(TOPIC, text('bad'));
      await link.send(TOPIC, text('good'));
      await inbox.has(1);
      same(textsOf(inbox.items), ['good']);
      const [letter] = await link.deadLetters();
      ok(letter?.reason.includes('no good'));
    });
  });
}
