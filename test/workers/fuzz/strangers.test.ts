import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { readConfigureGlobal } from 'fast-check';
import { Connection } from 'rabbitmq-client';
import { afterAll, describe, expect, it } from 'vitest';
import { linear, task } from '../../../src/index.js';
import { load } from '../../../src/engines/load.js';
import { safeName } from '../../../src/safe-name.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import { newName, until } from '../../../src/testing/transport-suite/suite.js';
import { encodeMessage } from '../../../src/workers/message-bytes.js';
import { ENGINES_ROOM, runMailbox, WORKERS_ROOM, workerMailbox } from '../../../src/workers/protocol/codec.js';
import { transport } from '../../../src/workers/transport-registry.js';
import type { DeadLetter } from '../../../src/workers/transport.js';
import { Keys } from '../../../src/workers/transports/redis/keys.js';
import { Worker } from '../../../src/workers/worker/worker.js';
import { rabbitmq } from '../../servers/rabbitmq.js';
import { redis } from '../../servers/redis.js';
import { describeWithServer } from '../../servers/server.js';
import type { Source } from './mutations.js';
import { oddValue, sourceOf, withOtherBytes } from './mutations.js';

/* Somebody with another client writes rubbish where an engine and its worker read, while they work. */

const SEED = readConfigureGlobal().seed ?? Date.now();
const COUNT = Math.ceil(Number(process.env['FLOWSTATE_FUZZ_MESSAGES'] ?? 8000) / 100);
const LONGEST_MS = 30 * 60 * 1000;

/** Writes to a broker past flowstate. */
interface Stranger {
  put(kind: DeadLetter['kind'], name: string, source: Source): Promise<unknown>;
  announce(room: string, source: Source): Promise<unknown>;
}

interface Brokered {
  readonly name: string;
  readonly url: string;
  readonly strangerTo: (exchange: string) => Stranger;
}

const anyBytes = (source: Source): Buffer => Buffer.from(withOtherBytes(Buffer.from(anyText(source)), source));
function anyText(source: Source): string {
  const value = oddValue(source);
  return typeof value === 'string' ? value : source.oneOf(['', '{}', '{"type":7}', '{"type":"REQUEST"}', 'null', '-5']);
}

function strangerSuite({ name, url, strangerTo }: Brokered): void {
  describe(`a stranger who writes rubbish, over ${name} (seed ${SEED})`, () =>
    it('has all of it made dead letters with their reasons, and the flow runs', { timeout: LONGEST_MS }, async () => {
      const noise: unknown[] = [];
      const hear = (error: unknown) => void noise.push(error);
      process.on('unhandledRejection', hear);
      const place = { url, exchange: newName('stranger') };
      const mailboxes: string[] = [];
      let goOn = (): void => undefined;
      const gate = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const waits = task({
        name: 'waits',
        provides: 'done',
        execute: async (_, { idempotencyKey }) => {
          mailboxes.push(runMailbox(String(idempotencyKey.split(':')[0])));
          await gate;
          return 'done';
        },
      });
      const worker = new Worker({ ...place, topic: 'steps', tasks: [waits], workerId: 'w1', maxWorkers: 4 });
      const serving = worker.run();
      await worker.waitUntilReady();
      const engine = await load(linear('f').add(waits), { engine: 'workers', ...place });
      const running = engine.run();
      await until(() => mailboxes.length > 0);
      const stranger = strangerTo(place.exchange);
      const source = sourceOf(seededRandom(SEED));
      const places = [
        ['queue', 'steps'],
        ['mailbox', workerMailbox('w1')],
        ['mailbox', mailboxes[0] ?? ''],
      ] as const;
      for (let index = 0; index < COUNT; index++) {
        for (const [kind, at] of places) await stranger.put(kind, at, source);
        await stranger.announce(source.oneOf([WORKERS_ROOM, ENGINES_ROOM]), source);
      }
      goOn();
      expect(await running).toBe('SUCCESS');
      expect(engine.storage.fetchAll()).toEqual({ done: 'done' });

      const link = await (await transport(place)).open();
      await until(async () => (await link.deadLetters()).length >= COUNT * places.length);
      const letters = await link.deadLetters();
      for (const [kind, at] of places) {
        const own = letters.filter((letter) => letter.kind === kind && letter.place === at);
        expect([at, own.length, own.filter(({ reason }) => reason === '' || reason.length > 500)]).toEqual([
          at,
          COUNT,
          [],
        ]);
      }
      const again = await load(linear('f').add(waits), { engine: 'workers', ...place });
      expect(await again.run()).toBe('SUCCESS');
      await again.close();
      await engine.close();
      await worker.stop();
      await serving;
      // One that rubbish came into when its run had ended is there still, and no link knows of it.
      for (const at of [workerMailbox('w1'), ...mailboxes]) await link.removeMailbox(at);
      await link.removeAll();
      await link.close();
      process.off('unhandledRejection', hear);
      expect(noise).toEqual([]);
    }));
}

describe('folders', () => {
  const root = mkdtempSync(join(tmpdir(), 'flowstate-stranger-'));
  afterAll(() => rmSync(root, { recursive: true }));

  let files = 0;
  strangerSuite({
    name: 'folders',
    url: `filesystem:${root}?pollingIntervalMs=20`,
    strangerTo: (exchange) => {
      const at = (...names: string[]) => join(root, safeName(exchange), ...names);
      const write = (folder: string, source: Source) => {
        const message = { properties: { type: 'REQUEST' }, body: Buffer.from('{}') };
        const bytes = source.oneOf([() => anyBytes(source), () => withOtherBytes(encodeMessage(message), source)])();
        writeFileSync(join(folder, `0${(files += 1)}-stranger~${source.oneOf([0, 3, 999_999_999])}`), bytes);
      };
      return {
        put: async (kind, name, source) =>
          write(at(kind === 'queue' ? 'queues' : 'mailboxes', safeName(name), 'new'), source),
        announce: async (room, source) => {
          for (const ear of readdirSync(at('rooms', safeName(room)))) write(at('rooms', safeName(room), ear), source);
        },
      };
    },
  });
});

await describeWithServer(redis, (url) => {
  const admin = new Redis(url);
  afterAll(() => admin.disconnect());
  const names = ['properties', 'deliveries', 'body', 'about', 'more', '__proto__', ''];
  strangerSuite({
    name: 'Redis',
    url,
    strangerTo: (exchange) => {
      const keys = new Keys(exchange);
      return {
        put: (kind, name, source) => {
          const some = Array.from({ length: 1 + source.below(4) }, () => [source.oneOf(names), anyBytes(source)]);
          // More than a script can take as arguments.
          const many = source.below(8) === 0 ? Array.from({ length: 9000 }, () => ['more', 'x']) : [];
          const fields = [...some, ...many];
          return admin.xadd(keys.stream(kind, name), '*', ...fields.flat());
        },
        announce: (room, source) => admin.publish(keys.room(room), anyBytes(source)),
      };
    },
  });
});

await describeWithServer(rabbitmq, (url) => {
  const admin = new Connection({ url, frameMax: 131_072, noDelay: true });
  const publisher = admin.createPublisher({ confirm: true });
  afterAll(async () => {
    await publisher.close();
    await admin.close();
  });
  const deep = (depth: number): unknown => (depth === 0 ? 'x' : { a: deep(depth - 1) });
  const ours = ['properties', 'place', 'death', 'deliveries', 'key'].map((each) => `flowstate-${each}`);
  const names = [...ours, 'x-delivery-count', 'x-death', 'x-first-death-reason', 'more', '__proto__'];
  strangerSuite({
    name: 'RabbitMQ',
    url,
    strangerTo: (exchange) => {
      const publish = (to: string, routingKey: string, source: Source) => {
        const value = () =>
          source.oneOf<() => unknown>([
            () => anyText(source).slice(0, 30_000),
            () => source.oneOf([null, true, -1, 1.5, 2 ** 40, new Date(0), [1, ['a']], deep(500)]),
          ])();
        const headers = Object.fromEntries(
          Array.from({ length: source.below(3) }, () => [source.oneOf(names), value()]),
        );
        const contentType = source.oneOf(['application/json', 'text/plain', 'application/octet-stream']);
        const nested = Buffer.from(`${'['.repeat(20_000)}${']'.repeat(20_000)}`);
        const [type, contentEncoding] = [
          source.oneOf(['', 'REQUEST', 'RESPONSE', 'x'.repeat(200)]),
          source.oneOf(['', 'gzip']),
        ];
        const envelope = { exchange: to, routingKey, headers, contentType, contentEncoding, type };
        return publisher.send(envelope, source.oneOf([() => nested, () => anyBytes(source)])());
      };
      return {
        put: (kind, name, source) => publish('', `flowstate.${exchange}.${kind}.${name}`, source),
        announce: (room, source) => publish(`flowstate.${exchange}.rooms`, room, source),
      };
    },
  });
});
