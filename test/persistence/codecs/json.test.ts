import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFormatError, UnstorableValueError } from '../../../src/errors.js';
import { jsonCodec } from '../../../src/persistence/codecs/json.js';

class Point {
  x = 1;
}

class Rows extends Array<number> {}

const sparse: unknown[] = [1];
sparse[2] = 3;

const cycle: Record<string, unknown> = { a: [1] };
cycle.self = { again: cycle };

const withIndex = Object.assign([1, 2], { extra: true });

const nestedIn = (depth: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
};

describe('the JSON codec', () => {
  it.each<[string, unknown, string, RegExp]>([
    ['undefined in an object', { a: { b: undefined } }, '$.a.b', /undefined/],
    ['undefined in a list', [1, undefined], '$[1]', /undefined/],
    ['a function', { a: [0, 1, 2, { b: () => 0 }] }, '$.a[3].b', /a function/],
    ['a function as a whole', () => 0, '$', /a function/],
    ['a symbol', { a: Symbol('s') }, '$.a', /a symbol/],
    ['a bigint', [[1n]], '$[0][0]', /a bigint/],
    ['a bigint as a whole', 1n, '$', /a bigint/],
    ['NaN', { a: NaN }, '$.a', /the number NaN/],
    ['infinity', [-Infinity], '$[0]', /the number -Infinity/],
    ['infinity as a whole', Infinity, '$', /the number Infinity/],
    ['a Map', { a: new Map() }, '$.a', /an object of the class Map/],
    ['a Set', new Set(), '$', /an object of the class Set/],
    ['a Date', [new Date(0)], '$[0]', /an object of the class Date/],
    ['an error', { e: new RangeError('x') }, '$.e', /an object of the class RangeError/],
    ['bytes', { b: new Uint8Array(2) }, '$.b', /an object of the class Uint8Array/],
    ['a promise', { p: Promise.resolve() }, '$.p', /an object of the class Promise/],
    ['a boxed number', { n: Object(1) as unknown }, '$.n', /an object of the class Number/],
    ['an object of a class', { p: new Point() }, '$.p', /an object of the class Point/],
    ['an object of no named class', { p: Object.create({ a: 1 }) as unknown }, '$.p', /an object of the class/],
    ['a list of a class', { r: Rows.of(1) }, '$.r', /an object of the class Rows/],
    ['a hole', { s: sparse }, '$.s[1]', /a hole in an array/],
    ['nothing but holes', new Array(3), '$[0]', /a hole in an array/],
    ['a list with properties', { m: withIndex }, '$.m', /properties beside its elements/],
    ['what a pattern matched', 'abc'.match(/b/), '$', /properties beside its elements/],
    ['a key that is a symbol', { a: { [Symbol('k')]: 1 } }, '$.a', /symbols as keys/],
    ['a cycle', cycle, '$.self.again', /it contains itself/],
    [
      'a getter that throws',
      Object.defineProperty({}, 'a', {
        enumerable: true,
        get: () => {
          throw new Error('no');
        },
      }),
      '$',
      /cannot be read/,
    ],
    ['a revoked proxy', { p: revoked() }, '$.p', /cannot be read/],
    ['keys that are no names', { 'a b': { "it's": [{ '': undefined }] } }, `$["a b"]["it's"][0][""]`, /undefined/],
    [
      'a key named __proto__',
      JSON.parse('{"__proto__": {"a": [0]}}', (key, value: unknown) => (key === '0' ? undefined : value)),
      '$.__proto__.a[0]',
      /hole/,
    ],
    ['too deep nesting', nestedIn(1001), `$${'[0].a'.repeat(500)}`, /nested deeper than 1000 levels/],
  ])('refuses %s and says where', (_what, value, path, what) => {
    let error: unknown;
    try {
      jsonCodec.encode(value);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UnstorableValueError);
    expect((error as UnstorableValueError).path).toBe(path);
    expect((error as UnstorableValueError).message).toMatch(what);
  });

  it('refuses what is nested a hundred thousand times without running out of stack', () => {
    expect(() => jsonCodec.encode(nestedIn(100_000))).toThrow(UnstorableValueError);
  });

  it('takes what is nested a thousand times', () => {
    expect(jsonCodec.decode(jsonCodec.encode(nestedIn(1000)))).toEqual(nestedIn(1000));
  });

  it('takes undefined as a whole for null', () => {
    expect(jsonCodec.encode(undefined)).toBe('null');
  });

  it('takes -0, objects without a prototype, and one object in several places', () => {
    const shared = { a: [1] };
    const value = [-0, Object.assign(Object.create(null) as object, { x: 1 }), shared, [shared], { shared }];
    expect(jsonCodec.decode(jsonCodec.encode(value))).toEqual([0, { x: 1 }, shared, [shared], { shared }]);
  });

  it('keeps an own key named __proto__', () => {
    const value: unknown = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}');
    const back = jsonCodec.decode(jsonCodec.encode(value));
    expect(Object.entries(back as object)).toEqual([
      ['__proto__', { polluted: true }],
      ['constructor', 1],
    ]);
    expect((back as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('gives back every JSON value as it was', () => {
    fc.assert(
      fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
        expect(JSON.stringify(jsonCodec.decode(jsonCodec.encode(value)))).toBe(JSON.stringify(value));
      }),
    );
  });

  it('either gives back any value as it was, or refuses it', () => {
    const anything = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
      withBoxedValues: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        let text: string;
        try {
          text = jsonCodec.encode(value);
        } catch (error) {
          expect(error).toBeInstanceOf(UnstorableValueError);
          return;
        }
        expect(plain(jsonCodec.decode(text))).toStrictEqual(plain(value ?? null));
      }),
      { numRuns: 500 },
    );
  });

  it('says what it read when that is not JSON', () => {
    expect(() => jsonCodec.decode('{"a":')).toThrow(InvalidFormatError);
    expect(() => jsonCodec.decode('{"a":')).toThrow('What is stored is not JSON: {"a":');
    expect(() => jsonCodec.decode('x'.repeat(1000))).toThrow(/: x{60}…$/);
  });
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

/** What JSON does not tell apart: -0 and 0, with a prototype and without. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).map(([key, part]) => [key, plain(part)]);
  return Object.is(value, -0) ? 0 : value;
}
