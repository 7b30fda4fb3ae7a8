/**
 * What databases refuse, cut, replace or overlook in text: NUL, surrogates that stand alone, and a space at the end.
 * And what marks them.
 */
const UNSAFE = /[\0\\]|\p{Surrogate}| $/gu;

/** As fast as it gets, for text that has none of that: nearly all there is. */
const MAYBE_UNSAFE = /[\0\\\ud800-\udfff]| $/;

const MARKED = /\\([0-9a-f]{4})/g;

/** Text that every database gives back as it was: ids and names, which may hold anything. */
export function toColumn(text: string): string {
  if (!MAYBE_UNSAFE.test(text)) return text;
  return text.replace(UNSAFE, (unit) => `\\${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text that `toColumn` was given. */
export function fromColumn(column: string): string {
  if (!column.includes('\\')) return column;
  return column.replace(MARKED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
