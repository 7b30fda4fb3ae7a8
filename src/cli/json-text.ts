import { valueText } from '../formatters/value-text.js';

/** Any value as a JSON document. What JSON has no words for is written as text: results may be anything. */
export function jsonText(value: unknown): string {
  const above: unknown[] = [];
  return JSON.stringify(
    value,
    function (this: unknown, _key, member: unknown) {
      while (above.length > 0 && above.at(-1) !== this) above.pop();
      if (typeof member === 'bigint' || typeof member === 'function' || typeof member === 'symbol') {
        return valueText(member);
      }
      if (typeof member !== 'object' || member === null) return member;
      if (above.includes(member) || member instanceof Map || member instanceof Set || ArrayBuffer.isView(member)) {
        return valueText(member);
      }
      above.push(member);
      return member;
    },
    2,
  );
}
