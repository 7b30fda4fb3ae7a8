import { inspect } from 'node:util';
import { Cluster } from 'ioredis';
import { afterAll, describe, expect, it } from 'vitest';
import { TransportError } from '../../src/errors.js';
import { plainName } from '../../src/safe-name.js';
import { Inbox, LONG_MS, text, textsFrom, textsOf, until } from '../../src/testing/transport-suite/suite.js';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import { transport } from '../../src/workers/transport-registry.js';
import { redisCluster } from '../servers/redis-cluster.js';
import { OwnRedis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { SOON, testLinks } from './links.js';

/** Of mailboxes that live no longer than the client of a cluster waits before it sends a command once more: 100 ms. */
const SHORT_LIVED = new Set(['expire without a reader', 'stay for as long as they have a reader']);

await describeWithServer(redisCluster, (url) => {
  const admin = new Cluster([url]);
  afterAll(() => admin.disconnect());
  const transportOptions = { cluster: true };

  transportSuite({
    name: 'Redis, a cluster,',
    transport: (exchange) => transport({ url, transportOptions, exchange, retryOptions: SOON }),
    leftovers: async (exchange) => {
      const keys = await Promise.all(
        admin.nodes('master').map((node) => node.keys(`flowstate:{${plainName(exchange)}}:*`)),
      );
      return keys.flat();
    },
    describe,
    it: (name, body) => {
      if (!SHORT_LIVED.has(name)) it(name, body);
    },
  });

  describe('a cluster of Redis', () => {
    const links = testLinks({ url, transportOptions });

    it('has all of an exchange on one of its servers, and other exchanges on others', async () => {
      const found = new Set<number>();
      for (let exchange = 0; found.size < 3; exchange++) {
        const link = await links.open({ exchange: `flowstate_test_${exchange}` });
        await link.send('payments', text('x'));
        await link.send('refunds', text('x'));
        const nodes = await Promise.all(
          admin.nodes('master').map(async (node, index) => {
            return (await node.keys(`flowstate:{flowstate_test_${exchange}}:*`)).length === 2 ? [index] : [];
          }),
        );
        expect(nodes.flat()).toHaveLength(1);
        found.add(nodes.flat()[0] ?? -1);
        await link.removeAll();
      }
    });

    it('has to be named as one: a link to one of its servers alone is refused at once', async () => {
      const single = links.open({ transportOptions: {} });
      await expect(single).rejects.toThrow(TransportError);
      await expect(single).rejects.toThrow(/is one of a cluster: it takes the option cluster$/);
    });

    it('is not what a server is that stands alone, which says so', async () => {
      const alone = await OwnRedis.start();
      const error: unknown = await links.open({ url: alone?.url }).catch((thrown: unknown) => thrown);
      await alone?.stop();
      expect(error).toBeInstanceOf(TransportError);
      expect(inspect(error, { depth: 5 })).toContain('This instance has cluster support disabled');
    });

    it('loses nothing when connections to it are cut', { timeout: LONG_MS }, async () => {
      const short = { transportOptions: { ...transportOptions, leaseMs: 1000, answerTimeoutMs: 500 } };
      const [sender, reader] = [await links.open(short), await links.open(short)];
      const inbox = new Inbox();
      await reader.consume('payments', { prefetch: 50 }, (delivery) => {
        inbox.take(delivery);
        // One that is under way when all is over has not come.
        delivery.ack().catch(() => undefined);
      });
      const sent = textsFrom(100);
      const sending = (async () => {
        for (const each of sent) await sender.send('payments', text(each));
      })();
      await inbox.has(30);
      for (const node of admin.nodes('master')) await node.call('CLIENT', 'KILL', 'TYPE', 'normal');
      await sending;
      const seen = () => new Set(textsOf(inbox.items));
      await until(() => seen().size === sent.length);
      expect([...seen()].toSorted()).toEqual(sent.toSorted());
    });
  });
});
