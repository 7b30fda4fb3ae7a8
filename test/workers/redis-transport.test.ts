import { Redis } from 'ioredis';
import { afterAll, describe, it } from 'vitest';
import { plainName } from '../../src/safe-name.js';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';
import { transport } from '../../src/workers/transport-registry.js';
import { Proxy } from '../servers/proxy.js';
import { redis as server } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';

const retryOptions = { intervalStartMs: 40, intervalStepMs: 10, intervalMaxMs: 60, maxRetries: 5 };

await describeWithServer(server, async (url) => {
  const admin = new Redis(url);
  const proxy = await Proxy.to(Number(new URL(url).port));
  afterAll(() => {
    admin.disconnect();
    proxy.close();
  });
  const leftovers = (exchange: string) => admin.keys(`flowstate:{${plainName(exchange)}}:*`);

  transportSuite({
    name: 'Redis',
    transport: (exchange) => transport({ url: `redis://127.0.0.1:${proxy.port}`, exchange, retryOptions }),
    interrupt: () => proxy.cutAll(),
    keepsOverCuts: true,
    outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) },
    leftovers,
    describe,
    it,
  });
});
