import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { staleSchemas } from '../../scripts/schemas/files.js';
import { Failure } from '../../src/failure.js';
import { manualEnvironment } from '../engines/manual-environment.js';
import { REQUEST } from './messages.js';
import { MessageCodec, OversizedMessageError, PLACES } from '../../src/workers/protocol/codec.js';
import { SCHEMAS } from '../../src/workers/protocol/messages.js';
import { signing } from '../../src/workers/protocol/signing.js';
import type { SigningOptions } from '../../src/workers/protocol/signing.js';
import { argumentsIn, argumentsText, requestIdOf, valueIn, valueText } from '../../src/workers/protocol/values.js';

const OWNER = { atom: 'a', what: 'result' };

const REPLY = { version: 2, requestId: 'r', submission: 's', dispatch: 1, workerId: 'w', delivery: 1, number: 1 };
const FAILED = { version: 1, typeNames: ['Error'], message: 'no', stack: null };

describe('the bodies of messages', () => {
  it.each([
    ['REQUEST', REQUEST],
    [
      'REQUEST',
      { ...REQUEST, action: 'revert', later: 'field', arguments: { values: '[{}]', failures: { result: FAILED } } },
    ],
    ['RESPONSE', { ...REPLY, state: 'RUNNING', data: {} }],
    ['RESPONSE', { ...REPLY, state: 'EVENT', data: { event_type: 'update_progress', details: '[{}]' } }],
    ['RESPONSE', { ...REPLY, state: 'SUCCESS', data: { result: '[null]' } }],
    ['RESPONSE', { ...REPLY, state: 'FAILURE', data: { failure: { ...FAILED, causes: [FAILED] } } }],
    ['NOTIFY', { topic: 't', tasks: ['a', 'b'] }],
    ['ASK', {}],
    ['ASK', { version: 2 }],
  ] as const)('are taken: %s %j', (type, body) => {
    expect(SCHEMAS[type].safeParse(body).success).toBe(true);
  });

  it.each([
    ['REQUEST', { ...REQUEST, action: 'run' }],
    ['REQUEST', { ...REQUEST, version: 1 }],
    ['REQUEST', { ...REQUEST, task: { name: '', version: '1', parameters: '[]' } }],
    ['REQUEST', { ...REQUEST, dispatch: 0 }],
    ['REQUEST', { ...REQUEST, arguments: { values: '[{}]', failures: { result: { message: 'no' } } } }],
    ['RESPONSE', { ...REPLY, state: 'PAUSED', data: {} }],
    ['RESPONSE', { ...REPLY, state: 'RUNNING', data: { result: '[1]' } }],
    ['RESPONSE', { ...REPLY, state: 'SUCCESS', data: { result: '[1]', failure: FAILED } }],
    ['RESPONSE', { ...REPLY, state: 'FAILURE', data: { failure: { message: 'no' } } }],
    ['NOTIFY', { topic: 't', tasks: ['a'], more: 1 }],
    ['NOTIFY', { topic: 't' }],
    ['ASK', { more: 1 }],
  ] as const)('are refused: %s %j', (type, body) => {
    expect(SCHEMAS[type].safeParse(body).success).toBe(false);
  });

  it('are published as JSON Schemas, which are as the code has them', () => {
    expect(staleSchemas(join(import.meta.dirname, '../..'))).toEqual([]);
  });
});

describe('a value in a message', () => {
  it('comes back as it went in, or is refused with its place', () => {
    const values = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(values, (value) => {
        let text: string;
        try {
          text = valueText(value, OWNER, 'to a worker');
        } catch (error) {
          expect(error).toMatchObject({ name: 'UncrossableValueError', atom: 'a', what: 'result' });
          return;
        }
        expect(valueIn(JSON.parse(JSON.stringify(text)) as string)).toEqual(value);
      }),
    );
  });

  it('that cannot be sent is named by its argument', () => {
    const args = { good: 1, bad: { deep: [() => 1] } };
    expect(() => argumentsText(args, 'a')).toThrow(
      "The argument 'bad' of a cannot cross to a worker: a function at $.deep[0]",
    );
  });

  it('may be a failure, or failures by atom', () => {
    const failure = Failure.from(new RangeError('no', { cause: new Error('deep') }));
    const back = argumentsIn(argumentsText({ result: failure, flowFailures: new Map([['b', failure]]), x: 1 }, 'a'));
    expect((back['result'] as Failure).matches(failure)).toBe(true);
    expect((back['flowFailures'] as Map<string, Failure>).get('b')?.causes).toMatchObject([{ message: 'deep' }]);
    expect(back['x']).toBe(1);
  });
});

describe('the id of a request', () => {
  it('follows from the key of the attempt alone, and is a UUID', () => {
    expect(requestIdOf('run:0:a:execute')).toBe(requestIdOf('run:0:a:execute'));
    expect(requestIdOf('run:0:a:execute')).not.toBe(requestIdOf('run:0:a:revert'));
    expect(requestIdOf('x')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('a signed message', () => {
  const HOUR = 60 * 60 * 1000;

  function codecs(mine: SigningOptions, theirs: SigningOptions = mine) {
    const [sender, receiver] = [manualEnvironment(), manualEnvironment()];
    const codec = (options: SigningOptions, { clock } = sender) =>
      new MessageCodec({ signing: signing(options, clock), maxMessageBytes: 10_000, schemas: SCHEMAS });
    return { write: codec(mine), read: codec(theirs, receiver), sender, receiver };
  }

  const place = PLACES.queue('topic');
  const keys = { one: 'secret', two: 'another' };

  it('is read with the key that it names', () => {
    const { write, read } = codecs({ keys, keyId: 'two' }, { keys, keyId: 'one' });
    expect(read.read(write.write('REQUEST', REQUEST, { place, replyTo: 'me' }), place, ['REQUEST'])).toMatchObject({
      body: REQUEST,
      replyTo: 'me',
    });
  });

  it('is refused when anything about it was changed', () => {
    const { write, read } = codecs({ keys, keyId: 'one' });
    const message = write.write('REQUEST', REQUEST, { place, replyTo: 'me', correlationId: 'r' });
    const { properties, body } = message;
    const headers = properties.headers ?? {};
    const forged = [
      { ...message, body: Buffer.from(Buffer.from(body).toString().replace('execute', 'revert')) },
      { ...message, properties: { ...properties, replyTo: 'thief' } },
      { ...message, properties: { ...properties, correlationId: 'other' } },
      { ...message, properties: { ...properties, headers: { ...headers, 'flowstate-key': 'two' } } },
      { ...message, properties: { ...properties, headers: { ...headers, 'flowstate-sent-at': '0' } } },
      { ...message, properties: { ...properties, headers: { ...headers, 'flowstate-signature': 'x' } } },
    ];
    for (const each of forged) expect(() => read.read(each, place, ['REQUEST'])).toThrow('its signature does not fit');
    expect(() => read.read(message, PLACES.queue('other'), ['REQUEST'])).toThrow('its signature does not fit');
  });

  it('is refused without a signature, and with a key that is not known', () => {
    const { read } = codecs({ keys: { one: 'secret' } });
    const plain = new MessageCodec({ signing: null, maxMessageBytes: 10_000, schemas: SCHEMAS });
    expect(() => read.read(plain.write('ASK', { version: 2 }, { place }), place, ['ASK'])).toThrow('it is not signed');
    const other = codecs({ keys: { three: 'x' } }).write;
    expect(() => read.read(other.write('ASK', { version: 2 }, { place }), place, ['ASK'])).toThrow(
      'which is not known',
    );
  });

  it('may come from a host whose clock is an hour ahead or behind', () => {
    for (const ahead of ['sender', 'receiver'] as const) {
      const world = codecs({ keys: { one: 'secret' } });
      world[ahead].clock.advance(HOUR);
      const message = world.write.write('ASK', { version: 2 }, { place });
      expect(world.read.read(message, place, ['ASK']).body).toEqual({ version: 2 });
    }
  });

  it('expires', () => {
    const world = codecs({ keys: { one: 'secret' }, messageTtlMs: HOUR, maxSkewMs: 1000 });
    const message = world.write.write('ASK', { version: 2 }, { place });
    world.receiver.clock.advance(HOUR + 1000);
    expect(world.read.read(message, place, ['ASK']).type).toBe('ASK');
    world.receiver.clock.advance(1);
    expect(() => world.read.read(message, place, ['ASK'])).toThrow('too far from now');
  });
});

describe('a message', () => {
  it('that is larger than it may be is neither written nor read', () => {
    const small = new MessageCodec({ signing: null, maxMessageBytes: 100, schemas: SCHEMAS });
    const large = new MessageCodec({ signing: null, maxMessageBytes: 10_000, schemas: SCHEMAS });
    const place = PLACES.queue('t');
    expect(() => small.write('REQUEST', REQUEST, { place })).toThrow(OversizedMessageError);
    expect(() => small.read(large.write('REQUEST', REQUEST, { place }), place, ['REQUEST'])).toThrow(
      'more than the 100 of maxMessageBytes',
    );
  });
});
