import type { typesOf } from '../atoms/atom.js';
import type { AnyNames, IsUntyped, Nothing, Typed } from '../atoms/declared-types.js';

/** Symbols that an atom or a flow needs from outside; `object` when they are not known. */
export type NeedsOf<Item extends Typed> = NonNullable<Item[typeof typesOf]>['needs'];

/** Symbols that an atom or a flow provides; `object` when they are not known. */
export type GivesOf<Item extends Typed> = NonNullable<Item[typeof typesOf]>['gives'];

/**
 * The values that a run of the flow needs, by symbol. Others may be there as well.
 *
 * Of a flow of which TypeScript does not know everything: any values.
 */
export type StoreOf<Item extends Typed> =
  IsUntyped<NeedsOf<Item>> extends true
    ? AnyNames
    : { readonly [Name in keyof NeedsOf<Item>]: NeedsOf<Item>[Name] } & AnyNames;

/** The option `store`: it can be left out when nothing is needed. */
export type StoreOption<Item extends Typed> =
  IsUntyped<NeedsOf<Item>> extends true
    ? { readonly store?: StoreOf<Item> | undefined }
    : Nothing extends NeedsOf<Item>
      ? { readonly store?: StoreOf<Item> | undefined }
      : { readonly store: StoreOf<Item> };

/** What TypeScript knows of a flow, and how it got to know it. Of an unknown flow: this. */
export interface Known {
  readonly needs: object;
  readonly gives: object;
  /** One element for each call of `add`. */
  readonly calls: readonly unknown[];
  readonly retryNeeds: object;
  readonly retryGives: object;
  /** What any child of a graph flow needs, whoever may provide it. */
  readonly childrenNeed: object;
}

/** Known of a flow before anything is added. */
export type StartWith<Controller extends Typed | null | undefined> = Controller extends Typed
  ? Start<NeedsOf<Controller>, GivesOf<Controller>>
  : Start<Nothing, Nothing>;

type Start<Needs extends object, Gives extends object> = {
  readonly needs: Needs;
  readonly gives: Gives;
  readonly calls: [];
  readonly retryNeeds: Needs;
  readonly retryGives: Gives;
  readonly childrenNeed: Nothing;
};

/** Known after one more call of `add`. */
type After<Before extends Known, Needs extends object, Children extends Sum> = {
  readonly needs: Needs;
  readonly gives: Children['gives'];
  readonly calls: Before['calls'] extends readonly unknown[] ? [...Before['calls'], unknown] : [];
  readonly retryNeeds: Before['retryNeeds'];
  readonly retryGives: Before['retryGives'];
  readonly childrenNeed: Children['needs'];
};

type Eight = [unknown, unknown, unknown, unknown, unknown, unknown, unknown, unknown];
/** How many items in one call, and how many calls one after another, TypeScript follows. */
type Limit = [...Eight, ...Eight, ...Eight, ...Eight, ...Eight, ...Eight, ...Eight, ...Eight];

type IsUnknown<Needs extends object, Gives extends object> = true extends IsUntyped<Needs> | IsUntyped<Gives>
  ? true
  : false;

/** Whether nothing is known any more after `add` was called with these. */
type IsLost<Before extends Known, Items extends readonly unknown[]> =
  IsUnknown<Before['needs'], Before['gives']> extends true
    ? true
    : number extends Items['length']
      ? true
      : Items extends readonly [...Limit, unknown, ...unknown[]]
        ? true
        : Before['calls'] extends Limit
          ? true
          : false;

type Lacking<Needs extends object, Given> = [keyof Needs & Given] extends [never] ? Needs : Omit<Needs, Given & string>;

/** The later of two providers is who counts. */
type Joined<Gives extends object, More extends object> = [keyof Gives & keyof More] extends [never]
  ? Gives & More
  : Omit<Gives, keyof More> & More;

interface Sum {
  readonly needs: object;
  readonly gives: object;
}

/** Of items one after another; without what earlier ones or the retry satisfy. */
type InOrder<Items, Needs extends object, Gives extends object> = Items extends readonly [
  infer First extends Typed,
  ...infer Others,
]
  ? IsUnknown<NeedsOf<First>, GivesOf<First>> extends true
    ? Sum
    : InOrder<Others, Needs & Lacking<NeedsOf<First>, keyof Gives>, Joined<Gives, GivesOf<First>>>
  : { needs: Needs; gives: Gives };

/** Of items in any order; without what is satisfied anyway. */
type InAnyOrder<Items, Satisfied, Needs extends object, Gives extends object> = Items extends readonly [
  infer First extends Typed,
  ...infer Others,
]
  ? IsUnknown<NeedsOf<First>, GivesOf<First>> extends true
    ? Sum
    : InAnyOrder<Others, Satisfied, Needs & Lacking<NeedsOf<First>, Satisfied>, Joined<Gives, GivesOf<First>>>
  : { needs: Needs; gives: Gives };

/** Known of a linear flow after a call of `add`: what comes earlier satisfies what comes later. */
export type AfterLinear<Before extends Known, Items extends readonly Typed[]> =
  IsLost<Before, Items> extends true
    ? Known
    : InOrder<Items, Before['needs'], Before['gives']> extends infer Children extends Sum
      ? After<Before, Children['needs'], Children>
      : Known;

/** Known of an unordered flow after a call of `add`: only the retry satisfies. */
export type AfterUnordered<Before extends Known, Items extends readonly Typed[]> =
  IsLost<Before, Items> extends true
    ? Known
    : InAnyOrder<Items, keyof Before['retryGives'], Before['needs'], Before['gives']> extends infer Children extends Sum
      ? After<Before, Children['needs'], Children>
      : Known;

/** Known of a graph flow after a call of `add`: every child satisfies every other. */
export type AfterGraph<Before extends Known, Items extends readonly Typed[]> =
  IsLost<Before, Items> extends true
    ? Known
    : InAnyOrder<Items, never, Before['childrenNeed'], Before['gives']> extends infer Children extends Sum
      ? IsUntyped<Children['needs']> extends true
        ? Known
        : After<Before, Before['retryNeeds'] & Lacking<Children['needs'], keyof Children['gives']>, Children>
      : Known;
