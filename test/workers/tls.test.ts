import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import { newCertificate } from '../servers/certificates.js';
import { OwnRabbitmq, rabbitmq } from '../servers/rabbitmq.js';
import { OwnRedis, redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import { FaultWorld, TIMES } from './fault-world.js';
import { step } from './programs/steps.js';

/* Engines and workers in processes of their own, with brokers that speak TLS alone. */

const TIMEOUT_MS = 90_000;

const certificate = newCertificate();
let compiled: CompiledSources;
beforeAll(() => {
  compiled = compileSources();
}, TIMEOUT_MS);
afterAll(() => {
  compiled[Symbol.dispose]();
  certificate[Symbol.dispose]();
});

const brokers = [
  { ...redis, find: () => OwnRedis.start({ ...certificate, asksClients: true }), options: { leaseMs: TIMES.leaseMs } },
  // Erlang takes no client's certificate that signs itself.
  { ...rabbitmq, find: () => OwnRabbitmq.start(certificate), options: {} },
];

for (const { options, ...kind } of brokers) {
  await describeWithServer(kind, (url) => {
    describe(`flows on workers over TLS, with ${kind.name}`, { timeout: TIMEOUT_MS }, () => {
      const { key, cert } = certificate;
      const keys = { k1: 'a secret' };
      let world: FaultWorld;
      beforeEach(() => {
        world = new FaultWorld(compiled, { url, transportOptions: { ...options, tls: { ca: cert, key, cert } } });
      });
      afterEach(() => world.close());

      it('end well, though a worker is killed: the next takes its task, and shows that it lives', async () => {
        await world.worker({ keys });
        await world.worker({ keys });
        const steps = world.steps({ dies: 'during', lingerMs: TIMES.leaseMs });
        const flow = linear('steps').addAll(steps.map((each) => step(each)));
        const engine = world.remember(await load(flow, { ...world.options, keys, maxDeliveries: 2 }));
        expect(await engine.run()).toBe('SUCCESS');
        expect(engine.storage.fetchAll()).toEqual({ a: 'a', b: 'b', c: 'c' });
        expect([world.count('begin b'), world.count('effect b')]).toEqual([2, 1]);
      });

      it('are taken up by another engine process', async () => {
        await world.worker();
        const steps = world.steps({ gate: world.gate });
        const first = world.engineProcess(steps);
        await world.until('begin b');
        await first.kill();
        world.open();
        const second = world.engineProcess(steps);
        expect(await second.ended).toEqual({ state: 'SUCCESS', results: { a: 'a', b: 'b', c: 'c' } });
        expect(world.count('effect b')).toBe(1);
        await second.exited;
      });

      it('have no workers that do not trust the broker', async () => {
        const starting = world.worker({ transportOptions: { tls: { key, cert } }, retryOptions: { maxRetries: 0 } });
        await expect(starting).rejects.toThrow('ended before it was ready');
      });
    });
  });
}
