import { nearestName } from './nearest-name.js';

const TRUE = new Set(['true', 'yes', '1']);
const FALSE = new Set(['false', 'no', '0']);

/**
 * Options as somebody gave them, in a URL and beside it, to be read one by one.
 *
 * What is given as a value is stronger than what a URL says. Reading one that was not given gives undefined.
 * All reading throws a RangeError that names the option, what it takes and what it got.
 */
export class GivenOptions {
  readonly #owner: string;
  readonly #texts: ReadonlyMap<string, string>;
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #known = new Set<string>();

  /**
   * @param owner - Whose options they are, for messages: `sqlite backend`.
   * @param texts - From a URL.
   * @param values - From the caller; undefined counts as not given.
   */
  constructor(owner: string, texts: ReadonlyMap<string, string>, values: Readonly<Record<string, unknown>>) {
    this.#owner = owner;
    this.#texts = texts;
    this.#values = new Map(Object.entries(values).filter(([, value]) => value !== undefined));
  }

  text(name: string): string | undefined {
    return this.#read(
      name,
      'text',
      (text) => text,
      (value) => (typeof value === 'string' ? value : undefined),
    );
  }

  /** Text that no message repeats. */
  secret(name: string): string | undefined {
    return this.#read(
      name,
      'text',
      (text) => text,
      (value) => (typeof value === 'string' ? value : undefined),
      (value) => (value === null ? 'null' : `a ${typeof value}`),
    );
  }

  number(name: string): number | undefined {
    const fromText = (text: string) => (text.trim() === '' ? undefined : finite(Number(text)));
    return this.#read(name, 'a number', fromText, finite);
  }

  /** In a URL: true, false, yes, no, 1 or 0, in any case. */
  flag(name: string): boolean | undefined {
    const fromText = (text: string) => {
      const lower = text.toLowerCase();
      return TRUE.has(lower) ? true : FALSE.has(lower) ? false : undefined;
    };
    return this.#read(name, 'true or false', fromText, (value) => (typeof value === 'boolean' ? value : undefined));
  }

  /** In a URL: in any case. */
  choice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | undefined {
    const fromText = (text: string) => choices.find((choice) => choice.toLowerCase() === text.toLowerCase());
    return this.#read(name, choices.join(' or '), fromText, (value) => choices.find((choice) => choice === value));
  }

  /** Cannot stand in a URL. */
  object<Value>(name: string, takes: string, is: (value: unknown) => value is Value): Value | undefined {
    return this.#read(
      name,
      `${takes}, which a URL cannot hold`,
      () => undefined,
      (value) => (is(value) ? value : undefined),
    );
  }

  /** @throws {RangeError} for an option that nobody read, with the nearest that somebody did. */
  refuseOthers(): void {
    for (const name of [...this.#texts.keys(), ...this.#values.keys()]) {
      if (this.#known.has(name)) continue;
      const meant = nearestName(name, this.#known);
      const hint = meant === null ? '' : `; did you mean '${meant}'?`;
      const all = this.#known.size === 0 ? 'no options' : `the options ${[...this.#known].join(', ')}`;
      throw new RangeError(`The ${this.#owner} takes ${all}, got '${name}'${hint}`);
    }
  }

  #read<Value>(
    name: string,
    takes: string,
    fromText: (text: string) => Value | undefined,
    fromValue: (value: unknown) => Value | undefined,
    show: (given: unknown) => string = shown,
  ): Value | undefined {
    this.#known.add(name);
    const isValue = this.#values.has(name);
    const text = this.#texts.get(name);
    if (!isValue && text === undefined) return undefined;
    const given = isValue ? this.#values.get(name) : text;
    const value = isValue || text === undefined ? fromValue(given) : fromText(text);
    if (value !== undefined) return value;
    throw new RangeError(`The option ${name} of the ${this.#owner} takes ${takes}, got ${show(given)}`);
  }
}

function shown(given: unknown): string {
  if (typeof given === 'object' && given !== null) return 'an object';
  return typeof given === 'string' ? `'${given}'` : String(given);
}

function finite(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
