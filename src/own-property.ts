/**
 * Sets an own property whatever its name: a plain assignment to `__proto__` would change the prototype.
 *
 * @returns The object.
 */
export function setOwn<Value>(object: Record<string, Value>, name: string, value: Value): Record<string, Value> {
  if (name === '__proto__') {
    Object.defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
  } else {
    object[name] = value;
  }
  return object;
}
