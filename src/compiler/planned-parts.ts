import { InvalidFormatError } from '../errors.js';
import type { Pattern } from '../flows/flow.js';

/** An argument and its symbol; where they are one, its name. An argument that may be missing has a third part. */
export type PlannedBinding = string | readonly [argument: string, symbol: string, optional?: 1];

/** A symbol, and which part of the result it is; where it is the whole, its name. */
export type PlannedSymbol = string | readonly [symbol: string, part: number | string];

/** A link that somebody made, and how far its decider reaches; null where it has none. */
export interface PlannedLink {
  /** The number of the part that it comes from. */
  readonly from: number;
  readonly depth: string | null;
}

interface PlannedBase {
  readonly name: string;
  /** The number of the flow that it is a direct part of; -1 at the root. */
  readonly parent: number;
  readonly links: readonly PlannedLink[];
}

export interface PlannedFlow extends PlannedBase {
  readonly kind: 'flow';
  /** A targeted flow is a graph of what takes part. */
  readonly pattern: Exclude<Pattern, 'targeted'>;
}

export interface PlannedAtom extends PlannedBase {
  readonly kind: 'task' | 'retry';
  readonly version: string;
  /** What `execute` takes. */
  readonly takes: readonly PlannedBinding[];
  /** What `revert` takes. */
  readonly takesToRevert: readonly PlannedBinding[];
  readonly provides: readonly PlannedSymbol[];
  /** The symbols that the atom brings along; their values are no part of the plan. */
  readonly injects: readonly string[];
}

/** A part of a plan. Parts are numbered by their place: a flow before what is in it. */
export type PlannedPart = PlannedFlow | PlannedAtom;

export const KINDS = ['flow', 'task', 'retry'] as const;
export const PATTERNS = ['linear', 'unordered', 'graph'] as const;
export const USUAL_VERSION = '1.0';

/** The form in which plans are written now. */
export const FORMAT = 2;
/** What stands for a usual version, for a symbol that is called like its argument, and for all lists that are empty. */
export const USUAL = 0;
/** Instead of how much `revert` takes: the same as `execute`. */
export const SAME = -1;
/** Instead of a part of a result: the whole. */
export const WHOLE = -1;

/** Whether a field can be a place or a length. */
export function isNumber(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

/** That something in a plan cannot be what it is. */
export function corrupted(what: string, value: unknown): InvalidFormatError {
  const got = JSON.stringify(value) as string | undefined;
  return new InvalidFormatError(
    `The plan of the run is corrupted: ${what} cannot be ${got?.slice(0, 80) ?? 'missing'}`,
  );
}
