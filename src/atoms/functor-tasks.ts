import { shown } from './arguments.js';
import type {
  DeclaredInject,
  DeclaredProvides,
  DeclaredRebind,
  GivesOfDeclaration,
  InputsOf,
  NeedsOfDeclaration,
} from './declared-types.js';
import { Task, type TaskOptions } from './task.js';

/** What {@link mapTask} and {@link reduceTask} take beside their function. */
export interface FunctorOptions<
  Requires extends readonly string[],
  Renames extends DeclaredRebind,
  Injected extends DeclaredInject,
  Provided extends DeclaredProvides,
> extends Pick<TaskOptions, 'priority' | 'version'> {
  /** Default: the name of the function. */
  readonly name?: string | undefined;
  /** The arguments, in the order in which the function gets them. */
  readonly requires: Requires;
  readonly rebind?: Renames;
  readonly inject?: Injected;
  readonly provides?: Provided;
}

interface Functor {
  readonly kind: 'map' | 'reduce';
  readonly arity: number;
  readonly fewest: number;
}

class FunctorTask<Args extends object, Gives extends object, Needs extends object> extends Task<Args, Gives, Needs> {
  static override readonly isOneOfAKind = true;
  private readonly argumentNames: readonly string[];
  private readonly compute: (values: unknown[]) => unknown;

  constructor(
    { kind, arity, fewest }: Functor,
    functor: (...values: never[]) => unknown,
    compute: (values: unknown[]) => unknown,
    options: TaskOptions & { readonly requires: Iterable<string> },
  ) {
    if (typeof functor !== 'function') throw new RangeError(`${kind}Task takes a function, got ${shown(functor)}`);
    const name = options.name ?? functor.name;
    if (functor.length !== arity) {
      throw new RangeError(
        `The function of ${kind} task '${name}' has to take exactly ${arity} value${arity === 1 ? '' : 's'}, ` +
          `it takes ${functor.length}`,
      );
    }
    const { requires } = options;
    if (typeof requires === 'string' || typeof requires !== 'object' || !(Symbol.iterator in requires)) {
      throw new TypeError(`requires of ${kind} task '${name}' takes a list of names, got ${shown(requires)}`);
    }
    const argumentNames = [...requires];
    if (argumentNames.length < fewest) {
      throw new RangeError(
        `requires of ${kind} task '${name}' takes at least ${fewest} names, got ${argumentNames.length}`,
      );
    }
    super({ ...options, name, requires: argumentNames });
    this.argumentNames = argumentNames;
    this.compute = compute;
  }

  override execute(args: Args): unknown {
    return this.compute(this.argumentNames.map((name) => Reflect.get(args, name) as unknown));
  }
}

/**
 * Makes a task that calls a function with each of its arguments and gives the list of what it returned.
 *
 * @throws {RangeError} when `functor` is no function of exactly one value.
 * @throws {TypeError} when `requires` is no list.
 * @see TaskFlow `task.py`, `MapFunctorTask`. Differs: arguments that are rebound keep their places.
 */
export function mapTask<
  const Requires extends readonly string[],
  const Renames extends DeclaredRebind = undefined,
  const Injected extends DeclaredInject = undefined,
  const Provided extends DeclaredProvides = undefined,
  Result = unknown,
>(
  functor: (value: never) => Result,
  options: FunctorOptions<Requires, Renames, Injected, Provided>,
): Task<
  InputsOf<Requires>,
  GivesOfDeclaration<Provided, Result[]>,
  NeedsOfDeclaration<Requires, Renames, Injected, undefined, undefined>
> {
  const call: { bivariant(value: unknown): unknown }['bivariant'] = functor;
  return new FunctorTask(
    { kind: 'map', arity: 1, fewest: 0 },
    functor,
    (values) => values.map((value) => call(value)),
    options,
  );
}

/**
 * Makes a task that folds its arguments: it calls a function with the first two, then with what that gave and the next.
 *
 * @throws {RangeError} when `functor` is no function of exactly two values, or `requires` has less than two names.
 * @throws {TypeError} when `requires` is no list.
 * @see TaskFlow `task.py`, `ReduceFunctorTask`. Differs: arguments that are rebound keep their places.
 */
export function reduceTask<
  const Requires extends readonly string[],
  const Renames extends DeclaredRebind = undefined,
  const Injected extends DeclaredInject = undefined,
  const Provided extends DeclaredProvides = undefined,
  Value = never,
  Result extends Value = Value,
>(
  functor: (folded: Value, value: Value) => Result,
  options: FunctorOptions<Requires, Renames, Injected, Provided>,
): Task<
  InputsOf<Requires>,
  GivesOfDeclaration<Provided, Result>,
  NeedsOfDeclaration<Requires, Renames, Injected, undefined, undefined>
> {
  const call: { bivariant(folded: unknown, value: unknown): unknown }['bivariant'] = functor;
  return new FunctorTask(
    { kind: 'reduce', arity: 2, fewest: 2 },
    functor,
    (values) => values.reduce((folded, value) => call(folded, value)),
    options,
  );
}
