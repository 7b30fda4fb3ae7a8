import type { Transferable } from 'node:worker_threads';

const lists = new WeakMap<object, readonly Transferable[]>();

/**
 * Says what of a result is to be moved to the thread of the engine, and not copied. The task cannot use it any more.
 *
 * Where nothing is copied, or nothing can be moved (between processes), it has no effect.
 *
 * ```ts
 * execute: ({ image }) => {
 *   const pixels = decode(image);
 *   return transfer({ width, pixels }, [pixels.buffer]);
 * }
 * ```
 *
 * @returns the value itself.
 */
export function transfer<Value extends object>(value: Value, list: readonly Transferable[]): Value {
  if (typeof value !== 'object' && typeof value !== 'function') {
    throw new TypeError(`transfer takes an object, got ${String(value)}`);
  }
  lists.set(value, list);
  return value;
}

/** What was said to be moved of a value. */
export function transferList(value: unknown): readonly Transferable[] {
  return typeof value === 'object' && value !== null ? (lists.get(value) ?? []) : [];
}
