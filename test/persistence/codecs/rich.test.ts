import { isDeepStrictEqual, inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidFormatError, UnstorableValueError } from '../../../src/errors.js';
import { jsonCodec } from '../../../src/persistence/codecs/json.js';
import { richCodec } from '../../../src/persistence/codecs/rich.js';
import { thrownBy } from './thrown-by.js';

const through = (value: unknown) => richCodec.decode(richCodec.encode(value));

class Point {
  x = 1;
}
class Names extends Map<string, string> {}
class Rows extends Array<number> {}
class Hash extends Uint8Array {}
class When extends Date {}

const searching = /b/g;
searching.test('abc');

const nestedIn = (depth: number): unknown => {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = level % 2 === 0 ? new Map([[1, value]]) : { a: value };
  return value;
};

describe('the rich codec', () => {
  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined inside', { a: undefined, b: [undefined] }],
    ['numbers that JSON does not have', [NaN, Infinity, -Infinity, -0]],
    ['bigints', [0n, -(10n ** 40n)]],
    [
      'a Map with keys of all kinds',
      new Map<unknown, unknown>([
        [{ id: 1 }, 1n],
        [NaN, new Map([[[], null]])],
      ]),
    ],
    ['a Set', new Set<unknown>([1, '1', { a: new Set() }])],
    ['a Date', [new Date(0), new Date(8.64e15)]],
    ['a RegExp', /a\/"\u2028<b>/giu],
    ['a URL', [new URL('https://ann@example.org:8080/ä?q=1#x'), new URLSearchParams('a=1&a=2')]],
    ['a Buffer', [Buffer.from('some bytes'), Buffer.alloc(0)]],
    ['an ArrayBuffer', new Uint8Array([1, 2, 3]).buffer],
    [
      'typed arrays',
      [new Uint8Array(3), new Float64Array([NaN, -0, 1e300]), new BigInt64Array([-1n]), new Int16Array()],
    ],
    ['a DataView', new DataView(new Uint8Array([1, 2, 3]).buffer)],
    ['holes', [, 1, , undefined, ,]],
    ['objects without a prototype', Object.assign(Object.create(null) as object, { a: 1 })],
    ['text that no encoding likes', ['\0', '\ud800', '🙂', '</script>', '\u2028']],
    ['keys that are no names', { '': 1, 'a b': 2, constructor: 3, 7: 4 }],
  ])('keeps %s', (_what, value) => {
    const back = through(value);
    expect(isDeepStrictEqual(back, value), inspect(back)).toBe(true);
  });

  it('keeps a Date that is none', () => {
    expect((through(new Date(NaN)) as Date).getTime()).toBeNaN();
  });

  it('keeps cycles, and objects that occur twice as one', () => {
    const shared = { a: [1] };
    const bytes = new Uint8Array([1, 2, 3, 4]);
    const cycle: Record<string, unknown> = { shared, again: [shared], bytes, words: new Uint16Array(bytes.buffer) };
    cycle['self'] = new Map([[cycle, new Set([cycle])]]);
    const back = through(cycle) as typeof cycle & { again: unknown[]; bytes: Uint8Array; words: Uint16Array };
    expect(back.again[0]).toBe(back['shared']);
    expect([...(back['self'] as Map<unknown, Set<unknown>>)].map(([key, set]) => [key, ...set])).toEqual([
      [back, back],
    ]);
    expect(back['self']).toBeInstanceOf(Map);
    expect(back.words.buffer).toBe(back.bytes.buffer);
  });

  it('writes of a buffer only the part that the value is', () => {
    const whole = Buffer.from('----the part====');
    const parts = [
      whole.subarray(4, 12),
      new Uint8Array(whole.buffer, whole.byteOffset + 4, 8),
      new DataView(whole.buffer, whole.byteOffset + 4, 8),
      new Int32Array(new ArrayBuffer(12), 4, 2),
    ];
    const back = through(parts) as typeof parts;
    expect(back).toStrictEqual(parts);
    expect(Buffer.isBuffer(back[0])).toBe(true);
    expect(back.slice(1).map(({ buffer }) => buffer.byteLength)).toEqual([8, 8, 8]);
    const text = richCodec.encode(parts);
    expect(text).not.toContain(Buffer.from('the part=').toString('base64'));
    expect(richCodec.encode(Buffer.from('x')).length).toBeLessThan(50);
  });

  it('keeps what was made in another realm', () => {
    const foreign: unknown = runInNewContext(
      '({ map: new Map([[1, new Date(5)]]), list: [new Set([1])], bytes: new Uint8Array(2) })',
    );
    expect(through(foreign)).toEqual({
      map: new Map([[1, new Date(5)]]),
      list: [new Set([1])],
      bytes: new Uint8Array(2),
    });
  });

  it.each<[string, unknown, string, RegExp]>([
    ['a function', { a: [() => 0] }, '$.a[0]', /: a function$/],
    ['a symbol', { a: Symbol('s') }, '$.a', /: a symbol$/],
    ['an object of a class', { p: new Point() }, '$.p', /of the class Point/],
    ['an error', [new RangeError('x')], '$[0]', /of the class RangeError/],
    ['a promise', [Promise.resolve()], '$[0]', /of the class Promise/],
    ['a boxed number', [Object(1)], '$[0]', /of the class Number/],
    ['a WeakMap', [new WeakMap()], '$[0]', /of the class WeakMap/],
    ['shared memory', [new SharedArrayBuffer(1)], '$[0]', /of the class SharedArrayBuffer/],
    ['a view of shared memory', [new Uint8Array(new SharedArrayBuffer(1))], '$[0].buffer', /SharedArrayBuffer/],
    ['a Map of a class', { m: new Names() }, '$.m', /of the class Names/],
    ['a list of a class', { m: Rows.of(1) }, '$.m', /of the class Rows/],
    ['bytes of a class', { m: new Hash(1) }, '$.m', /of the class Hash/],
    ['a Date of a class', { m: new When(0) }, '$.m', /of the class When/],
    ['a Map with properties', { m: Object.assign(new Map(), { extra: 1 }) }, '$.m', /a Map with properties of its own/],
    ['a Date with properties', { m: Object.assign(new Date(), { extra: 1 }) }, '$.m', /a Date with properties/],
    ['a list with properties', { m: Object.assign([1, 2], { extra: 1 }) }, '$.m', /properties beside its elements/],
    ['a list with odd properties', Object.assign([1, 2], { 0.5: 1 }), '$', /properties beside its elements/],
    ['a RegExp in use', { r: searching }, '$.r', /lastIndex/],
    ['a key that is a symbol', { a: { [Symbol('k')]: 1 } }, '$.a', /symbols as keys/],
    ['a key named __proto__', { a: JSON.parse('{"__proto__": 1}') as unknown }, '$.a', /a key __proto__/],
    ['a revoked proxy', { p: revoked() }, '$.p', /cannot be read/],
    ['too deep nesting', nestedIn(1001), `$${'.entries()[0][1].a'.repeat(500)}`, /nested deeper than 1000 levels/],
    [
      'something in a Map, without its keys',
      new Map([['key', new Map([[() => 0, 1]])]]),
      '$.entries()[0][1].entries()[0][0]',
      /a function/,
    ],
    ['something in a Set', { s: new Set([1, Symbol('x')]) }, '$.s.values()[1]', /a symbol/],
  ])('refuses %s and says where', (_what, value, path, message) => {
    const error = thrownBy(() => richCodec.encode(value));
    expect(error).toBeInstanceOf(UnstorableValueError);
    expect(error).toMatchObject({ path, message: expect.stringMatching(message) as string });
  });

  it('keeps what is nested a thousand times, and refuses a hundred thousand', () => {
    expect(isDeepStrictEqual(through(nestedIn(1000)), nestedIn(1000))).toBe(true);
    expect(() => richCodec.encode(nestedIn(100_000))).toThrow(UnstorableValueError);
  });

  it('reads what it wrote, however its objects hold each other', () => {
    // Each holds the next and the first: none is far from the first, and yet one call a level would go as deep.
    const crowdOf = (size: number) => {
      const crowd = Array.from({ length: size }, (): unknown[] => []);
      crowd.forEach((each, index) => each.push(crowd[index + 1], crowd[0]));
      return crowd;
    };
    expect(() => richCodec.encode(crowdOf(2000))).toThrow(/nested deeper/);
    const back = through(crowdOf(900)) as unknown[][];
    expect(back.map(([next, first], index) => next === back[index + 1] && first === back[0])).not.toContain(false);
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
      stringUnit: 'binary',
    });
    let kept = 0;
    fc.assert(
      fc.property(anything, (value) => {
        let text: string;
        try {
          text = richCodec.encode(value);
        } catch (error) {
          expect(error).toBeInstanceOf(UnstorableValueError);
          return;
        }
        kept += 1;
        expect(isDeepStrictEqual(richCodec.decode(text), value), inspect(value, { depth: 10 })).toBe(true);
      }),
      { numRuns: 1000 },
    );
    expect(kept).toBeGreaterThan(250);
  });

  it('keeps any graph of lists, objects and Maps', () => {
    const edges = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 12 });
    const kinds = fc.array(fc.constantFrom('list', 'object', 'map'), { minLength: 6, maxLength: 6 });
    fc.assert(
      fc.property(kinds, edges, (kindsOfNodes, links) => {
        const nodes = kindsOfNodes.map(nodeOf);
        links.forEach(([from, to], index) => nodes[from]?.link(`k${index}`, nodes[to]?.value));
        const value = nodes.map((node) => node.value);
        const back = through(value) as unknown[];
        expect(isDeepStrictEqual(back, value)).toBe(true);
        // The same object in two places is one afterwards as well.
        links.forEach(([from, to], index) => expect(held(back[from], `k${index}`)).toBe(back[to]));
      }),
    );
  });

  it('reads what the JSON codec wrote', () => {
    for (const value of [null, 1, 'rich', [1, 2], { a: [{}] }, -1]) {
      expect(richCodec.decode(jsonCodec.encode(value))).toEqual(value);
    }
  });

  it.each([
    '{"a":',
    'rich.1:',
    'rich.1:[["Date"',
    'rich.1:[["Spoon",1]]',
    'rich.1:[[7]]',
    'rich.1:{"a":1}',
    'rich.2:[1]',
  ])('says what it read when that is no text of its own: %s', (text) => {
    const error = thrownBy(() => richCodec.decode(text));
    expect(error).toBeInstanceOf(InvalidFormatError);
    expect(String(error)).toContain(text);
  });
});

interface Node {
  readonly value: unknown;
  link(key: string, to: unknown): void;
}

function nodeOf(kind: 'list' | 'object' | 'map'): Node {
  if (kind === 'map') {
    const map = new Map<string, unknown>();
    return { value: map, link: (key, to) => map.set(key, to) };
  }
  const list: unknown[] = [];
  if (kind === 'list') return { value: list, link: (key, to) => list.push([key, to]) };
  const object: Record<string, unknown> = {};
  return { value: object, link: (key, to) => (object[key] = to) };
}

function held(node: unknown, key: string): unknown {
  if (node instanceof Map) return node.get(key);
  if (Array.isArray(node)) return (node as [string, unknown][]).find(([name]) => name === key)?.[1];
  return (node as Record<string, unknown>)[key];
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
