import { TransportError } from '../../errors.js';
import { rejects, same } from '../checks.js';
import { acking, Inbox, LONG_MS, text, textOf, textsFrom, textsOf, until } from './suite.js';
import type { Suite } from './suite.js';
import type { Link, Message } from '../../workers/transport.js';

/** What a transport promises of its links, and of those that are cut. */
export function linkPromises({ describe, test, interrupt, keepsOverCuts = false, outage }: Suite): void {
  describe('a link', () => {
    test('is closed once, and of no use then', async ({ open }) => {
      const link = await open();
      await link.close();
      await link.close();
      await rejects(link.send('topic', text('x')), TransportError);
      await rejects(link.post('box', text('x')), TransportError);
      await rejects(link.announce('room', text('x')), TransportError);
      await rejects(
        link.consume('topic', { prefetch: 1 }, () => undefined),
        TransportError,
      );
      await rejects(
        link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, () => undefined),
        TransportError,
      );
      await rejects(
        link.listen('room', () => undefined),
        TransportError,
      );
      await rejects(link.deadLetters(), TransportError);
    });

    test('removes all that its exchange has', async ({ open }) => {
      const link = await open();
      const dead = new Inbox();
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, () => undefined);
      const consumer = await link.consume('topic', { prefetch: 1 }, dead.take);
      await link.send('topic', text('dead'));
      await (await dead.next()).reject('bad');
      await consumer.stop();
      await link.send('topic', text('old'));
      await link.send('unread', text('old'));
      await link.removeAll();
      await link.close();
      const next = await open();
      same(await next.deadLetters(), []);
      const inbox = new Inbox();
      for (const topic of ['topic', 'unread']) {
        await next.consume(topic, { prefetch: 1 }, acking(inbox));
        await next.send(topic, text(`new ${topic}`));
        await inbox.next();
      }
      same(textsOf(inbox.items), ['new topic', 'new unread']);
    });
  });

  if (interrupt !== undefined) describe('links that are cut', () => cutPromises(test, interrupt, keepsOverCuts));
  if (outage !== undefined) describe('a broker that is away', () => outagePromises(test, outage));
}

function cutPromises(test: Suite['test'], interrupt: () => unknown, keepsOverCuts: boolean): void {
  test('come back, with all that they did', async ({ open }) => {
    const link = await open();
    const [queue, mailbox, room] = [new Inbox(), new Inbox(), new Inbox<Message>()];
    await link.consume('topic', { prefetch: 5 }, acking(queue));
    await link.receive('box', { prefetch: 5, expiryMs: LONG_MS }, acking(mailbox));
    await link.listen('room', room.take);
    const news = watch(link);
    for (let time = 1; time <= 2; time++) {
      await interrupt();
      await until(() => news.length === time * 2);
      await link.send('topic', text(`queue ${time}`));
      await link.post('box', text(`mailbox ${time}`));
      await link.announce('room', text(`room ${time}`));
      same(textOf((await queue.next()).message), `queue ${time}`);
      same(textOf((await mailbox.next()).message), `mailbox ${time}`);
      same(textOf(await room.next()), `room ${time}`);
    }
    same(news, [false, true, false, true]);
  });

  if (keepsOverCuts) {
    test('keep what they had, and may answer', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('topic', { prefetch: 5 }, inbox.take);
      await link.send('topic', text('had'));
      const had = await inbox.next();
      const news = watch(link);
      await interrupt();
      await until(() => news.length >= 2);
      await link.send('topic', text('next'));
      same(textOf((await inbox.next()).message), 'next');
      await had.release();
      const again = await inbox.next();
      same([textOf(again.message), again.deliveries], ['had', 2]);
    });
  } else {
    test('give back what they had, and their late answers do nothing', async ({ open }) => {
      const link = await open();
      const inbox = new Inbox();
      await link.consume('topic', { prefetch: 5 }, inbox.take);
      await link.send('topic', text('had'));
      const had = await inbox.next();
      const news = watch(link);
      await interrupt();
      await until(() => news.length >= 2);
      await had.ack();
      await had.reject('late');
      const again = await inbox.next();
      same([textOf(again.message), again.deliveries], ['had', 2]);
      await again.ack();
      same(await link.deadLetters(), []);
    });
  }

  test('lose nothing that is being sent', async ({ open }) => {
    const [sender, reader] = [await open(), await open()];
    const inbox = new Inbox();
    await reader.consume('topic', { prefetch: 50 }, acking(inbox));
    const sent = textsFrom(200);
    let isDone = false;
    const sending = (async () => {
      for (const each of sent) await sender.send('topic', text(each));
      isDone = true;
    })();
    for (const limit of [20, 80, 140]) {
      await until(() => isDone || inbox.items.length >= limit);
      await interrupt();
    }
    await sending;
    const seen = () => new Set(textsOf(inbox.items));
    await until(() => seen().size === sent.length);
    same([...seen()].toSorted(), sent.toSorted());
  });
}

function outagePromises(test: Suite['test'], { begin, end }: NonNullable<Suite['outage']>): void {
  const during = async (body: () => Promise<void>) => {
    await begin();
    try {
      await body();
    } finally {
      await end();
    }
  };

  test('lets nobody in, and says who it is', async ({ open }) => {
    await during(async () => rejects(open(), TransportError));
  });

  test('keeps what it had, and gets what was sent meanwhile', async ({ open }) => {
    const link = await open();
    const inbox = new Inbox();
    const news = watch(link);
    await link.send('topic', text('before'));
    const sending: Promise<boolean>[] = [];
    await during(async () => {
      await until(() => news.includes(false));
      sending.push(
        link.send('topic', text('meanwhile')).then(
          () => true,
          (error: unknown) => !(error instanceof TransportError),
        ),
      );
    });
    await until(() => news.at(-1) === true);
    const [isSent = false] = await Promise.all(sending);
    await link.consume('topic', { prefetch: 5 }, acking(inbox));
    await inbox.has(isSent ? 2 : 1);
    same(textsOf(inbox.items), isSent ? ['before', 'meanwhile'] : ['before']);
  });

  test('makes what is asked of it fail in the end', async ({ open }) => {
    const link = await open();
    const news = watch(link);
    await during(async () => {
      await until(() => news.includes(false));
      await rejects(link.send('topic', text('x')), TransportError);
      await rejects(link.post('box', text('x')), TransportError);
      await rejects(
        link.consume('other', { prefetch: 1 }, () => undefined),
        TransportError,
      );
    });
    await until(() => news.at(-1) === true);
  });

  test('keeps no link from being closed', async ({ open }) => {
    const link = await open();
    await link.consume('topic', { prefetch: 1 }, () => undefined);
    const news = watch(link);
    await during(async () => {
      await until(() => news.includes(false));
      const waiting = link.send('topic', text('x'));
      await Promise.all([rejects(waiting, TransportError), link.close()]);
    });
  });
}

function watch(link: Link): boolean[] {
  const news: boolean[] = [];
  link.onConnection((isConnected) => news.push(isConnected));
  return news;
}
