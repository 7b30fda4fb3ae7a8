import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFormatError } from '../../src/errors.js';
import { loadSchemas, MessageCodec, PLACES } from '../../src/workers/protocol/codec.js';
import { SCHEMAS } from '../../src/workers/protocol/messages.js';
import { isSurely } from '../../src/workers/protocol/quick-check.js';
import { REQUEST } from './messages.js';

const REPLY = { version: 2, requestId: 'r', submission: 's', dispatch: 1, workerId: 'w', delivery: 1, number: 1 };
const COMMON = [
  ['REQUEST', REQUEST],
  ['REQUEST', { ...REQUEST, action: 'revert', takesUp: true, events: ['update_progress', '*'] }],
  ['REQUEST', { ...REQUEST, sole: { workerId: 'w', startedAt: 0 } }],
  ['RESPONSE', { ...REPLY, state: 'RUNNING', data: {} }],
  ['RESPONSE', { ...REPLY, state: 'EVENT', data: { event_type: 'update_progress', details: '[{}]' } }],
  ['RESPONSE', { ...REPLY, state: 'SUCCESS', data: { result: '[null]' } }],
  ['HEARTBEAT', { version: 2, workerId: 'w', beat: 3, requests: [{ requestId: 'r', submission: 's', dispatch: 1 }] }],
  ['ASK', { version: 2 }],
  [
    'NOTIFY',
    {
      version: 2,
      topic: 't',
      tasks: [{ name: 'a', versions: ['1.0', null] }],
      workerId: 'w',
      capacity: 1,
      inFlight: 0,
      startedAt: 5,
      number: 1,
      everyMs: 0.5,
    },
  ],
  ['BYE', { version: 2, workerId: 'w', topic: 't' }],
  ['ADOPT', { version: 2, requestIds: ['r'] }],
] as const;

type Fields = Record<string, unknown>;

/** Values at the edges of what fields take, and others. */
const anyValue = fc.oneof(
  fc.constantFrom<unknown>(-1, 0, 1, 1.5, 2 ** 53, null, true, '', 'a'.repeat(1024), 'a'.repeat(1025), [], {}, [1]),
  fc.constantFrom('execute', 'revert', 'SUCCESS', 'FAILURE', 'RUNNING', 'EVENT'),
  fc.jsonValue(),
);

interface Change {
  readonly inner: boolean;
  readonly at: number;
  readonly kind: 'set' | 'remove' | 'add';
  readonly name: string;
  readonly value: unknown;
}

const anyChange: fc.Arbitrary<Change> = fc.record({
  inner: fc.boolean(),
  at: fc.nat(30),
  kind: fc.constantFrom('set', 'remove', 'add'),
  name: fc.constantFrom('more', '__proto__', 'failures', 'failureMaps', 'result', 'failure'),
  value: anyValue,
});

/** As a message has it: read from JSON. */
function changed(body: object, changes: readonly Change[]): unknown {
  const copy = structuredClone(body) as Fields;
  for (const { inner, at, kind, name, value } of changes) {
    const parts = Object.values(copy).filter((each) => typeof each === 'object' && each !== null) as Fields[];
    const fields = inner ? (parts[at % Math.max(1, parts.length)] ?? copy) : copy;
    const names = Object.keys(fields);
    const chosen = kind === 'add' ? name : (names[at % Math.max(1, names.length)] ?? name);
    if (kind === 'remove') Reflect.deleteProperty(fields, chosen);
    else {
      const own = { value: structuredClone(value), enumerable: true, configurable: true, writable: true };
      Object.defineProperty(fields, chosen, own);
    }
  }
  return JSON.parse(JSON.stringify(copy));
}

describe('the quick check of a body', () => {
  it.each(COMMON)('is sure of what is most common: %s', (type, body) => {
    expect(isSurely(type, JSON.parse(JSON.stringify(body)))).toBe(true);
  });

  it('is sure of nothing that the schema refuses, or would change', () => {
    let sure = 0;
    fc.assert(
      fc.property(fc.constantFrom(...COMMON), fc.array(anyChange, { maxLength: 3 }), ([type, body], changes) => {
        const given = changed(body, changes);
        if (!isSurely(type, given)) return;
        sure += 1;
        const parsed = SCHEMAS[type].safeParse(given);
        expect(parsed.data).toStrictEqual(given);
      }),
      { numRuns: 10_000 },
    );
    expect(sure).toBeGreaterThan(500);
  });

  it('leaves other bodies, and other types, to the schema', () => {
    expect(isSurely('RESPONSE', { ...REPLY, state: 'FAILURE', data: {} })).toBe(false);
    expect(isSurely('ASK', {})).toBe(false);
    expect(isSurely('NOTIFY', { topic: 't', tasks: ['a'] })).toBe(false);
    expect(isSurely('CANCEL', { version: 2, requestId: 'r', submission: 's', reason: {} })).toBe(false);
    expect(isSurely('REQUEST', null)).toBe(false);
    expect(isSurely('REQUEST', [REQUEST])).toBe(false);
  });
});

describe('a codec that gets the schemas when it needs them', () => {
  const place = PLACES.mailbox('m');
  const types = ['RESPONSE'] as const;
  const writer = new MessageCodec({ signing: null, maxMessageBytes: 10_000 });
  const ending = (number: number) =>
    writer.write('RESPONSE', { ...REPLY, version: 2, number, state: 'SUCCESS', data: { result: '[1]' } }, { place });
  const failed = (number: number) => {
    const failure = { version: 1 as const, typeNames: ['Error'], message: 'no', stack: null };
    return writer.write('RESPONSE', { ...REPLY, version: 2, number, state: 'FAILURE', data: { failure } }, { place });
  };

  it('reads common messages at once, and others in order with what comes after them', async () => {
    let loads = 0;
    const load = () => {
      loads += 1;
      return loadSchemas();
    };
    const codec = new MessageCodec({ signing: null, maxMessageBytes: 10_000, load });
    const read: number[] = [];
    const hear = (message: ReturnType<typeof ending>) =>
      new Promise<void>((resolve) => {
        codec.soon(message, types, () => {
          read.push(codec.read(message, place, types).body.number);
          resolve();
        });
      });
    void hear(ending(1));
    expect([read, loads]).toEqual([[1], 0]);
    const others = [failed(2), ending(3), failed(4)].map(hear);
    expect([read, loads]).toEqual([[1], 1]);
    await Promise.all(others);
    expect(read).toEqual([1, 2, 3, 4]);
    void hear(failed(5));
    expect([read.at(-1), loads]).toEqual([5, 1]);
  });

  it('says at once what is wrong with what cannot be read at all', () => {
    const codec = new MessageCodec({
      signing: null,
      maxMessageBytes: 10,
      load: () => Promise.reject(new Error('they are not needed')),
    });
    const wrong = [
      { properties: { type: 'RESPONSE' }, body: Buffer.from('no json') },
      { properties: { type: 'RESPONSE' }, body: Buffer.from([0xff]) },
      { properties: { type: 'OTHER' }, body: Buffer.from('{}') },
      ending(1),
    ];
    let calls = 0;
    for (const message of wrong) {
      codec.soon(message, types, () => {
        calls += 1;
        expect(() => codec.read(message, place, types)).toThrow(InvalidFormatError);
      });
    }
    expect(calls).toBe(wrong.length);
  });

  it('has what waits called when the schemas cannot be had, to be told so', async () => {
    const codec = new MessageCodec({ signing: null, maxMessageBytes: 10_000, load: () => Promise.reject(new Error()) });
    const message = failed(1);
    await new Promise<void>((resolve) => codec.soon(message, types, resolve));
    expect(() => codec.read(message, place, types)).toThrow('common messages only');
  });
});
