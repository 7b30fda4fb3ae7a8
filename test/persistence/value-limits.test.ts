import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { UnstorableValueError, ValueTooLargeError } from '../../src/errors.js';
import { Failure } from '../../src/failure.js';
import { addAttemptFailure, put } from '../../src/persistence/atom-details.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { sqliteBackend } from '../../src/persistence/backends/sql/sqlite.js';
import { encryptingCodec } from '../../src/persistence/codecs/encrypting.js';
import { jsonCodec } from '../../src/persistence/codecs/json.js';
import { fetch } from '../../src/persistence/fetch.js';
import { RowFormat } from '../../src/persistence/rows.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { valueFormat } from '../../src/persistence/value-format.js';
import { aBook, aFlow, aRetry, aRetryThatFailed, aTask } from './made-up-runs.js';

const encrypting = encryptingCodec({ keys: { k: randomBytes(32) }, current: 'k' });
/** A text that takes so many bytes as JSON. */
const ofBytes = (size: number) => 'x'.repeat(size - 2);

function failureWith({ stack = 10, property = 10, cause = 10, message = 10 }): Failure {
  const error = Object.assign(new RangeError('m'.repeat(message), { cause: new Error('c'.repeat(cause)) }), {
    stack: 's'.repeat(stack),
    code: 'E',
    property: 'p'.repeat(property),
  });
  (error.cause as Error).stack = 's';
  return Failure.from(error);
}

describe('maxValueBytes', () => {
  it.each([
    ['a letter', 'x', 600],
    ['letters of several bytes', '€', 200],
    ['letters of two units', '🙂', 150],
  ])('counts bytes in UTF-8, with %s', (_what, letter, count) => {
    const codec = valueFormat({ maxValueBytes: 602 });
    expect(codec.decode(codec.encode(letter.repeat(count)))).toBe(letter.repeat(count));
    expect(() => codec.encode(letter.repeat(count + 1))).toThrow(ValueTooLargeError);
  });

  it('is no limit by default, and then the codec is as it was', () => {
    expect(valueFormat({})).toBe(jsonCodec);
    expect(valueFormat({ codec: encrypting })).toBe(encrypting);
  });

  it.each([0, 511, 1000.5, NaN, -1, Infinity, '1000', null])('takes no %o', (maxValueBytes) => {
    const made = () => memoryBackend({ maxValueBytes: maxValueBytes as number });
    expect(made).toThrow(new TypeError(`maxValueBytes takes a whole number from 512, got ${String(maxValueBytes)}`));
  });

  it('is for copies only', () => {
    expect(() => memoryBackend({ deepCopy: false, maxValueBytes: 1000 })).toThrow(
      new TypeError('maxValueBytes takes deepCopy: true beside it, got deepCopy: false'),
    );
  });

  it.each(['memory?maxValueBytes=1000', 'sqlite::memory:?maxValueBytes=1e3'])('can stand in a URL: %s', async (url) => {
    const backend = await fetch(url);
    expect(() => backend.codec?.encode(ofBytes(1001))).toThrow(/it takes 1001 bytes, more than the 1000/);
    expect(backend.codec?.encode(ofBytes(1000))).toHaveLength(1000);
  });

  it.each(['memory?maxValueBytes=many', 'memory?maxValueBytes='])('takes nothing else there: %s', async (url) => {
    await expect(fetch(url)).rejects.toThrow(/maxValueBytes of the memory backend takes a number/);
  });

  it('goes together with a codec from options', async () => {
    const backend = await fetch({ connection: 'sqlite::memory:?maxValueBytes=600', codec: encrypting });
    expect(backend.codec?.keepsSecrets).toBe(true);
    expect(() => backend.codec?.encode(ofBytes(500))).toThrow(ValueTooLargeError);
  });

  describe.each([
    ['memory', () => memoryBackend({ maxValueBytes: 1000 })],
    ['sqlite', () => sqliteBackend({ path: ':memory:', maxValueBytes: 1000 })],
  ])('in %s', (_name, open) => {
    it('refuses a whole commit for one value, and names it', async () => {
      const backend = open();
      const atoms = [aTask('a', 0), aTask('b', 1)];
      const flow = aFlow('f', ...atoms);
      await usingConnection(backend, async (connection) => {
        await connection.upgrade();
        await connection.saveLogbook(aBook('book', flow));
        const done = [put(atoms[0]!, 'SUCCESS', 1), put(atoms[1]!, 'SUCCESS', ofBytes(2048))];
        const unit = { flowUuid: flow.uuid, expectedRevision: 0, state: 'SUCCESS', atoms: done } as const;
        const refused = connection.commit(unit);
        await expect(refused).rejects.toThrow(ValueTooLargeError);
        await expect(refused).rejects.toThrow(
          "The value at $ cannot be stored: it takes 2048 bytes, more than the 1000 of maxValueBytes, in the results of task 'b'",
        );
        await expect(refused).rejects.toMatchObject({ size: 2048, limit: 1000, path: '$' });
        await expect(connection.commit({ ...unit, atoms: [], meta: { x: ofBytes(2048) } })).rejects.toThrow(
          /in the meta of flow/,
        );
        await expect(connection.saveLogbook({ ...aBook('b'), meta: { x: ofBytes(2048) } })).rejects.toThrow(
          /in the meta of logbook 'b'/,
        );
        expect(await connection.getFlowDetail(flow.uuid)).toEqual(flow);
        expect(await connection.getLogbooks()).toHaveLength(1);
      });
      await backend.close();
    });
  });
});

describe('a failure that is too large', () => {
  const limit = 1000;

  it.each<[string, Parameters<typeof failureWith>[0], Record<string, unknown>]>([
    ['fits', {}, { stack: 's'.repeat(10), properties: { property: 'p'.repeat(10) } }],
    ['loses its stacks', { stack: 5000 }, { stack: null, properties: { property: 'p'.repeat(10) }, code: 'E' }],
    ['loses its properties', { stack: 5000, property: 5000 }, { stack: null, properties: undefined, code: 'E' }],
    [
      'loses its causes',
      { stack: 5000, property: 5000, cause: 5000 },
      { stack: null, causes: undefined, message: 'm'.repeat(10), code: 'E' },
    ],
    [
      'loses the end of its message',
      { message: 5000, cause: 5000 },
      { message: `${'m'.repeat(625)}…`, typeNames: ['RangeError', 'Error'], code: 'E' },
    ],
  ])('%s', (_what, sizes, expected) => {
    for (const codec of [jsonCodec, encrypting]) {
      const rows = new RowFormat(valueFormat({ codec, maxValueBytes: codec === jsonCodec ? limit : limit * 1.5 }));
      for (const state of ['FAILURE', 'REVERT_FAILURE'] as const) {
        const row = rows.encodeAtom(put(aTask('a'), state, failureWith(sizes)));
        const back = rows.decodeAtom(row);
        expect((back.failure ?? back.revertFailure)?.toRecord()).toMatchObject(
          Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)),
        );
        for (const [key, value] of Object.entries(expected)) {
          if (value === undefined) expect((back.failure ?? back.revertFailure)?.toRecord()).not.toHaveProperty(key);
        }
        expect(Buffer.byteLength(row.failure ?? row.revertFailure!)).toBeLessThanOrEqual(limit * 1.5);
      }
    }
  });

  it('fits into the least limit, whatever it is, encrypted or not', () => {
    class AnErrorWithANameThatIsLongerThanAnybodyWouldEverGiveToAClassOfTheirOwn extends Error {}
    const worst = ['\0', '"', '\\', '€', 'x', '\ud800'].map(
      (letter) => new AnErrorWithANameThatIsLongerThanAnybodyWouldEverGiveToAClassOfTheirOwn(letter.repeat(1000)),
    );
    const longId = 'k'.repeat(64);
    const codecs = [jsonCodec, encrypting, encryptingCodec({ keys: { [longId]: randomBytes(32) }, current: longId })];
    for (const codec of codecs) {
      const rows = new RowFormat(valueFormat({ codec, maxValueBytes: 512 }));
      for (const error of worst) {
        const row = rows.encodeAtom(put(aTask('a'), 'FAILURE', Failure.from(error), { progress: 1 / 3 }));
        expect(Buffer.byteLength(row.failure!)).toBeLessThanOrEqual(512);
        expect(rows.decodeAtom(row).failure?.typeNames).toEqual([
          expect.stringMatching(/^AnErrorWithANameThat/),
          'Error',
        ]);
        expect(rows.decodeAtom(row).meta).toEqual({ progress: 1 / 3 });
      }
    }
  });

  it('is shortened in the attempts of a retry, which are refused when that does not help', () => {
    const rows = new RowFormat(valueFormat({ maxValueBytes: limit }));
    const failed = aRetryThatFailed('r', 7, 'a', failureWith({ stack: 5000 }));
    const back = rows.decodeAtom(rows.encodeAtom(failed));
    expect(back.results).toMatchObject([{ provided: 7 }]);
    expect(addAttemptFailure(put(aRetry('r'), 'SUCCESS', 7), 'a', failureWith({})).results).toMatchObject([
      { failures: new Map([['a', { message: 'm'.repeat(10) }]]) },
    ]);
    const tooLarge = aRetryThatFailed('r', ofBytes(limit), 'a', failureWith({}));
    expect(() => rows.encodeAtom(tooLarge)).toThrow(/in the results of retry 'r'/);
  });

  it('is whole without a limit', () => {
    const rows = new RowFormat(jsonCodec);
    const failed = put(aTask('a'), 'FAILURE', failureWith({ stack: 50_000 }));
    expect(rows.decodeAtom(rows.encodeAtom(failed)).failure?.stack).toHaveLength(50_000);
  });
});

describe('an unstorable value', () => {
  it('says whose it is, and keeps its cause', () => {
    const cause = new Error('why');
    const error = new UnstorableValueError('$.a', 'a function', { cause }).of('the result of b');
    expect(error.message).toBe('The value at $.a cannot be stored: a function, in the result of b');
    expect(error).toMatchObject({ path: '$.a', cause });
    const large = new ValueTooLargeError(3, 2).of('the result of b');
    expect(large).toBeInstanceOf(ValueTooLargeError);
    expect(large).toMatchObject({ size: 3, limit: 2, name: 'ValueTooLargeError' });
    expect(Object.hasOwn(large, 'cause')).toBe(false);
  });
});
