import { afterAll } from 'vitest';
import { Proxy } from '../servers/proxy.js';
import { rabbitmq } from '../servers/rabbitmq.js';
import { describeWithServer } from '../servers/server.js';
import { faultSuite } from './fault-suite.js';

await describeWithServer(rabbitmq, async (url) => {
  const { port, username, password } = new URL(url);
  const proxy = await Proxy.to(Number(port));
  afterAll(() => proxy.close());
  faultSuite('RabbitMQ', () => ({ url: `amqp://${username}:${password}@127.0.0.1:${proxy.port}` }), {
    cut: () => proxy.cutAll(),
    outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
  });
});
