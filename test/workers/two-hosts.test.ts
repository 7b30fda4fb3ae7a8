import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import { networkNamespaces, OtherHost } from '../servers/namespace.js';
import { rabbitmq } from '../servers/rabbitmq.js';
import { redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { FaultWorld, TIMES } from './fault-world.js';
import { step } from './programs/steps.js';

/* An engine on this host, a worker on another, and the line between them. */

await describeWithServer(networkNamespaces, async () => {
  for (const kind of [redis, rabbitmq]) {
    await describeWithServer(kind, (url) => {
      let compiled: CompiledSources;
      let host: OtherHost;
      let world: FaultWorld;
      let forwarded: { readonly port: number; close(): void };
      beforeAll(() => {
        compiled = compileSources();
      });
      afterAll(() => compiled[Symbol.dispose]());
      beforeEach(async () => {
        host = new OtherHost();
        forwarded = await host.forward(Number(new URL(url).port));
        const transportOptions = kind === redis ? { leaseMs: TIMES.leaseMs } : undefined;
        world = new FaultWorld(compiled, { url, transportOptions });
      });
      afterEach(async () => {
        host.heal();
        await world.close();
        forwarded.close();
        await host.stop();
      });

      it(`over ${kind.name}, a line that is cut for longer than the lease, and healed, loses and repeats nothing`, async () => {
        const from = new URL(url);
        from.hostname = host.url;
        from.port = String(forwarded.port);
        await world.worker({ url: from.href }, host.command);
        const flow = linear('steps').addAll(world.steps({ gate: world.gate }).map((each) => step(each)));
        const engine = world.remember(await load(flow, world.options));
        const running = engine.run();
        await world.until('begin b');
        host.cut();
        world.open();
        await world.until('effect b');
        setTimeout(() => host.heal(), TIMES.leaseMs * 2);
        expect(await running).toBe('SUCCESS');
        expect(engine.storage.fetchAll()).toEqual({ a: 'a', b: 'b', c: 'c' });
        expect(world.count('effect b')).toBe(1);
      }, 60_000);
    });
  }
});
