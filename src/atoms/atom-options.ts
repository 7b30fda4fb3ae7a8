import type { ArgumentList, Rebind } from './arguments.js';
import type { Names } from './names.js';
import type { Provides } from './provides.js';
import type { TimeLimits } from './time-limits.js';

/** The parameters of both methods, as an atom's author declares them. */
export interface Signature {
  readonly execute?: ArgumentList | undefined;
  /** `result`, `flowFailures` and `history` come by themselves. Default: takes what is passed. */
  readonly revert?: ArgumentList | undefined;
}

/** How one atom is wired up. */
export interface AtomOptions {
  readonly name?: string | undefined;
  /** Required arguments. Without a `signature` they are the parameters of `execute` and `revert`. */
  readonly requires?: Names | undefined;
  /** Arguments that are left out when there is no value. */
  readonly optional?: Names | undefined;
  /** What the results are called. Default: the class's `defaultProvides`, or nothing. */
  readonly provides?: Provides | null | undefined;
  /** Symbols for arguments, where their names differ. */
  readonly rebind?: Rebind | undefined;
  /** Values only this atom sees, by symbol. */
  readonly inject?: Readonly<Record<string, unknown>> | undefined;
  /** Required arguments of `revert`. Default, also when empty: `requires`. */
  readonly revertRequires?: Names | undefined;
  /** Optional arguments of `revert`. Default: `optional`. */
  readonly revertOptional?: Names | undefined;
  /** Default, also when empty: `rebind`. */
  readonly revertRebind?: Rebind | undefined;
  /** The parameters that the methods declare, apart from what this instance requires. */
  readonly signature?: Signature | undefined;
  /** Whether declared parameters become arguments by themselves. @default true */
  readonly autoExtract?: boolean | undefined;
  /** Parameters that never become arguments by themselves. */
  readonly ignore?: readonly string[] | undefined;
  /** Of those that can run, the atom with the highest is started first. @default 0 */
  readonly priority?: number | undefined;
  /**
   * How long, in milliseconds, `execute` and `revert` may take, each with its hooks, from when it begins. What takes
   * longer is told by its signal, and has failed with a `TimeoutError`. @default no limit
   */
  readonly timeoutMs?: number | TimeLimits | undefined;
  /** Kept with each run, to tell plans apart. @default '1.0' */
  readonly version?: string | undefined;
}

/** What the kind of atom and its class add to the options. */
export interface AtomDefaults {
  readonly kind: 'task' | 'retry';
  readonly name: string;
  readonly signature: Signature;
  readonly provides: Provides | null | undefined;
  /** Whether `execute` takes arguments that nobody declared. */
  readonly rest: boolean;
  /** Names that the engine fills in, and nobody provides. */
  readonly reserved: ReadonlySet<string>;
}
