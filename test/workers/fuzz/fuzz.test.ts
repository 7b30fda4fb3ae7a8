import { readConfigureGlobal } from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { task } from '../../../src/index.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import { settled } from '../../../src/testing/virtual-environment.js';
import { workerMailbox } from '../../../src/workers/protocol/codec.js';
import type { RequestKey } from '../../../src/workers/protocol/messages.js';
import { signing } from '../../../src/workers/protocol/signing.js';
import type { Message } from '../../../src/workers/transport.js';
import type { Asked, ScriptedWorker } from '../stage.js';
import { ask, Stage } from '../stage.js';
import type { Door } from './malformed.js';
import { Malformed, MAX_MESSAGE_BYTES } from './malformed.js';
import { heapInUseMb } from './memory.js';
import { sourceOf } from './mutations.js';

/*
 * Messages from somebody who makes mistakes, or means harm, at all doors of a worker and of an engine. There are as many
 * as FLOWSTATE_FUZZ_MESSAGES says, with `npm run fuzz` 100,000; FLOWSTATE_SEED gives others.
 */

const COUNT = Number(process.env['FLOWSTATE_FUZZ_MESSAGES'] ?? 8000);
const SEED = readConfigureGlobal().seed ?? Date.now();
const BATCH = 500;
/** How often everything may have its turn before it counts as hanging. */
const MOST_TURNS = 400;
const LONGEST_MS = 30 * 60 * 1000;
/** What a seed leaves behind: compiled code, and stores that are full to their bounds. */
const MOST_GROWTH_MB = 4;

let stage: Stage;
beforeEach(() => {
  stage = new Stage();
});
afterEach(() => stage.close());

const echo = task({ name: 'echo', version: '1.0', execute: (args) => args, revert: () => undefined });

const FORMS = [
  ['without signatures', null],
  ['with signatures', { keys: { ours: 'secret' } }],
] as const;

/** Goes on until it is so, and not for ever. */
async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < MOST_TURNS && !isSo(); turn++) await settled();
  if (!isSo()) throw new Error(`Seed ${SEED}: it hangs: ${what}`);
}

/** Sends messages to some doors, a batch at a time. @returns by how much what is in use has grown, in MiB. */
async function flood(parts: {
  readonly doors: readonly Door[];
  readonly keys: { readonly ours: string } | undefined;
  readonly underWay: () => RequestKey;
  readonly count: number;
  readonly batch: (deliver: () => Promise<void>) => Promise<void>;
}): Promise<number> {
  const { doors, keys, underWay, count, batch } = parts;
  const link = await stage.link();
  const source = sourceOf(seededRandom(SEED));
  const signed = keys && {
    own: signing({ keys }, stage.clock) ?? fail(),
    foreign: signing({ keys: { ours: 'a guess' } }, stage.clock) ?? fail(),
  };
  const startedAt = stage.clock.now();
  const addresses = { topic: 'topic', workerId: 'worker', startedAt, runId: 'run', answers: 'answers', underWay };
  const malformed = new Malformed(source, addresses, signed ?? null);
  let before = 0;
  for (let sent = 0; sent < count; sent += BATCH) {
    if (before === 0 && sent >= count / 4) before = await heapInUseMb();
    await batch(async () => {
      const size = Math.min(BATCH, count - sent);
      const messages = Array.from({ length: size }, () => {
        const door = source.oneOf(doors);
        return [door, malformed.next(door)] as const;
      });
      for (const [door, message] of messages) await malformed.deliver(link, door, message);
    });
    stage.clock.delays.length = 0;
  }
  return (await heapInUseMb()) - before;
}

function fail(): never {
  throw new TypeError('There is a key');
}

/** What a broker was told of messages in one batch. */
class Book {
  readonly answered: Message[] = [];
  readonly rejected: Message[] = [];
  readonly endings = new Set<unknown>();

  constructor(place: string) {
    stage.broker.intercept(({ kind, place: where, message }) => {
      if (kind === 'post' && where !== workerMailbox('worker')) {
        const { state } = JSON.parse(Buffer.from(message.body).toString()) as { state: string };
        if (state === 'SUCCESS' || state === 'FAILURE') this.endings.add(message.properties.correlationId);
      } else if (where === place && kind === 'ack') this.answered.push(message);
      else if (where === place && kind === 'reject') this.rejected.push(message);
      return undefined;
    });
  }

  clear(): void {
    this.answered.length = 0;
    this.rejected.length = 0;
    this.endings.clear();
  }
}

describe.each(FORMS)(`malformed messages %s (seed ${SEED})`, (_, signed) => {
  const keys = signed?.keys;
  const count = Math.ceil(COUNT / 4);

  it(
    'that come to a worker become dead letters with a reason or get an answer, and change nothing',
    async () => {
      const noise: unknown[] = [];
      const hear = (error: unknown) => void noise.push(error);
      process.on('unhandledRejection', hear);
      const worker = await stage.worker({
        ...{ tasks: [echo], workerId: 'worker', keys, maxMessageBytes: MAX_MESSAGE_BYTES, maxResults: 100 },
        maxWorkers: 8,
      });
      const link = await stage.link();
      const book = new Book('topic');
      let sent = 0;
      let dead = 0;
      const growth = await flood({
        ...{ doors: ['queue', 'queue', 'queue', 'workerMailbox', 'workersRoom'], keys, count },
        underWay: () => ({ requestId: 'none', submission: 'none', dispatch: 1 }),
        async batch(deliver) {
          let here = 0;
          const stop = stage.broker.intercept(({ kind, place }) => {
            if (kind === 'send' && place === 'topic') here += 1;
            return undefined;
          });
          await deliver();
          stop();
          await until(() => book.answered.length + book.rejected.length === here, 'messages are without an answer');
          for (const { body } of book.answered) {
            const { requestId } = JSON.parse(Buffer.from(body).toString()) as { requestId: string };
            expect(book.endings).toContain(requestId);
          }
          const letters = await link.deadLetters();
          for (const { reason, deliveries } of letters) {
            expect([reason.length > 0 && reason.length < 500, deliveries], reason).toEqual([true, 1]);
            expect(reason).not.toContain('handler threw');
          }
          expect(letters.filter(({ kind }) => kind === 'queue')).toHaveLength(book.rejected.length);
          sent += here;
          dead += letters.length;
          await link.removeAll();
          book.clear();
        },
      });
      process.off('unhandledRejection', hear);
      expect(noise).toEqual([]);
      expect(worker.statistics.rejected).toBe(dead);
      // Not all that was spoilt is wrong, and not all of it is right.
      expect(dead).toBeGreaterThan(sent * 0.5);
      expect(worker.statistics.finished).toBeGreaterThan(sent * 0.02);
      expect(growth).toBeLessThan(MOST_GROWTH_MB);
      expect(Object.keys(Object.prototype)).toEqual([]);
      expect('polluted' in {}).toBe(false);

      const executor = await stage.executor({ topics: ['topic'], keys });
      await stage.pass(600);
      const { submission } = ask(executor, { name: 'echo' });
      await until(() => worker.statistics.released === 0 && stage.broker.isUp, 'the worker is gone');
      await stage.pass(10);
      expect(await submission.outcome).toEqual({});
    },
    LONGEST_MS,
  );

  it(
    'that come to an engine are counted, and its requests end as their workers say',
    async () => {
      const noise: unknown[] = [];
      const hear = (error: unknown) => void noise.push(error);
      process.on('unhandledRejection', hear);
      const executor = await stage.executor({
        ...{ topics: ['scripted'], keys, maxMessageBytes: MAX_MESSAGE_BYTES, transitionTimeoutMs: null },
        ...{ workerExpiryMs: 1000, leaseMs: 10 ** 9 },
      });
      const signs = keys && signing({ keys }, stage.clock);
      const worker: ScriptedWorker = await stage.scripted('w1', 'scripted', signs ?? null);
      await worker.notify();
      const link = await stage.link();
      let asked: Asked | null = null;
      let asks = 0;
      const ended: unknown[] = [];
      const askAnew = async () => {
        asks += 1;
        const own = ask(executor, { key: `key ${asks}` });
        asked = own;
        void own.outcome.then((outcome) => {
          ended.push(outcome);
          if (asked === own) asked = null;
          own.submission.settled?.();
        });
        await until(() => worker.requests.length === asks, 'a request is not sent');
      };
      const growth = await flood({
        ...{ doors: ['runMailbox', 'runMailbox', 'runMailbox', 'enginesRoom'], keys, count },
        underWay: () => worker.request.body,
        async batch(deliver) {
          // Who said of itself what is not so is forgotten, and the worker says anew who it is.
          stage.clock.advance(1001);
          await worker.notify();
          if (asked === null) await askAnew();
          await deliver();
          for (let turn = 0; turn < 3; turn++) await settled();
          for (const { reason } of await link.deadLetters()) {
            expect(reason.length > 0 && reason.length < 500, reason).toBe(true);
            expect(reason).not.toContain('handler threw');
          }
          await link.removeAll();
          for (const each of worker.requests) (each as { delivery: unknown }).delivery = null;
          ended.length = 0;
        },
      });
      process.off('unhandledRejection', hear);
      expect(noise).toEqual([]);
      expect(executor.statistics.invalidMessages).toBeGreaterThan(count * 0.3);
      expect(growth).toBeLessThan(MOST_GROWTH_MB);
      expect(Object.keys(Object.prototype)).toEqual([]);

      stage.clock.advance(1001);
      await worker.notify();
      await askAnew();
      const last = (asked as Asked | null)?.outcome;
      await worker.reply({ state: 'SUCCESS', data: { result: '["at last"]' } });
      expect(await last).toBe('at last');
    },
    LONGEST_MS,
  );
});
