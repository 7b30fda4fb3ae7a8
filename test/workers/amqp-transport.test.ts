import { afterAll, describe, it } from 'vitest';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import { transport } from '../../src/workers/transport-registry.js';
import { Proxy } from '../servers/proxy.js';
import { rabbitmq as server } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { AmqpAdmin } from './amqp-admin.js';
import { SOON } from './links.js';

await describeWithServer(server, async (url) => {
  const { port, username, password } = new URL(url);
  const proxy = await Proxy.to(Number(port));
  const admin = AmqpAdmin.to(url);
  afterAll(() => proxy.close());
  const through = `amqp://${username}:${password}@127.0.0.1:${proxy.port}`;

  /** Of the names that an exchange and the tests of the suite give: a broker does not list what it has. */
  async function leftovers(of: string): Promise<string[]> {
    const exchange = `flowstate.${of}`;
    const queues = ['.dead', '.made', ...['payments', 'topic', 'other', 'unread'].map((topic) => `.queue.${topic}`)];
    const left: string[] = [];
    for (const end of queues) {
      const queue = `${exchange}${end}`;
      if (typeof (await admin.messagesIn(queue)) === 'number') left.push(queue);
    }
    for (const name of [exchange, `${exchange}.rooms`, `${exchange}.dead`]) {
      if (await admin.hasExchange(name)) left.push(name);
    }
    return left;
  }

  for (const queueType of ['quorum', 'classic'] as const) {
    transportSuite({
      name: `AMQP, ${queueType} queues,`,
      transport: (exchange) =>
        transport({ url: through, transportOptions: { queueType }, exchange, retryOptions: SOON }),
      interrupt: () => proxy.cutAll(),
      outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
      leftovers,
      describe,
      it,
    });
  }
});
