import { readConfigureGlobal } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFormatError } from '../../../src/errors.js';
import { seededRandom } from '../../../src/testing/seeded-random.js';
import { decodeMessage, encodeMessage } from '../../../src/workers/message-bytes.js';
import type { DeadLetter, Message } from '../../../src/workers/transport.js';
import * as amqp from '../../../src/workers/transports/amqp/carried.js';
import type { AmqpMessage } from '../../../src/workers/transports/amqp/driver.js';
import { Names } from '../../../src/workers/transports/amqp/names.js';
import { nameOf, parseName } from '../../../src/workers/transports/filesystem/file-names.js';
import * as redis from '../../../src/workers/transports/redis/entries.js';
import type { Source } from './mutations.js';
import { oddValue, sourceOf, withOtherBytes, withOtherPart } from './mutations.js';

/*
 * What transports find in the places of an exchange, when somebody else writes there. There are as many as
 * FLOWSTATE_FUZZ_MESSAGES says, with `npm run fuzz` 100,000; FLOWSTATE_SEED gives others.
 */

const COUNT = Number(process.env['FLOWSTATE_FUZZ_MESSAGES'] ?? 8000);
const SEED = readConfigureGlobal().seed ?? Date.now();
const LONGEST_MS = 30 * 60 * 1000;
/** Of the header of a message over AMQP, with room for what is not counted here. */
const MOST_HEADER_BYTES = 120_000;
const NAMES = new Names('shop');

const SENT: Message = {
  properties: { type: 'REQUEST', replyTo: 'engine-run', correlationId: 'c', headers: { 'flowstate-key': 'ours' } },
  body: Buffer.from('{"version":2,"requestId":"r"}\n'),
};
const BURIED: DeadLetter = {
  ...{ id: '0-1', message: SENT, kind: 'queue', place: 'payments', reason: 'it is late', deliveries: 3, at: 1000 },
};

/** Tries something with one case after the other. @returns what came out. */
function tried<Result>(work: (source: Source) => Result): Result[] {
  const source = sourceOf(seededRandom(SEED));
  const results: Result[] = [];
  for (let index = 0; index < COUNT / 4; index++) {
    try {
      results.push(work(source));
    } catch (error) {
      throw new Error(`Seed ${SEED}, case ${index}`, { cause: error });
    }
  }
  expect('polluted' in {}).toBe(false);
  return results;
}

/** A message that was read can be written, and is read as the same again. */
function expectWhole(message: Message, readAgain: (message: Message) => Message | string | null): void {
  expect(Object.keys(message.properties).every((name) => name in { ...SENT.properties })).toBe(true);
  const again = readAgain(message);
  if (again === null || typeof again === 'string') throw new Error(`It is not read again: ${again ?? 'it is none'}`);
  expect(JSON.stringify(again.properties)).toBe(JSON.stringify(message.properties));
  expect(Buffer.compare(again.body, message.body)).toBe(0);
}

function expectCount(deliveries: number, least: number): void {
  expect([Number.isSafeInteger(deliveries), deliveries >= least], String(deliveries)).toEqual([true, true]);
}

function expectLetter(letter: DeadLetter): void {
  expect(['queue', 'mailbox']).toContain(letter.kind);
  expect([letter.id, letter.place, letter.reason].map((each) => typeof each)).toEqual(['string', 'string', 'string']);
  expect(typeof letter.at).toBe('number');
  expectCount(letter.deliveries, 0);
}

/** One or two of the members are something else, are gone, or are some that nobody knows. */
function withOddMembers(value: Readonly<Record<string, unknown>>, source: Source): Record<string, unknown> {
  const copy = { ...value };
  for (let times = 1 + source.below(2); times > 0; times--) {
    const name = source.oneOf([...Object.keys(value), 'more', '__proto__', '']);
    if (source.below(4) === 0) Reflect.deleteProperty(copy, name);
    else
      Object.defineProperty(copy, name, {
        value: oddValue(source),
        enumerable: true,
        configurable: true,
        writable: true,
      });
  }
  return copy;
}

describe(`what others write, as messages (seed ${SEED})`, () => {
  it(
    'in files is a message that can be written again, or is refused with a short reason',
    { timeout: LONGEST_MS },
    () => {
      const notes = { kind: 'queue', place: 'payments', reason: 'it is late', deliveries: 3, at: 1000 };
      const head = { ...notes, bytes: SENT.body.length, properties: SENT.properties };
      const results = tried((source) => {
        const bytes = source.oneOf([
          () => Buffer.from(withOtherBytes(encodeMessage(SENT, notes), source)),
          () => Buffer.concat([Buffer.from(`${withOtherPart(head, source)}\n`), SENT.body]),
        ])();
        let message: Message;
        try {
          ({ message } = decodeMessage(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidFormatError);
          expect(String(error).length).toBeLessThan(500);
          return 'refused';
        }
        expectWhole(message, (each) => decodeMessage(encodeMessage(each)).message);
        return 'read';
      });
      expect(new Set(results)).toEqual(new Set(['read', 'refused']));
    },
  );

  it('by the names of files is one that counts on, or none', { timeout: LONGEST_MS }, () => {
    const results = tried((source) => {
      const given = source.oneOf(['0', '7', '999999999', '9'.repeat(17), '9'.repeat(240), '-1', '1e5', '']);
      const order = source.oneOf(['0001-a', 'a'.repeat(200), 'a'.repeat(250), 'A', '', '..', '0001-a~1']);
      const name = Buffer.from(
        source.below(2) === 0 ? `${order}~${given}` : withOtherBytes(Buffer.from(nameOf('0001-a', 3)), source),
      ).toString();
      const parsed = parseName(name);
      if (parsed === null) return 'none';
      const next = nameOf(parsed.order, parsed.deliveries + 1);
      expect(Buffer.byteLength(next)).toBeLessThan(255);
      expect(parseName(next)?.order).toBe(parsed.order);
      expectCount(parsed.deliveries, 0);
      return 'a name';
    });
    expect(new Set(results)).toEqual(new Set(['a name', 'none']));
  });

  it('in streams of Redis is a message that can be written again, or none', { timeout: LONGEST_MS }, () => {
    const results = tried((source) => {
      const fields = redis.deadFieldsOf(BURIED).map((each) => Buffer.from(each));
      const spoilt = fields.flatMap<unknown>((each) => {
        switch (source.below(12)) {
          case 0:
            return [withOtherBytes(each, source)];
          case 1:
            return [];
          case 2:
            return [each, each];
          case 3:
            return [oddValue(source)];
          case 4:
            return [Buffer.from(withOtherPart({ ...SENT.properties, ...BURIED }, source))];
          default:
            return [each];
        }
      });
      const reply: unknown = source.oneOf<unknown>([
        [[Buffer.from('0-1'), spoilt]],
        [[Buffer.from('0-1'), spoilt]],
        [[Buffer.from('0-1'), spoilt]],
        [oddValue(source)],
        [[oddValue(source), spoilt]],
        [[Buffer.from('0-1'), oddValue(source)]],
        oddValue(source),
      ]);
      redis.entriesRead(reply);
      redis.entriesRead([reply]);
      redis.pendingIn(reply);
      const [entry] = redis.entriesIn(reply);
      if (entry === undefined) return 'no entry';
      expectCount(redis.deliveriesIn(entry), 0);
      const letter = redis.deadLetterIn(entry);
      if (letter !== null) expectLetter(letter);
      const message = redis.messageIn(entry);
      const readAgain = (each: Message) => {
        const [again] = redis.entriesIn([
          [Buffer.from('0-2'), redis.fieldsOf(each).map((field) => Buffer.from(field))],
        ]);
        return again === undefined ? null : redis.messageIn(again);
      };
      expectWhole(message ?? redis.foreignIn(entry), readAgain);
      return message === null ? 'foreign' : letter === null ? 'a message' : 'a dead letter';
    });
    expect(new Set(results)).toEqual(new Set(['no entry', 'foreign', 'a message', 'a dead letter']));
  });

  it('over AMQP is a message that fits into a frame, or what can be kept of it', { timeout: LONGEST_MS }, () => {
    const place = { kind: 'queue', name: 'payments', deliveryLimit: 20 } as const;
    const death = { reason: 'it is late', deliveries: 3, at: 1000 };
    const whole = amqp.fieldsOf({ message: SENT, messageId: 'id', place, death, deliveries: 2 });
    const results = tried((source) => {
      const headers = withOddMembers(
        {
          ...whole.headers,
          ...{ 'x-delivery-count': 2, 'x-first-death-queue': NAMES.place('queue', 'payments') },
          ...{ 'x-first-death-reason': 'delivery_limit', 'x-death': [{ time: 5, queue: 'q' }] },
        },
        source,
      );
      const name = source.oneOf(Object.keys(whole.headers ?? {}));
      if (source.below(3) === 0) headers[name] = withOtherPart(JSON.parse(String(whole.headers?.[name])), source);
      const carried = {
        ...whole,
        deliveryTag: 1,
        redelivered: source.below(2) === 0,
        headers: source.below(10) === 0 ? undefined : headers,
        // As the protocol has them, these are texts, when they are there.
        type: source.oneOf([undefined, '', 'REQUEST', 'é'.repeat(120)]),
        messageId: source.oneOf([undefined, '', 'id']),
        timestamp: source.oneOf([undefined, 0, 2 ** 53]),
        body: source.oneOf<unknown>([SENT.body, SENT.body, 'text', null, 7, oddJson(source)]),
      } as AmqpMessage;
      expectCount(amqp.deliveriesIn(carried), 1);
      const message = amqp.messageIn(carried);
      const kept = typeof message === 'string' ? amqp.remainsOf(carried) : message;
      const readAgain = (each: Message) => {
        const fields = amqp.fieldsOf({
          message: each,
          messageId: 'id',
          place,
          death: { ...death, reason: 'r'.repeat(9999) },
        });
        expect(Buffer.byteLength(Object.values(fields.headers ?? {}).join(''))).toBeLessThan(MOST_HEADER_BYTES);
        return amqp.messageIn({ ...fields, deliveryTag: 2, redelivered: false, body: each.body });
      };
      expectWhole(kept, readAgain);
      const letter = amqp.deadLetterIn(carried, NAMES, 1000);
      if (letter !== null) expectLetter(letter);
      if (typeof message === 'string') return message.replaceAll(/\d+/g, 'many');
      return letter === null ? 'a message' : 'a dead letter';
    });
    expect(new Set(results)).toEqual(
      new Set(['a message', 'a dead letter', 'its JSON nests too deep', 'its properties take many bytes']),
    );
  });
});

/** What the driver may make of a body that says it is JSON. */
function oddJson(source: Source): unknown {
  return source.oneOf<() => unknown>([
    () => JSON.parse(`${'['.repeat(20_000)}${']'.repeat(20_000)}`) as unknown,
    () => JSON.parse('{"__proto__":{"polluted":true},"toJSON":1,"length":3}') as unknown,
    () => [null, true, 1e308, 'text'],
  ])();
}
