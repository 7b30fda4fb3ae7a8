import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/testing/seeded-random.js';
import type { CompiledSources } from '../scenarios/compiled-sources.js';
import { compileSources } from '../scenarios/compiled-sources.js';
import { rabbitmq } from '../servers/rabbitmq.js';
import { redis } from '../servers/redis.js';
import { describeWithServer } from '../servers/server.js';
import type { Broker } from './fault-world.js';
import { TIMES } from './fault-world.js';
import { killDrill } from './kill-drill.js';

/* A few kills at random; more of them by `npm run worker-kills -- --url URL --kills 500`. */

const KILLS = 6;
const transportOptions = { leaseMs: TIMES.leaseMs };

function sample(name: string, broker: () => Broker): void {
  describe(`flows whose workers and engines are killed at random, over ${name}`, () => {
    let compiled: CompiledSources;
    beforeAll(() => {
      compiled = compileSources();
    });
    afterAll(() => compiled[Symbol.dispose]());

    it('end right, with no result that is committed twice', async () => {
      const report = await killDrill({ compiled, broker: broker(), kills: KILLS, random: seededRandom(7) });
      expect(report.problems).toEqual([]);
      expect(report.workerKills + report.engineKills).toBe(KILLS);
    }, 120_000);
  });
}

const folder = mkdtempSync(join(tmpdir(), 'flowstate-queues-'));
afterAll(() => rmSync(folder, { recursive: true }));
sample('folders', () => ({ url: `filesystem://${folder}`, transportOptions }));
await describeWithServer(redis, (url) => sample('Redis', () => ({ url, transportOptions })));
await describeWithServer(rabbitmq, (url) => sample('RabbitMQ', () => ({ url })));
