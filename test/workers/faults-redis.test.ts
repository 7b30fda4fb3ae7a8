import { afterAll } from 'vitest';
import { Proxy } from '../servers/proxy.js';
import { redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { faultSuite } from './fault-suite.js';
import { TIMES } from './fault-world.js';

await describeWithServer(redis, async (url) => {
  const proxy = await Proxy.to(Number(new URL(url).port));
  afterAll(() => proxy.close());
  faultSuite(
    'Redis',
    () => ({ url: `redis://127.0.0.1:${proxy.port}`, transportOptions: { leaseMs: TIMES.leaseMs } }),
    { cut: () => proxy.cutAll(), outage: { begin: () => proxy.refuse(), end: () => proxy.refuse(false) } },
  );
});
