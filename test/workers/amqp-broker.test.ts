import { describe, expect, it } from 'vitest';
import {
  acking,
  Inbox,
  LONG_MS,
  text,
  textOf,
  textsFrom,
  textsOf,
  until,
} from '../../src/testing/transport-suite/suite.js';
import { OwnRabbitmq, rabbitmq as server } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { newsOf, testLinks } from './links.js';

const TIMEOUT_MS = 90_000;

let own: OwnRabbitmq | null = null;
const ownServer = { ...server, find: async () => (own = await OwnRabbitmq.start()) };

await describeWithServer(ownServer, (url) => {
  const theServer = () => {
    if (own === null) throw new Error('there is none');
    return own;
  };
  const retryOptions = { intervalStartMs: 100, intervalMaxMs: 100, maxRetries: null };
  const links = testLinks({ url, exchange: 'own', retryOptions });

  describe('a RabbitMQ broker of our own', { timeout: TIMEOUT_MS }, () => {
    it('that is stopped and starts again has lost nothing that it took', async () => {
      const [sender, reader] = [await links.open({ exchange: 'stopped' }), await links.open({ exchange: 'stopped' })];
      const [queue, mailbox] = [new Inbox(), new Inbox()];
      await reader.consume('payments', { prefetch: 10 }, acking(queue));
      await reader.receive('box', { prefetch: 10, expiryMs: 10 * LONG_MS }, acking(mailbox));
      const news = newsOf(reader);
      const sent = textsFrom(200);
      const sending = (async () => {
        for (const each of sent) {
          await sender.send('payments', text(each));
          await sender.post('box', text(each));
        }
      })();
      await queue.has(60);
      await theServer().end('SIGTERM');
      await theServer().restart();
      await sending;
      const seen = (inbox: Inbox) => new Set(textsOf(inbox.items));
      await until(() => seen(queue).size === sent.length && seen(mailbox).size === sent.length);
      expect([...seen(queue)].toSorted()).toEqual(sent.toSorted());
      expect([...seen(mailbox)].toSorted()).toEqual(sent.toSorted());
      // Its last channel may stand a moment after the one over which the last message came.
      await until(() => news.length > 1);
      expect(news).toEqual([false, true]);
    });

    it('closes the channel of a consumer that takes too long: others get what it had, and it goes on', async () => {
      const link = await links.open({ exchange: 'slow' });
      const [slow, mailbox] = [new Inbox(), new Inbox()];
      await link.consume('payments', { prefetch: 1 }, slow.take);
      await link.receive('box', { prefetch: 1, expiryMs: LONG_MS }, acking(mailbox));
      const news = newsOf(link);
      await link.send('payments', text('long'));
      const late = await slow.next();
      const again = await slow.next();
      await late.ack();
      await late.reject('late');
      expect([textOf(again.message), again.deliveries, news]).toEqual(['long', 2, [false, true]]);
      await again.ack();
      await link.send('payments', text('short'));
      expect(textOf((await slow.next()).message)).toBe('short');
      await link.post('box', text('whole'));
      expect(textOf((await mailbox.next()).message)).toBe('whole');
      expect(await link.deadLetters()).toEqual([]);
    });
  });
});
