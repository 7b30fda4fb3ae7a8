import { isDeepStrictEqual } from 'node:util';
import { NotFoundError } from '../errors.js';
import { shown } from './arguments.js';
import type {
  DeclaredNames,
  DeclaredProvides,
  DeclaredRebind,
  GivesOfDeclaration,
  NeedsOfDeclaration,
} from './declared-types.js';
import type { History } from './history.js';
import { Retry, type RetryDecision, type RetryInput, type RetryOptions } from './retry.js';

/** Gives up its flow on every failure. @see TaskFlow `retry.py`, `AlwaysRevert`. */
export class AlwaysRevert<Gives extends object = object, Needs extends object = object> extends Retry<
  object,
  Gives,
  Needs
> {
  override execute(): unknown {
    return null;
  }

  override onFailure(): RetryDecision {
    return 'REVERT';
  }
}

/** Gives up its flow and all around it on every failure. @see TaskFlow `retry.py`, `AlwaysRevertAll`. */
export class AlwaysRevertAll<Gives extends object = object, Needs extends object = object> extends Retry<
  object,
  Gives,
  Needs
> {
  override execute(): unknown {
    return null;
  }

  override onFailure(): RetryDecision {
    return 'REVERT_ALL';
  }
}

/** What retries that give up at some time take. */
export interface GivingUpOptions extends RetryOptions {
  /** Whether giving up gives up all flows around its own, too. @default false */
  readonly revertAll?: boolean | undefined;
}

export interface TimesOptions extends GivingUpOptions {
  /** How often the flow is tried in all, the first time included. 0 and 1 never try again. @default 1 */
  readonly attempts?: number | undefined;
}

/**
 * Tries its flow a number of times. Provides the number of the attempt, from 1.
 *
 * @see TaskFlow `retry.py`, `Times`.
 */
export class Times<Gives extends object = object, Needs extends object = object> extends Retry<object, Gives, Needs> {
  readonly attempts: number;
  readonly revertAll: boolean;

  constructor(options: TimesOptions = {}) {
    const { attempts = 1, revertAll = false } = options;
    if (!Number.isInteger(attempts) || attempts < 0) {
      throw new RangeError(`attempts takes a whole number from 0, got ${shown(attempts)}`);
    }
    super(options);
    this.attempts = attempts;
    this.revertAll = revertAll;
  }

  override execute({ history }: RetryInput): unknown {
    return history.length + 1;
  }

  override onFailure({ history }: RetryInput): RetryDecision {
    return history.length < this.attempts ? 'RETRY' : giveUp(this.revertAll);
  }
}

export interface ForEachOptions<Value> extends GivingUpOptions {
  /** Tried one after another; one that is there twice is tried twice. */
  readonly values: Iterable<Value>;
}

/**
 * Tries its flow with each of some values. Provides the value.
 *
 * Its `execute` fails with a `NotFoundError` when no value is left.
 *
 * @see TaskFlow `retry.py`, `ForEach`.
 */
export class ForEach<Value = unknown, Gives extends object = object, Needs extends object = object> extends Retry<
  object,
  Gives,
  Needs
> {
  readonly values: readonly Value[];
  readonly revertAll: boolean;

  constructor(options: ForEachOptions<Value>) {
    super(options);
    this.values = listOf(options.values);
    this.revertAll = options.revertAll ?? false;
  }

  override execute({ history }: RetryInput): unknown {
    return nextOf(this.values, history);
  }

  override onFailure({ history }: RetryInput): RetryDecision {
    return isAnyLeft(this.values, history) ? 'RETRY' : giveUp(this.revertAll);
  }
}

/**
 * Tries its flow with each of the values that are its argument `values`. Provides the value.
 *
 * @see TaskFlow `retry.py`, `ParameterizedForEach`.
 */
export class ParameterizedForEach<Gives extends object = object, Needs extends object = object> extends Retry<
  { readonly values: Iterable<unknown> },
  Gives,
  Needs
> {
  static override readonly executeArgs = { required: ['values'], rest: true };

  readonly revertAll: boolean;

  constructor(options: GivingUpOptions = {}) {
    super(options);
    this.revertAll = options.revertAll ?? false;
  }

  override execute({ values, history }: { readonly values: Iterable<unknown> } & RetryInput): unknown {
    return nextOf(listOf(values), history);
  }

  override onFailure({ values, history }: { readonly values: Iterable<unknown> } & RetryInput): RetryDecision {
    return isAnyLeft(listOf(values), history) ? 'RETRY' : giveUp(this.revertAll);
  }
}

function giveUp(all: boolean): RetryDecision {
  return all ? 'REVERT_ALL' : 'REVERT';
}

function listOf<Value>(values: Iterable<Value> | null): readonly Value[] {
  if (typeof values !== 'object' || values === null || !(Symbol.iterator in values)) {
    throw new TypeError(`values takes a list, got ${shown(values)}`);
  }
  return [...values];
}

/** Those not tried yet: every value in the history takes away one that is equal. */
function left(values: readonly unknown[], history: History): readonly unknown[] {
  const remaining = [...values];
  for (const tried of history.provided()) {
    const at = remaining.findIndex((value) => isDeepStrictEqual(value, tried));
    if (at >= 0) remaining.splice(at, 1);
  }
  return remaining;
}

function isAnyLeft(values: readonly unknown[], history: History): boolean {
  return left(values, history).length > 0;
}

function nextOf(values: readonly unknown[], history: History): unknown {
  const remaining = left(values, history);
  if (remaining.length === 0) throw new NotFoundError('No elements left in the values to try');
  return remaining[0];
}

/** The options that say what a retry requires and provides. */
interface RetryDeclaration<
  Requires extends DeclaredNames,
  Renames extends DeclaredRebind,
  Provided extends DeclaredProvides,
> extends RetryOptions {
  readonly requires?: Requires;
  readonly rebind?: Renames;
  readonly provides?: Provided;
}

type NeedsOfRetry<Requires extends DeclaredNames, Renames extends DeclaredRebind> = NeedsOfDeclaration<
  Requires,
  Renames,
  undefined,
  undefined,
  undefined
>;

/** Makes a retry that gives up its flow on every failure. */
export function alwaysRevert<
  const Requires extends DeclaredNames = undefined,
  const Renames extends DeclaredRebind = undefined,
  const Provided extends DeclaredProvides = undefined,
>(
  options: RetryDeclaration<Requires, Renames, Provided> = {},
): AlwaysRevert<GivesOfDeclaration<Provided, null>, NeedsOfRetry<Requires, Renames>> {
  return new AlwaysRevert(options);
}

/** Makes a retry that gives up its flow and all around it on every failure. */
export function alwaysRevertAll<
  const Requires extends DeclaredNames = undefined,
  const Renames extends DeclaredRebind = undefined,
  const Provided extends DeclaredProvides = undefined,
>(
  options: RetryDeclaration<Requires, Renames, Provided> = {},
): AlwaysRevertAll<GivesOfDeclaration<Provided, null>, NeedsOfRetry<Requires, Renames>> {
  return new AlwaysRevertAll(options);
}

/**
 * Makes a retry that tries its flow a number of times, and provides the number of the attempt, from 1.
 *
 * @param options.attempts - In all, the first time included. Default: 1, which never tries again.
 * @param options.revertAll - Whether giving up gives up all flows around its own, too. Default: false.
 */
export function times<
  const Requires extends DeclaredNames = undefined,
  const Renames extends DeclaredRebind = undefined,
  const Provided extends DeclaredProvides = undefined,
>(
  options: RetryDeclaration<Requires, Renames, Provided> & TimesOptions = {},
): Times<GivesOfDeclaration<Provided, number>, NeedsOfRetry<Requires, Renames>> {
  return new Times(options);
}

/**
 * Makes a retry that tries its flow with each of some values, and provides the value.
 *
 * @param options.values - One that is there twice is tried twice.
 * @param options.revertAll - Whether giving up gives up all flows around its own, too. Default: false.
 */
export function forEach<
  Value,
  const Requires extends DeclaredNames = undefined,
  const Renames extends DeclaredRebind = undefined,
  const Provided extends DeclaredProvides = undefined,
>(
  options: RetryDeclaration<Requires, Renames, Provided> & ForEachOptions<Value>,
): ForEach<Value, GivesOfDeclaration<Provided, Value>, NeedsOfRetry<Requires, Renames>> {
  return new ForEach(options);
}

/**
 * Makes a retry that tries its flow with each of the values of its argument `values`, and provides the value.
 *
 * @param options.rebind - The symbol of `values`, when it has another name.
 * @param options.revertAll - Whether giving up gives up all flows around its own, too. Default: false.
 */
export function parameterizedForEach<
  const Requires extends DeclaredNames = undefined,
  const Renames extends DeclaredRebind = undefined,
  const Provided extends DeclaredProvides = undefined,
>(
  options: RetryDeclaration<Requires, Renames, Provided> & GivingUpOptions = {},
): ParameterizedForEach<GivesOfDeclaration<Provided, unknown>> {
  return new ParameterizedForEach(options);
}
