import { stringify } from 'devalue';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UnstorableValueError } from '../src/errors.js';
import { readRichText, writeRichText } from '../src/rich-text.js';

const ODD = [-0, NaN, Infinity, undefined, 'a', 'a', '1', 1, '<', '"', '\\', '\u007f', '\ud800'];
const plain = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.string({ unit: 'binary' }),
  fc.boolean(),
  fc.constantFrom<unknown>(null, ...ODD),
);
const key = fc.oneof(fc.string(), fc.constantFrom('a', '1', '01', '__proto__', 'length'));
const flat = fc.oneof(plain, fc.array(plain, { maxLength: 10 }), fc.dictionary(key, plain));

describe('the text of a value', () => {
  it('is the same whether it was written the short way or not', () => {
    fc.assert(
      fc.property(flat, (value) => {
        fc.pre(!(typeof value === 'object' && value !== null && Object.hasOwn(value, '__proto__')));
        const text = writeRichText(value);
        expect(text).toBe(stringify(value));
        expect(readRichText(text)).toStrictEqual(value);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['a list with holes', [1, , 3]],
    ['a record with a list', { a: [1] }],
    ['many parts', Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`k${index}`, index]))],
    ['no prototype', Object.assign(Object.create(null) as object, { a: 1 })],
  ])('comes back of %s', (_what, value) => {
    const text = writeRichText(value);
    expect(text).toBe(stringify(value));
    expect(readRichText(text)).toStrictEqual(value);
  });

  it.each([
    ['symbols as keys', { [Symbol('s')]: 1 }],
    ['a key __proto__', JSON.parse('{"__proto__":1}')],
    ['properties beside elements', Object.assign([1], { more: 2 })],
    ['a class', new (class Point {})()],
  ])('is refused for %s', (_what, value) => {
    expect(() => writeRichText(value)).toThrow(UnstorableValueError);
  });
});
