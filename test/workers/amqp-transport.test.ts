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
  afterAll(() => proxy.close());
  const through = `amqp://${username}:${password}@127.0.0.1:${proxy.port}`;

  transportSuite({
    name: 'AMQP',
    transport: (exchange) => transport({ url: through, exchange, retryOptions }),
    interrupt: () => proxy.cutAll(),
    outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
    describe,
    it,
  });
});
