import { parseConnectionText } from './connection-text.js';
import type { ConnectionText } from './connection-text.js';
import { DuplicateError, NotFoundError } from './errors.js';
import { GivenOptions } from './given-options.js';
import { nearestName } from './nearest-name.js';

const URL_PARTS = ['path', 'hosts', 'user', 'password'] as const;

/** How one kind of thing is made from options and URLs. */
export interface KindEntry<Options, Made> {
  /** The first is the one by which it is known, the others are aliases. In lower case. */
  readonly names: readonly [string, ...string[]];
  /** The parts of a URL that mean something, and as which option each of them is read. Several hosts are separated by commas. */
  readonly urlParts?: { readonly [Part in (typeof URL_PARTS)[number]]?: string };
  /** Reads all options that there are; any other that was given is refused afterwards. */
  readonly read: (given: GivenOptions) => Options;
  /** Imports what makes it; called when one is asked for. */
  readonly load: () => Promise<(options: Options) => Made>;
}

interface Registered<Made> {
  readonly name: string;
  readonly urlParts: NonNullable<KindEntry<unknown, unknown>['urlParts']>;
  readonly make: (given: GivenOptions) => Promise<Made>;
}

/** The kinds of something that can be asked for by name. */
export class KindRegistry<Made> {
  readonly #noun: string;
  readonly #entries = new Map<string, Registered<Made>>();

  /** @param noun - What they are, for messages: `backend`. */
  constructor(noun: string) {
    this.#noun = noun;
  }

  /** @throws {DuplicateError} for a name that is taken, unless it is to be replaced. */
  register<Options>(
    { names, urlParts = {}, read, load }: KindEntry<Options, Made>,
    { replace = false }: { readonly replace?: boolean } = {},
  ): void {
    for (const name of names) {
      if (name !== name.toLowerCase())
        throw new RangeError(`The name of a ${this.#noun} takes lower case, got '${name}'`);
      if (!replace && this.#entries.has(name))
        throw new DuplicateError(`There is a ${this.#noun} named '${name}' already`);
    }
    const make = async (given: GivenOptions) => {
      const options = read(given);
      given.refuseOthers();
      return (await load())(options);
    };
    for (const name of names) this.#entries.set(name, { name: names[0], urlParts, make });
  }

  /** Sorted, with aliases. */
  get names(): readonly string[] {
    return [...this.#entries.keys()].sort();
  }

  /** The name by which a kind is known that has this name or alias; null when there is none. */
  nameOf(name: string): string | null {
    return this.#entries.get(name.toLowerCase())?.name ?? null;
  }

  /** The name by which a kind is known. @throws {NotFoundError} for a name that none has. */
  known(name: string): string {
    const known = this.nameOf(name);
    if (known === null) throw this.#unknown(name);
    return known;
  }

  /** What is registered in the copy is not in this one, nor the other way round. */
  copy(): KindRegistry<Made> {
    return new KindRegistry<Made>(this.#noun).takeOver(this);
  }

  /** Registers all that another has. */
  protected takeOver(other: KindRegistry<Made>): this {
    for (const [name, entry] of other.#entries) this.#entries.set(name, entry);
    return this;
  }

  /**
   * Makes what a name or a URL means.
   *
   * @param text - As `parseConnectionText` takes it.
   * @param options - By name. They are stronger than those in the URL.
   * @throws {NotFoundError} for a name that none has.
   * @throws {RangeError} for a text that cannot be taken apart, and for options that are unknown or of no use.
   */
  async make(text: string, options: Readonly<Record<string, unknown>> = {}): Promise<Made> {
    const connection = parseConnectionText(text);
    const entry = this.#entries.get(connection.name);
    if (entry === undefined) throw this.#unknown(connection.name);
    return entry.make(new GivenOptions(`${entry.name} ${this.#noun}`, textsOf(entry, connection), options));
  }

  #unknown(name: string): NotFoundError {
    const meant = nearestName(name, this.names);
    const hint = meant === null ? '' : `; did you mean '${meant}'?`;
    return new NotFoundError(`There is no ${this.#noun} named '${name}', only ${this.names.join(', ')}${hint}`);
  }
}

/** All that a URL says, by option. */
function textsOf({ name, urlParts }: Registered<unknown>, connection: ConnectionText): ReadonlyMap<string, string> {
  const { path, hosts, user, password } = connection;
  const parts = { path, hosts: hosts.length === 0 ? null : hosts.join(','), user, password };
  const texts = new Map(connection.options);
  for (const part of URL_PARTS) {
    const text = parts[part];
    if (text === null) continue;
    const option = urlParts[part];
    if (option === undefined)
      throw new RangeError(`A ${name} URL takes no ${part}${gotInstead(name, urlParts, part, text)}`);
    if (texts.has(option)) throw new RangeError(`A ${name} URL takes each option once, got '${option}' twice`);
    texts.set(option, text);
  }
  return texts;
}

function gotInstead(name: string, urlParts: Registered<unknown>['urlParts'], part: string, text: string): string {
  if (part === 'password') return '';
  if (part !== 'hosts' || urlParts.path === undefined) return `, got '${text}'`;
  return `, got '${text}': a relative path is written ${name}:${text}, an absolute one ${name}:///${text}`;
}
