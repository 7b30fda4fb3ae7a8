import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject, shown } from './arguments.js';
import { isValidator, type Validators } from './validators.js';

/** Names of values that are found in the result by key. */
export interface ProvidedKeys<Name extends string = string> {
  readonly keys: readonly Name[] | ReadonlySet<Name>;
}

/**
 * What an atom's results are called.
 *
 * - a name: the whole result
 * - a list: names of its elements by position; a list of one takes the first element
 * - `{ keys: [...] }` or a `Set`: names of its properties
 * - names with validators: one name is the whole result, several are its properties
 */
export type Provides = string | readonly string[] | ProvidedKeys | ReadonlySet<string> | Validators;

/** Symbol to where it is in the result: a position, a key, or null for the whole. */
export type SaveAs = ReadonlyMap<string, number | string | null>;

export interface ReadProvides {
  readonly saveAs: SaveAs;
  readonly validators: ReadonlyMap<string, StandardSchemaV1> | undefined;
}

const NOTHING: ReadProvides = { saveAs: new Map(), validators: undefined };

/**
 * Reads a declaration of what an atom provides.
 *
 * @throws {TypeError} when it is none of the forms.
 * @see TaskFlow `atom.py`, `_build_arg_mapping` and `_save_as_to_mapping`. Differs: a set is written `{ keys: [...] }`
 * as well, and names may carry validators.
 */
export function readProvides(atom: string, provides: Provides | null | undefined): ReadProvides {
  if (provides === undefined || provides === null) return NOTHING;
  if (typeof provides === 'string') return { saveAs: new Map([[provides, null]]), validators: undefined };
  if (isNameList(provides)) {
    return { saveAs: byPosition(namesIn(atom, provides)), validators: undefined };
  }
  if (provides instanceof Set) return { saveAs: byKey(namesIn(atom, provides)), validators: undefined };
  if (isProvidedKeys(provides)) return { saveAs: byKey(namesIn(atom, provides.keys)), validators: undefined };
  if (isPlainObject(provides)) {
    const validators = new Map<string, StandardSchemaV1>();
    for (const [name, validator] of Object.entries(provides)) {
      if (!isValidator(validator)) throw wrongProvides(atom, `'${name}' has ${shown(validator)}`);
      validators.set(name, validator);
    }
    const names = [...validators.keys()];
    return { saveAs: names.length === 1 ? whole(names) : byKey(names), validators };
  }
  throw wrongProvides(atom, `got ${shown(provides)}`);
}

function isNameList(provides: unknown): provides is readonly unknown[] {
  return Array.isArray(provides);
}

function isProvidedKeys(provides: object): provides is { keys: Iterable<unknown> } {
  return (
    isPlainObject(provides) &&
    Object.hasOwn(provides, 'keys') &&
    (Array.isArray(provides['keys']) || provides['keys'] instanceof Set)
  );
}

function namesIn(atom: string, names: Iterable<unknown>): string[] {
  return Array.from(names, (name) => {
    if (typeof name !== 'string') throw wrongProvides(atom, `got ${shown(name)} among the names`);
    return name;
  });
}

const whole = (names: readonly string[]): SaveAs => new Map(names.map((name) => [name, null]));
const byPosition = (names: readonly string[]): SaveAs => new Map(names.map((name, at) => [name, at]));
const byKey = (names: readonly string[]): SaveAs => new Map(names.map((name) => [name, name]));

function wrongProvides(atom: string, what: string): TypeError {
  return new TypeError(
    `provides of ${atom} takes a name, a list of names, a Set or { keys } of names, or an object from names to ` +
      `Standard Schema validators; ${what}`,
  );
}
