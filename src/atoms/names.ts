import type { StandardSchemaV1 } from '@standard-schema/spec';
import { isPlainObject, shown } from './arguments.js';
import { isValidator, type Validators } from './validators.js';

/** Names of arguments: one, several, or each with a validator. */
export type Names = string | readonly string[] | Validators;

export interface ReadNames {
  readonly names: readonly string[];
  readonly validators: ReadonlyMap<string, StandardSchemaV1>;
}

const NO_VALIDATORS: ReadonlyMap<string, StandardSchemaV1> = new Map();
const NOTHING: ReadNames = { names: [], validators: NO_VALIDATORS };

/** @throws {TypeError} when the option is none of the forms. */
export function readNames(
  atom: string,
  option: string,
  names: Names | ReadonlySet<string> | undefined | null,
): ReadNames {
  if (names === undefined || names === null) return NOTHING;
  if (typeof names === 'string') return { names: [names], validators: NO_VALIDATORS };
  if (Array.isArray(names) || names instanceof Set) {
    const list = Array.from(names, (name: unknown) => {
      if (typeof name !== 'string') throw wrongNames(atom, option, `got ${shown(name)} among the names`);
      return name;
    });
    return { names: list, validators: NO_VALIDATORS };
  }
  if (!isPlainObject(names)) throw wrongNames(atom, option, `got ${shown(names)}`);
  const validators = new Map<string, StandardSchemaV1>();
  for (const [name, validator] of Object.entries(names)) {
    if (!isValidator(validator)) throw wrongNames(atom, option, `'${name}' has ${shown(validator)}`);
    validators.set(name, validator);
  }
  return { names: [...validators.keys()], validators };
}

function wrongNames(atom: string, option: string, what: string): TypeError {
  return new TypeError(
    `${option} of ${atom} takes a name, a list of names, or an object from names to Standard Schema validators; ${what}`,
  );
}
