/* How texts and values are spoilt. Everything random comes from the source that is given. */

export interface Source {
  /** A whole number from 0, below this one. */
  below(count: number): number;
  oneOf<Value>(values: readonly Value[]): Value;
}

export function sourceOf(random: () => number): Source {
  const below = (count: number) => Math.floor(random() * count);
  return {
    below,
    oneOf<Value>(values: readonly Value[]): Value {
      return values[below(values.length)] as Value;
    },
  };
}

const NUMBERS = [-1, 0, 1.5, 2 ** 31, 2 ** 53, 2 ** 53 - 1, -(2 ** 53), 1e308, Number.MIN_VALUE];
const TEXTS = ['', ' ', '\0', '\ud800', '\ufeff', '..', '../../etc/passwd', 'a'.repeat(2000), '$&', '%s', '[]', '${1}'];
const PROTOTYPES = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];

/** Texts of values that are none, or that cost more than they are worth when they are believed. */
export const HOSTILE_VALUES: readonly string[] = [
  '',
  'null',
  '-1',
  '[]',
  '{}',
  '[[0]]',
  '[[1],[0]]',
  '[{"a":7}]',
  '[{"__proto__":1},{"polluted":2},true]',
  '[["null","__proto__",1],{"polluted":2},true]',
  '[["Map",1,1],["Map",0,0]]',
  '[["Set",0]]',
  '[["Date","not a date"]]',
  '[["RegExp","(a+)+$","gg"]]',
  '[["RegExp","["]]',
  '[["BigInt","x"]]',
  '[["URL","nowhere"]]',
  '[["Object",1],["Object",0]]',
  '[["Uint8Array",1],["ArrayBuffer",5]]',
  '[["Uint32Array",1,1,4000000000],["ArrayBuffer","AAAA"]]',
  '[["ArrayBuffer","****"]]',
  '[["Buffer",1],[2],"****"]',
  '[["Buffer",1],[2],4000000000]',
  '[["Buffer",1],[2],{"length":3},4000000000]',
  '[["Buffer",1],{"length":2},4000000000]',
  '[["Part",0]]',
  '[["Shell","rm"]]',
  '[["eval","1"]]',
  '[[-7,4294967295,0,1],1]',
  '[[-7,4294967295,4294967294,1],1]',
  '[{"a":1},[-7,4294967295]]',
  `[${'['.repeat(5000)}${']'.repeat(5000)}]`,
  `[${Array.from({ length: 5000 }, (_, index) => `[${index + 1}]`).join(',')},[]]`,
];

/** Text that nests as deep as a program may come down at. */
function nested({ below, oneOf }: Source): string {
  const depth = oneOf([10, 1000, 5000, 20_000]) + below(10);
  const [opening, closing] = oneOf([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"errors":[', ']}'],
  ] as const);
  return `${opening.repeat(depth)}${oneOf(['', 'null'])}${closing.repeat(oneOf([depth, depth - 1]))}`;
}

type Json = Record<string, unknown> | unknown[];

/** A copy in which one part, anywhere in it, is another, is gone, or has something beside it. */
export function withOtherPart(value: unknown, source: Source): string {
  const copy = structuredClone(value);
  const places: { readonly holder: Json; readonly key: string }[] = [];
  const collect = (part: unknown): void => {
    if (typeof part !== 'object' || part === null) return;
    for (const key of Object.keys(part)) {
      places.push({ holder: part as Json, key });
      collect(Reflect.get(part, key));
    }
  };
  collect(copy);
  if (places.length === 0) return JSON.stringify(copy);
  const { holder, key } = source.oneOf(places);
  const marked = '\u0001marked\u0001';
  switch (source.below(6)) {
    case 0:
      Reflect.deleteProperty(holder, key);
      return JSON.stringify(copy);
    case 1:
      Reflect.set(holder, key, source.oneOf<unknown>([null, true, [], {}, [[]], { a: 1 }, 'text', 1]));
      return JSON.stringify(copy);
    case 2:
      Reflect.set(holder, key, source.oneOf<unknown>([...NUMBERS, ...TEXTS]));
      return JSON.stringify(copy);
    case 3:
      Reflect.set(holder, key, source.oneOf(HOSTILE_VALUES));
      return JSON.stringify(copy);
    case 4:
      Reflect.set(holder, key, marked);
      return JSON.stringify(copy).replace(JSON.stringify(marked), () =>
        source.oneOf([nested(source), '1e999', '-1e999', '01', 'NaN', '"\\ud800"', `"${'x'.repeat(3000)}"`]),
      );
    default:
      // A name that objects have already: as text, since JavaScript would not make it a key.
      Reflect.set(holder, marked, 0);
      return JSON.stringify(copy).replace(
        JSON.stringify(marked),
        () => `"${source.oneOf(PROTOTYPES)}":${source.oneOf(['{"polluted":true}', 'null', '[]', '1'])},"more"`,
      );
  }
}

/** Anything that may stand where something else should. */
export function oddValue(source: Source): unknown {
  const { below, oneOf } = source;
  return oneOf<() => unknown>([
    () => oneOf<unknown>([...NUMBERS, ...TEXTS, ...PROTOTYPES]),
    () => oneOf<unknown>([null, undefined, true, NaN, Infinity, 10n ** 30n, new Date(NaN), [], {}, [[null]]]),
    () => Buffer.from(Array.from({ length: below(20) }, () => below(256))),
    () => oneOf(HOSTILE_VALUES),
    () => JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`) as unknown,
    () => oneOf(['x', '\u0001', '"', 'é']).repeat(oneOf([300, 70_000])),
    () => JSON.parse(`{"${oneOf(PROTOTYPES)}":${oneOf(['{"polluted":true}', 'null', '1', '"text"'])}}`) as unknown,
  ])();
}

/** Bytes of which some are other ones, are missing, or are too many. */
export function withOtherBytes(bytes: Uint8Array, source: Source): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = source.below(copy.length + 1);
  switch (source.below(6)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      for (let flips = source.oneOf([1, 1, 1, 8]); flips > 0; flips--) {
        const index = source.below(copy.length);
        copy[index] = (copy[index] ?? 0) ^ (1 << source.below(8));
      }
      return copy;
    case 2: {
      const invalid = source.oneOf([[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf8, 0x88], [0x80], [0xe2, 0x82]]);
      return Buffer.concat([copy.subarray(0, at), Buffer.from(invalid), copy.subarray(at)]);
    }
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy]);
    case 4:
      return Buffer.from(Array.from({ length: source.below(200) }, () => source.below(256)));
    default:
      return Buffer.concat([copy, Buffer.alloc(source.oneOf([1, 5000]), source.below(256))]);
  }
}
