import { Connection } from 'rabbitmq-client';
import type { Channel } from 'rabbitmq-client';
import { afterAll, describe, it } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import { transport } from '../../src/workers/transport-registry.js';
import { Proxy } from '../servers/proxy.js';
import { rabbitmq as server } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';

const retryOptions = { intervalStartMs: 40, intervalStepMs: 10, intervalMaxMs: 60, maxRetries: 8 };

await describeWithServer(server, async (url) => {
  const { port, username, password } = new URL(url);
  const proxy = await Proxy.to(Number(port));
  const admin = new Connection(url);
  admin.on('error', () => undefined);
  afterAll(async () => {
    proxy.close();
    await admin.close();
  });
  const through = `amqp://${username}:${password}@127.0.0.1:${proxy.port}`;

  /** A broker closes the channel on which it was asked for what is not there. */
  async function isThere(ask: (channel: Channel) => Promise<unknown>): Promise<boolean> {
    const channel = await admin.acquire();
    channel.on('error', () => undefined);
    try {
      await ask(channel);
      return true;
    } catch {
      return false;
    } finally {
      await channel.close();
    }
  }

  /** Of the names that an exchange and the tests of the suite give: a broker does not list what it has. */
  async function leftovers(of: string): Promise<string[]> {
    const exchange = `flowstate.${of}`;
    const queues = ['.dead', '.made', ...['payments', 'topic', 'other', 'unread'].map((topic) => `.queue.${topic}`)];
    const left: string[] = [];
    for (const end of queues) {
      const queue = `${exchange}${end}`;
      if (await isThere((channel) => channel.queueDeclare({ queue, passive: true }))) left.push(queue);
    }
    for (const name of [exchange, `${exchange}.rooms`, `${exchange}.dead`]) {
      if (await isThere((channel) => channel.exchangeDeclare({ exchange: name, passive: true }))) left.push(name);
    }
    return left;
  }

  for (const queueType of ['quorum', 'classic'] as const) {
    transportSuite({
      name: `AMQP, ${queueType} queues,`,
      transport: (exchange) => transport({ url: through, transportOptions: { queueType }, exchange, retryOptions }),
      interrupt: () => proxy.cutAll(),
      outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
      leftovers,
      describe,
      it,
    });
  }
});
