import { valueText } from '../../src/formatters/value-text.js';

/** How values of a run are put into words on the page. */
export interface ValueWordsOptions {
  /** Whether arguments and results are shown. They may be secrets. @default false */
  readonly showValues?: boolean | undefined;
  /** Keys whose values are not shown even so, at any depth; names of arguments, too. */
  readonly maskKeys?: Iterable<string> | undefined;
  /** Longest text of one value, in characters. @default 2000 */
  readonly maxLength?: number | undefined;
}

const MASK = '***';

/** Puts values into words: as they are, or only what kind they are of. */
export class ValueWords {
  readonly areShown: boolean;
  readonly #maskKeys: ReadonlySet<string>;
  readonly #maxLength: number;

  constructor({ showValues = false, maskKeys = [], maxLength = 2000 }: ValueWordsOptions = {}) {
    this.areShown = showValues;
    this.#maskKeys = new Set(maskKeys);
    this.#maxLength = maxLength;
  }

  of(value: unknown): string {
    if (!this.areShown) return kindOf(value);
    return valueText(value, { maskKeys: this.#maskKeys, maxLength: this.#maxLength });
  }

  /** A value that goes by a name, which may be one of those that are masked. */
  named(name: string, value: unknown): string {
    return this.areShown && this.#maskKeys.has(name) ? MASK : this.of(value);
  }

  /** Text that is shown whatever the value: the message of a failure. */
  text(text: string): string {
    return text.length <= this.#maxLength ? text : `${text.slice(0, this.#maxLength)}…`;
  }
}

/** What is there, without saying what it is. */
function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list, hidden';
  return typeof value === 'object' ? 'an object, hidden' : `a ${typeof value}, hidden`;
}
