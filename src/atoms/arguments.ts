/** The parameters that a method declares, since JavaScript cannot be asked for their names. */
export interface ArgumentList {
  /** Each has to be found. In order: a `rebind` list is matched with them by position. */
  readonly required?: readonly string[];
  /** Left out of the arguments when there is no value. */
  readonly optional?: readonly string[];
  /** Whether the method takes other arguments as well. @default false */
  readonly rest?: boolean;
}

/** Argument to symbol; or, as a list, the symbols of the required arguments by position. */
export type Rebind = Readonly<Record<string, string>> | ReadonlyMap<string, string> | readonly string[];

/** Where one method's arguments come from. */
export interface ArgumentMapping {
  /** Argument to symbol: the required arguments, then the optional ones. */
  readonly bindings: ReadonlyMap<string, string>;
  /** The symbols that may be missing. */
  readonly optional: ReadonlySet<string>;
}

/** One method's declaration and what an instance says about it. */
export interface MappingRequest {
  /** What errors call the atom, such as `task 'reserve'`. */
  readonly atom: string;
  readonly method: 'execute' | 'revert';
  readonly parameters: ArgumentList;
  /** Names that are required whether they are parameters or not. */
  readonly requires: readonly string[];
  readonly rebind: Rebind | undefined;
  /** Whether parameters become arguments without being named in `requires` or `rebind`. */
  readonly infer: boolean;
  /** Parameters that are never inferred. */
  readonly ignore: ReadonlySet<string>;
  /** Symbols that the atom brings along, hence needs from nobody. */
  readonly injected: ReadonlySet<string>;
}

export interface MappedArguments {
  readonly mapping: ArgumentMapping;
  /** The symbols that somebody has to provide; null: all that arguments are bound to. */
  readonly requires: ReadonlySet<string> | null;
}

const NO_NAMES: ReadonlySet<string> = new Set();
const NOTHING: MappedArguments = { mapping: { bindings: new Map(), optional: NO_NAMES }, requires: null };

/**
 * Finds the symbol of each argument of one method.
 *
 * @throws {RangeError} when a name is not a parameter of a method that takes no others, or when a parameter is left
 * without a symbol.
 * @throws {TypeError} when `rebind` is neither a map nor a list.
 * @see TaskFlow `atom.py`, `_build_arg_mapping`.
 */
export function mapArguments(request: MappingRequest): MappedArguments {
  const { atom, method, parameters, requires, rebind, infer, ignore, injected } = request;
  const inferable = (parameters.required ?? []).filter((name) => !ignore.has(name));
  const optionalParameters = parameters.optional ?? [];
  if (inferable.length + optionalParameters.length + requires.length === 0 && rebind === undefined) return NOTHING;

  const required = new Map<string, string>();
  if (infer) for (const name of inferable) required.set(name, name);
  for (const name of requires) required.set(name, name);
  for (const [argument, symbol] of reboundTo(request, inferable)) required.set(argument, symbol);

  const parameterNames = new Set([...(parameters.required ?? []), ...optionalParameters]);
  const optional = new Map<string, string>();
  if (infer) {
    for (const name of parameterNames) if (!required.has(name) && !ignore.has(name)) optional.set(name, name);
  }
  if (parameters.rest !== true) {
    const extra = [...required.keys()].filter((name) => !parameterNames.has(name));
    if (extra.length > 0) {
      throw new RangeError(
        `Extra arguments given to ${atom}: ${method} takes ${listed(parameterNames)}, ` +
          `requires and rebind also name ${listed(extra)}`,
      );
    }
  }
  const missing = inferable.filter((name) => !required.has(name));
  if (missing.length > 0) {
    throw new RangeError(
      `Missing arguments for ${atom}: ${method} takes ${listed(parameterNames)}, ` +
        `requires and rebind leave out ${listed(missing)}`,
    );
  }
  const isNeeded = (symbol: string) => !injected.has(symbol);
  return {
    mapping: {
      bindings: optional.size === 0 ? required : new Map([...required, ...optional]),
      optional: optional.size === 0 ? NO_NAMES : new Set([...optional.values()].filter(isNeeded)),
    },
    requires: new Set([...required.values()].filter(isNeeded)),
  };
}

const NO_SYMBOLS: readonly string[] = [];

/**
 * The symbols of a method that takes just what is required, each looked up under its own name or one from a list.
 *
 * @returns null where that is not how it is.
 */
export function mapInOrder(requires: readonly string[], rebind: Rebind | null | undefined): MappedArguments | null {
  const symbols = rebind ?? NO_SYMBOLS;
  if (!isList(symbols) || symbols.length > requires.length) return null;
  if (requires.length === 0) return NOTHING;
  const bindings = new Map<string, string>();
  for (let at = 0; at < requires.length; at++) {
    const name = requires[at] ?? '';
    const symbol: unknown = symbols[at] ?? name;
    if (typeof symbol !== 'string') return null;
    bindings.set(name, symbol);
  }
  // Of a name that stands there twice, the others find out what is meant.
  if (bindings.size < requires.length) return null;
  return { mapping: { bindings, optional: NO_NAMES }, requires: null };
}

/** The symbols that somebody has to provide for a method. */
export function requiredBy({ mapping, requires }: MappedArguments): ReadonlySet<string> {
  return requires ?? new Set(mapping.bindings.values());
}

/** Argument and symbol as `rebind` pairs them. */
function reboundTo({ atom, rebind }: MappingRequest, parameters: readonly string[]): [string, string][] {
  const pairs = rebindPairs(atom, rebind, parameters);
  for (const [argument, symbol] of pairs) {
    if (typeof symbol !== 'string') {
      throw new TypeError(`rebind of ${atom} takes symbols, got ${shown(symbol)} for the argument '${argument}'`);
    }
  }
  return pairs;
}

/** A list is matched with the parameters by position; what is left of it keeps its name. */
export function rebindPairs(
  atom: string,
  rebind: Rebind | undefined,
  parameters: readonly string[],
): [string, string][] {
  if (rebind === undefined) return [];
  if (isList(rebind)) return Array.from(rebind, (symbol, at) => [parameters[at] ?? symbol, symbol]);
  if (isMap(rebind)) return [...rebind];
  if (isPlainObject(rebind)) return Object.entries(rebind);
  throw new TypeError(
    `rebind of ${atom} takes an object or a Map from argument to symbol, or a list of symbols, got ${shown(rebind)}`,
  );
}

/** Whether there is anything in it: an empty list or map counts as not given. */
export function isGiven(names: Rebind | null | undefined): names is Rebind {
  if (names === undefined || names === null) return false;
  if (isList(names)) return names.length > 0;
  if (isMap(names)) return names.size > 0;
  return isPlainObject(names) ? Object.keys(names).length > 0 : true;
}

function isList(value: Rebind): value is readonly string[] {
  return Array.isArray(value);
}

function isMap(value: Rebind): value is ReadonlyMap<string, string> {
  return value instanceof Map;
}

export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

export function listed(names: Iterable<string>): string {
  return `[${[...names].join(', ')}]`;
}

/** A copy for any keys: on a literal, setting `__proto__` sets no key. */
export function bareCopy(values: object): Record<string, unknown> {
  return Object.assign(Object.create(null) as Record<string, unknown>, values);
}

/** A value as an error message shows it: short, and never throwing. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `the function ${value.name === '' ? '(anonymous)' : value.name}`;
  if (typeof value === 'object' && value !== null) {
    const constructor: unknown = value.constructor;
    return typeof constructor === 'function' && constructor.name !== ''
      ? `a value of type ${constructor.name}`
      : 'an object';
  }
  return String(value);
}
