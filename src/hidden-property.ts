const hiding = new WeakSet<object>();

/**
 * Gives an object a property that is read by its name, and is passed over where objects are written out or copied.
 *
 * @returns The object.
 */
export function setHidden<Target extends object>(object: Target, name: string, value: unknown): Target {
  hiding.add(object);
  return Object.defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });
}

/** A shallow copy, with hidden properties, which stay hidden. */
export function copyOf<Copied extends object>(object: Copied | undefined): Copied {
  const copy = { ...object } as Copied;
  if (object === undefined || !hiding.has(object)) return copy;
  for (const name of Object.getOwnPropertyNames(object)) {
    if (!Object.hasOwn(copy, name)) setHidden(copy, name, Reflect.get(object, name));
  }
  return copy;
}
