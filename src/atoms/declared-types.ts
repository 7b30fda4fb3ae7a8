import type { StandardSchemaV1 } from '@standard-schema/spec';
import type { Failure } from '../failure.js';
import type { Rebind } from './arguments.js';
import type { DeclaredTypes, typesOf } from './atom.js';
import type { Signature } from './atom-options.js';
import type { Names } from './names.js';
import type { ProvidedKeys, Provides } from './provides.js';
import type { Validators } from './validators.js';

/** No names. */
// eslint-disable-next-line @typescript-eslint/no-generated-empty-object-type -- an object without any is what is meant
export type Nothing = Readonly<Record<never, unknown>>;

/** Names that TypeScript does not know: any may be there. */
export type AnyNames = Readonly<Record<string, unknown>>;

/** Whether nothing is known of the symbols: the type is `object`, or has an index signature. */
export type IsUntyped<Symbols extends object> = string extends keyof Symbols
  ? true
  : object extends Symbols
    ? string extends Symbols
      ? false
      : true
    : false;

/** The same properties, written as one object. */
export type Flat<Type> = { readonly [Key in keyof Type]: Type[Key] };

type ByName<Name extends string> = string extends Name ? AnyNames : { readonly [Key in Name]: unknown };

/** What comes in under the names, before validators have seen it. */
export type InputsOf<Declared> = Declared extends string
  ? ByName<Declared>
  : Declared extends readonly (infer Name extends string)[]
    ? ByName<Name>
    : Declared extends Validators
      ? { readonly [Name in keyof Declared]: StandardSchemaV1.InferInput<Declared[Name]> }
      : Nothing;

/** What validators make of it. */
export type OutputsOf<Declared> = Declared extends Validators
  ? { readonly [Name in keyof Declared]: StandardSchemaV1.InferOutput<Declared[Name]> }
  : InputsOf<Declared>;

/** The arguments of `execute`. */
export type ExecuteArguments<Required, Optional> = Flat<OutputsOf<Required> & Partial<OutputsOf<Optional>>>;

/** The arguments of `revert`, which no validator sees. */
export type RevertArguments<Required, Optional> = Flat<InputsOf<Required> & Partial<InputsOf<Optional>>>;

/** Of two declarations the second, unless it is not given. */
export type Or<Declared, Otherwise> = Declared extends undefined | readonly [] ? Otherwise : Declared;

type ListOf<Declared> = Declared extends string ? readonly [Declared] : Declared;

type Position<List> = Exclude<keyof List, keyof (readonly unknown[])>;

/** Argument to symbol, of a list of symbols and one of arguments. */
type Matched<List, Symbols> = {
  [At in Position<Symbols> & Position<List> as List[At] & string]: Symbols[At];
};

type Renamed<Inputs, Renames> = {
  readonly [
    Name in keyof Inputs as Name extends keyof Renames ? (Renames[Name] extends string ? Renames[Name] : Name) : Name
  ]: Inputs[Name];
};

/** Whether a list or map is of any names, not of certain ones. */
type IsWide<Type> = Type extends readonly unknown[]
  ? number extends Type['length']
    ? true
    : false
  : string extends keyof Type
    ? true
    : false;

/** Symbols that arguments are looked up under. `object` when they cannot be known. */
type SymbolsOf<Declared, Renames> = string extends keyof InputsOf<Declared>
  ? object
  : Renames extends undefined
    ? InputsOf<Declared>
    : IsWide<Renames> extends true
      ? object
      : Renames extends readonly string[]
        ? ListOf<Declared> extends readonly string[]
          ? Renamed<InputsOf<Declared>, Matched<ListOf<Declared>, Renames>>
          : object
        : Renames extends ReadonlyMap<string, string>
          ? object
          : Renamed<InputsOf<Declared>, Renames>;

/** Without the symbols that an atom brings along. */
export type WithoutSymbols<Symbols extends object, Given> =
  IsUntyped<Symbols> extends true
    ? object
    : [keyof Symbols & Given] extends [never]
      ? Symbols
      : Omit<Symbols, Given & string>;

/** Symbols that both methods of an atom need. */
export type NeedsOfDeclaration<Requires, Renames, Injected, RevertRequires, RevertRenames> = Both<
  WithoutSymbols<SymbolsOf<Requires, Renames>, keyof Injected>,
  RevertRequires | RevertRenames extends undefined
    ? Nothing
    : WithoutSymbols<SymbolsOf<Or<RevertRequires, Requires>, Or<RevertRenames, Renames>>, keyof Injected>
>;

type Both<First extends object, Second extends object> =
  IsUntyped<First> extends true ? object : IsUntyped<Second> extends true ? object : Flat<First & Second>;

type ElementOf<Result, At> = Result extends string
  ? string
  : Result extends readonly unknown[]
    ? At extends keyof Result
      ? Result[At]
      : Result[number]
    : unknown;

type PropertyOf<Result, Name> = Name extends keyof Result ? Result[Name] : unknown;

type IsUnion<Name, Whole = Name> = Name extends unknown ? ([Whole] extends [Name] ? false : true) : never;

type OutputOfOnly<Declared extends Validators> = StandardSchemaV1.InferOutput<Declared[keyof Declared]>;
type InputOfOnly<Declared extends Validators> = StandardSchemaV1.InferInput<Declared[keyof Declared]>;

/** What symbols of a declaration of `provides` stand for, when `execute` gives a `Result`. */
export type GivesOfDeclaration<Declared, Result> = Declared extends undefined | null
  ? Nothing
  : Declared extends string
    ? string extends Declared
      ? object
      : { readonly [Name in Declared]: Result }
    : Declared extends readonly string[]
      ? number extends Declared['length']
        ? object
        : { readonly [At in Position<Declared> as Declared[At] & string]: ElementOf<Result, At> }
      : Declared extends ReadonlySet<infer Name extends string>
        ? PropertiesOf<Result, Name>
        : Declared extends ProvidedKeys<infer Name>
          ? PropertiesOf<Result, Name>
          : Declared extends Validators
            ? { readonly [Name in keyof Declared]: StandardSchemaV1.InferOutput<Declared[Name]> }
            : object;

type PropertiesOf<Result, Name extends string> = string extends Name
  ? object
  : { readonly [Key in Name]: PropertyOf<Result, Key> };

/** Anything; that a list is among it makes TypeScript see tuples in what is returned. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type, @typescript-eslint/no-generated-empty-object-type
export type Returnable = [] | NonNullable<unknown> | null | undefined | void;

/** What may be rebound: declared arguments. With a signature, which is not typed, anything. */
export type Renaming<Required, Optional, Declared> = Declared extends Signature
  ? DeclaredRebind
  : | { readonly [Name in keyof InputsOf<Required> | keyof InputsOf<Optional>]?: string }
    | ReadonlyMap<string, string>
    | readonly string[]
    | undefined;

/** What `execute` has to return for the validators of `provides`. */
export type ResultFor<Declared> = Declared extends Validators
  ? IsUnion<keyof Declared> extends true
    ? { readonly [Name in keyof Declared]: StandardSchemaV1.InferInput<Declared[Name]> }
    : InputOfOnly<Declared>
  : unknown;

/** What is kept of what `execute` returned: what the validators of `provides` make of it. */
export type KeptResult<Declared, Result> = Declared extends Validators
  ? IsUnion<keyof Declared> extends true
    ? Flat<
        Omit<Result, keyof Declared> & {
          readonly [Name in keyof Declared]: StandardSchemaV1.InferOutput<Declared[Name]>;
        }
      >
    : OutputOfOnly<Declared>
  : Result;

/** What `revert` gets. */
export type RevertArgumentsWith<Required, Optional, Result> = RevertArguments<Required, Optional> & {
  readonly result: Result | Failure | null;
  readonly flowFailures: ReadonlyMap<string, Failure>;
};

/** What the generic options of declarations extend. */
export type DeclaredNames = Names | undefined;
export type DeclaredProvides = Provides | null | undefined;
export type DeclaredRebind = Rebind | undefined;
export type DeclaredInject = Readonly<Record<string, unknown>> | undefined;

/** Whatever carries types: an atom or a flow. */
export interface Typed {
  readonly [typesOf]?: DeclaredTypes<object, object>;
}

/** The arguments of a task's `execute`. */
export type ArgumentsOf<Item extends Typed> = NonNullable<Item[typeof typesOf]>['args'];
