import { rejects, same } from '../checks.js';
import { acking, Inbox, LONG_MS, text, textOf, textsFrom, textsOf, until } from './suite.js';
import type { Suite } from './suite.js';

const BOX = 'engine-1';
const PREFETCH = { prefetch: 100, expiryMs: LONG_MS };

/** What a transport promises of mailboxes and rooms. */
export function mailboxPromises({ describe, test }: Suite): void {
  describe('mailboxes', () => {
    test('are there when somebody has received from them', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      same(await sender.post(BOX, text('too early')), false);
      const inbox = new Inbox();
      await reader.receive(BOX, PREFETCH, acking(inbox));
      same(await sender.post(BOX, text('in time')), true);
      same(textOf((await inbox.next()).message), 'in time');
    });

    test('give messages in the order in which they were posted', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const inbox = new Inbox();
      await reader.receive(BOX, { ...PREFETCH, prefetch: 3 }, acking(inbox));
      const sent = textsFrom(100);
      const posts = sent.slice(0, 50).map((each) => sender.post(BOX, text(each)));
      await Promise.all(posts);
      for (const each of sent.slice(50)) await sender.post(BOX, text(each));
      await inbox.has(sent.length);
      same(textsOf(inbox.items), sent);
    });

    test('keep what comes while their reader is away, and what it did not answer, in order', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const [before, after] = [new Inbox(), new Inbox()];
      await reader.receive(BOX, PREFETCH, before.take);
      for (const each of textsFrom(3)) await sender.post(BOX, text(each));
      await before.has(3);
      await before.items[0]?.ack();
      await reader.close();
      same(await sender.post(BOX, text('meanwhile')), true);
      await (await open()).receive(BOX, PREFETCH, acking(after));
      await after.has(3);
      same(textsOf(after.items), ['message 1', 'message 2', 'meanwhile']);
      same(
        after.items.map(({ deliveries }) => deliveries),
        [2, 2, 1],
      );
    });

    test('expire without a reader', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const consumer = await reader.receive(BOX, { prefetch: 1, expiryMs: 50 }, () => undefined);
      same(await sender.post(BOX, text('lost')), true);
      await consumer.stop();
      await reader.close();
      await until(async () => !(await sender.post(BOX, text('lost as well'))));
      const inbox = new Inbox();
      await sender.receive(BOX, PREFETCH, acking(inbox));
      await sender.post(BOX, text('new'));
      await inbox.has(1);
      same(textsOf(inbox.items), ['new']);
    });

    test('are removed when they are of no use any more, and what is posted later does not make them again', async ({
      open,
    }) => {
      const [sender, reader] = [await open(), await open()];
      const inbox = new Inbox();
      const consumer = await reader.receive(BOX, PREFETCH, acking(inbox));
      for (const each of textsFrom(20)) await sender.post(BOX, text(each));
      await inbox.has(20);
      await consumer.stop();
      same(await reader.removeMailbox(BOX), true);
      same(await reader.removeMailbox(BOX), false);
      same(await sender.post(BOX, text('a late duplicate')), false);
      const again = new Inbox();
      await sender.receive(BOX, PREFETCH, acking(again));
      same(await reader.post(BOX, text('new')), true);
      await again.has(1);
      same(textsOf(again.items), ['new']);
    });

    test('are not removed while there is something in them', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const inbox = new Inbox();
      const consumer = await reader.receive(BOX, { ...PREFETCH, prefetch: 1 }, inbox.take);
      for (const each of textsFrom(2)) await sender.post(BOX, text(each));
      const held = await inbox.next();
      await consumer.stop();
      same(await reader.removeMailbox(BOX), false);
      await held.ack();
      same(await reader.removeMailbox(BOX), false);
      const rest = new Inbox();
      await sender.receive(BOX, PREFETCH, acking(rest));
      await rest.has(1);
      same(textsOf(rest.items), ['message 1']);
    });

    test('stay for as long as they have a reader', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const [lasting, brief] = [new Inbox(), new Inbox()];
      const expiring = { prefetch: 1, expiryMs: 100 };
      await reader.receive(BOX, expiring, acking(lasting));
      const consumer = await reader.receive('brief', expiring, acking(brief));
      await consumer.stop();
      await until(async () => !(await sender.post('brief', text('x'))));
      same(await sender.post(BOX, text('still there')), true);
      same(textOf((await lasting.next()).message), 'still there');
    });

    test('have dead letters as queues do, which can be sent again', async ({ open }) => {
      const [sender, reader] = [await open(), await open()];
      const inbox = new Inbox();
      await reader.receive(BOX, PREFETCH, inbox.take);
      await sender.post(BOX, text('a reply'));
      await (await inbox.next()).release();
      await (await inbox.next()).reject('not understood');
      const [letter] = await sender.deadLetters();
      same([letter?.kind, letter?.place, letter?.reason], ['mailbox', BOX, 'not understood']);
      same(await sender.requeueDeadLetters([letter?.id ?? '']), 1);
      const again = await inbox.next();
      same([textOf(again.message), again.deliveries], ['a reply', 1]);
    });

    test('take the reply to what was in a queue, which is dealt with in the same step where a broker can', async ({
      open,
    }) => {
      const [sender, reader, server] = [await open(), await open(), await open()];
      const [work, replies] = [new Inbox(), new Inbox()];
      await reader.receive(BOX, PREFETCH, acking(replies));
      const consumer = await server.consume('work', { prefetch: 1 }, work.take);
      for (const each of ['one', 'two']) await sender.send('work', text(each));
      for (const each of ['one', 'two']) {
        const delivery = await work.next();
        same(textOf(delivery.message), each);
        if (delivery.reply === undefined) {
          await server.post(BOX, text(`reply to ${each}`));
          await delivery.ack();
        } else {
          await delivery.reply(BOX, text(`reply to ${each}`));
          // It has its answer.
          await delivery.release();
        }
      }
      await replies.has(2);
      same(textsOf(replies.items), ['reply to one', 'reply to two']);
      await consumer.stop();
      await server.close();
      await sender.send('work', text('three'));
      await sender.consume('work', { prefetch: 10 }, work.take);
      same(textOf((await work.next()).message), 'three');
    });

    test('take the reply of who has lost what it replies to, and leave that to its new owner', async ({ open }) => {
      const [sender, reader, dying] = [await open(), await open(), await open()];
      const [lost, replies, found] = [new Inbox(), new Inbox(), new Inbox()];
      await reader.receive(BOX, PREFETCH, acking(replies));
      const consumer = await dying.consume('work', { prefetch: 1 }, lost.take);
      await sender.send('work', text('work'));
      const delivery = await lost.next();
      await consumer.stop();
      await delivery.release();
      await sender.consume('work', { prefetch: 1 }, found.take);
      const again = await found.next();
      if (delivery.reply === undefined) await dying.post(BOX, text('late'));
      else await delivery.reply(BOX, text('late'));
      await replies.has(1);
      await sender.close();
      await reader.consume('work', { prefetch: 1 }, found.take);
      // It was still with the one who had it then.
      same(
        [again, await found.next()].map(({ deliveries }) => deliveries),
        [2, 3],
      );
    });

    test('refuse an expiry that is no time', async ({ open }) => {
      const link = await open();
      await rejects(
        link.receive(BOX, { prefetch: 1, expiryMs: 0 }, () => undefined),
        RangeError,
      );
    });
  });

  describe('rooms', () => {
    test('reach all who listen', async ({ open }) => {
      const links = [await open(), await open(), await open()];
      const inboxes = links.map(() => new Inbox<Parameters<Parameters<(typeof links)[0]['listen']>[1]>[0]>());
      for (const [index, link] of links.entries())
        await link.listen('engines', inboxes[index]?.take ?? (() => undefined));
      await links[0]?.announce('engines', text('hello'));
      for (const inbox of inboxes) same(textOf(await inbox.next()), 'hello');
    });

    test('keep nothing, and tell nobody who has left', async ({ open }) => {
      const [speaker, listener] = [await open(), await open()];
      const [early, late] = [new Inbox<{ body: Uint8Array }>(), new Inbox<{ body: Uint8Array }>()];
      await speaker.announce('engines', text('to nobody'));
      const consumer = await listener.listen('engines', early.take);
      await speaker.announce('engines', text('one'));
      await early.has(1);
      await consumer.stop();
      await listener.listen('engines', late.take);
      await speaker.announce('other room', text('elsewhere'));
      await speaker.announce('engines', text('two'));
      await late.has(1);
      same(
        [early.items, late.items].map((items) => items.map(({ body }) => Buffer.from(body).toString())),
        [['one'], ['two']],
      );
    });
  });
}
