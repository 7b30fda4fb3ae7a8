import { inspect } from 'node:util';
import { Failure } from '../failure.js';

export interface ValueTextOptions {
  /** Keys whose values are not shown, at any depth. */
  readonly maskKeys?: Iterable<string> | undefined;
  /** Longest text of one value, in characters. @default 200 */
  readonly maxLength?: number | undefined;
}

const MASK = '***';
const DEEPEST = 4;

/**
 * Puts `***` in place of the values of some keys: in objects, lists, maps and sets, at any depth that is shown. An
 * instance of a class that has such a key becomes a plain object; anything else is left as it is.
 */
export function maskValues(value: unknown, keys: ReadonlySet<string>, depth = DEEPEST + 1): unknown {
  if (keys.size === 0 || depth < 0 || typeof value !== 'object' || value === null) return value;
  const below = (member: unknown) => maskValues(member, keys, depth - 1);
  const mask = (key: unknown, member: unknown) => (typeof key === 'string' && keys.has(key) ? MASK : below(member));
  if (ArrayBuffer.isView(value)) return value;
  if (Array.isArray(value)) return value.map(below);
  if (value instanceof Set) return new Set(Array.from(value, below));
  if (value instanceof Map) return new Map(Array.from(value, ([key, member]) => [key, mask(key, member)]));
  const entries = Object.entries(value).map(([key, member]) => [key, member, mask(key, member)] as const);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = prototype === null || prototype === Object.prototype;
  if (!isPlain && entries.every(([, member, masked]) => member === masked)) return value;
  return Object.fromEntries(entries.map(([key, , masked]) => [key, masked]));
}

/** A value as one short line, masked. Never throws. */
export function valueText(value: unknown, { maskKeys = [], maxLength = 200 }: ValueTextOptions = {}): string {
  return shortened(textOf(value, new Set(maskKeys)), maxLength);
}

function textOf(value: unknown, maskKeys: ReadonlySet<string>): string {
  // Its own properties may be anything: a failure is its class and its message.
  if (value instanceof Failure) return oneLine(value.toString());
  try {
    const options = { depth: DEEPEST, breakLength: Infinity, compact: true, maxStringLength: 10_000 };
    return oneLine(inspect(maskValues(value, maskKeys), options));
  } catch {
    return '(a value that cannot be shown)';
  }
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ');
}

function shortened(text: string, maxLength: number): string {
  return text.length <= maxLength ? text : `${text.slice(0, maxLength)}… (${text.length - maxLength} more)`;
}
