import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFormatError, UnstorableValueError } from '../../../src/errors.js';
import { encryptingCodec } from '../../../src/persistence/codecs/encrypting.js';
import type { EncryptingCodecOptions } from '../../../src/persistence/codecs/encrypting.js';
import { richCodec } from '../../../src/persistence/codecs/rich.js';
import { thrownBy } from './thrown-by.js';

const SECRET = 'hunter2-hunter2';
const old = randomBytes(32);
const recent = randomBytes(32);

const codecOf = (options: Partial<EncryptingCodecOptions> = {}) =>
  encryptingCodec({ keys: { recent }, current: 'recent', ...options });

/** Everything that can be seen of an error: also what is behind it. */
const allOf = (error: unknown) => inspect(error, { depth: Infinity, showHidden: true });

describe('the encrypting codec', () => {
  it('gives back any JSON value, and shows nothing of it', () => {
    const codec = codecOf();
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(JSON.stringify(codec.decode(codec.encode(value)))).toBe(JSON.stringify(value));
      }),
    );
    const text = codec.encode({ token: SECRET });
    expect(text).toMatch(/^aes256gcm\.1:recent:[\w-]+$/);
    expect(Buffer.from(text.split(':')[2]!, 'base64url').toString('latin1')).not.toMatch(/hunter2|token/);
  });

  it('takes another codec within', () => {
    const codec = codecOf({ inner: richCodec });
    const value = new Map([[1n, new Date(5)]]);
    expect(codec.decode(codec.encode(value))).toEqual(value);
  });

  it('writes the same value differently each time, from a nonce of 96 bits', () => {
    const codec = codecOf();
    expect(codec.encode(1)).not.toBe(codec.encode(1));
    const sizes: number[] = [];
    const counting = codecOf({ randomBytes: (size) => Buffer.alloc(size, sizes.push(size)) });
    const texts = [counting.encode(1), counting.encode(1)];
    expect(sizes).toEqual([12, 12]);
    expect(texts.map((text) => Buffer.from(text.split(':')[2]!, 'base64url')[0])).toEqual([1, 2]);
  });

  it('writes with the current key, and reads with all', () => {
    const before = encryptingCodec({ keys: { old }, current: 'old' });
    const rotated = encryptingCodec({ keys: { old, recent }, current: 'recent' });
    const after = encryptingCodec({ keys: { recent }, current: 'recent' });
    const early = before.encode(SECRET);
    expect(rotated.decode(early)).toBe(SECRET);
    const late = rotated.encode(SECRET);
    expect(late).toMatch(/:recent:/);
    expect(after.decode(late)).toBe(SECRET);
    expect(() => after.decode(early)).toThrow(
      new InvalidFormatError("What is stored is encrypted with the key 'old', and there are only recent"),
    );
  });

  it('does not feel what is done to a key later', () => {
    const key = Buffer.from(recent);
    const codec = encryptingCodec({ keys: { recent: key }, current: 'recent' });
    key.fill(0);
    expect(codecOf().decode(codec.encode(1))).toBe(1);
  });

  it('notices every change of a text', () => {
    const codec = encryptingCodec({ keys: { old, recent, copy: recent }, current: 'recent' });
    const text = codec.encode({ token: SECRET });
    const body = text.indexOf(':', 12) + 1;
    for (let at = 0; at < text.length; at += 1) {
      for (const other of ['A', 'b', '!', ':', '']) {
        if (text[at] === other) continue;
        const forged = text.slice(0, at) + other + text.slice(at + 1);
        const error = thrownBy(() => codec.decode(forged));
        expect(error, forged).toBeInstanceOf(InvalidFormatError);
        expect(allOf(error)).not.toContain('hunter2');
      }
    }
    for (const forged of [`${text}A`, `${text}=`, ` ${text}`, `${text}\n`, text.slice(0, body), '', SECRET]) {
      expect(() => codec.decode(forged), forged).toThrow(InvalidFormatError);
    }
    // The id is authenticated: under another, even of the same key, it is another text.
    expect(() => codec.decode(text.replace('recent', 'copy'))).toThrow(/changed or cut off/);
    expect(() => codec.decode(text.replace('recent', 'old'))).toThrow(/another key that is called 'old'/);
  });

  it('quotes nothing of what it reads that is not its own', () => {
    for (const text of [JSON.stringify(SECRET), `aes256gcm.1:${SECRET}`, `aes256gcm.1:recent:${SECRET}`]) {
      expect(allOf(thrownBy(() => codecOf().decode(text)))).not.toContain('hunter2');
    }
  });

  it('quotes nothing of what it cannot keep, and says where it is', () => {
    const trap = {
      get token(): never {
        throw new Error(SECRET);
      },
    };
    for (const inner of [undefined, richCodec]) {
      const codec = codecOf({ inner });
      const error = thrownBy(() => codec.encode({ token: SECRET, rows: [SECRET, { when: () => SECRET }] }));
      expect(error).toBeInstanceOf(UnstorableValueError);
      expect(error).toMatchObject({ path: '$.rows[1].when', reason: 'a function' });
      expect(allOf(error)).not.toContain('hunter2');
      expect(allOf(thrownBy(() => codec.encode(trap)))).not.toContain('hunter2');
    }
  });

  it('hides what the codec within throws', () => {
    const codec = codecOf({
      inner: {
        encode: (value) => {
          if (value === SECRET) throw new Error(SECRET);
          return value === 'half' ? '\ud800' : String(value);
        },
        decode: (text) => {
          throw new Error(text);
        },
      },
    });
    expect(allOf(thrownBy(() => codec.encode(SECRET)))).toMatch(/^UnstorableValueError: (?!.*hunter2)/s);
    expect(allOf(thrownBy(() => codec.decode(codec.encode([SECRET]))))).toMatch(/^InvalidFormatError: (?!.*hunter2)/s);
    expect(() => codec.encode('half')).toThrow(/half a character/);
  });

  it.each<[string, Partial<Record<keyof EncryptingCodecOptions, unknown>>, string]>([
    ['a short key', { keys: { recent: recent.subarray(1) } }, 'keys.recent takes 32 bytes, got 31'],
    ['a long key', { keys: { recent: randomBytes(64) } }, 'keys.recent takes 32 bytes, got 64'],
    ['a key as text', { keys: { recent: SECRET } }, 'keys.recent takes 32 bytes, got a string'],
    [
      'an id that cannot be stored',
      { keys: { 'a:b': recent } },
      'keys takes ids of 1 to 64 letters, digits, _, . and -, got "a:b"',
    ],
    [
      'an unknown current key',
      { keys: { recent, old }, current: 'newest' },
      'current takes the id of one of the keys, recent, old',
    ],
    [
      'a current key that objects have by nature',
      { current: 'constructor' },
      'current takes the id of one of the keys, recent',
    ],
    ['no keys', { keys: {} }, 'current takes the id of one of the keys, and there are none'],
  ])('refuses %s when it is made', (_what, options, message) => {
    const error = thrownBy(() => codecOf(options as Partial<EncryptingCodecOptions>));
    expect(error).toEqual(new TypeError(message));
    expect(allOf(error)).not.toContain('hunter2');
  });

  it('shows no keys', () => {
    expect(inspect(codecOf(), { depth: Infinity, showHidden: true })).not.toContain(recent.toString('hex').slice(0, 4));
  });
});
