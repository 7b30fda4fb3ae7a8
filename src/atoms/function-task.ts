import { shown } from './arguments.js';
import type { Signature } from './atom-options.js';
import type {
  AnyNames,
  DeclaredInject,
  DeclaredNames,
  DeclaredProvides,
  ExecuteArguments,
  GivesOfDeclaration,
  KeptResult,
  NeedsOfDeclaration,
  Or,
  ResultFor,
  Renaming,
  Returnable,
  RevertArgumentsWith,
} from './declared-types.js';
import { Task, type TaskContext, type TaskOptions } from './task.js';

type Hook = () => void | Promise<void>;

interface Hooks {
  /** Runs before `execute`. What it throws is the task's failure. */
  readonly preExecute?: Hook | undefined;
  /** Runs after `execute`, whatever became of it. */
  readonly postExecute?: Hook | undefined;
  readonly preRevert?: Hook | undefined;
  readonly postRevert?: Hook | undefined;
}

/** A task as functions. Their types follow from `requires`, `optional`, `provides` and what `execute` returns. */
export interface TaskDeclaration<
  Requires extends DeclaredNames,
  Optional extends DeclaredNames,
  Renames,
  Injected extends DeclaredInject,
  Provided extends DeclaredProvides,
  Declared extends Signature | undefined,
  RevertRequires extends DeclaredNames,
  RevertOptional extends DeclaredNames,
  RevertRenames,
  Result,
>
  extends Omit<TaskOptions, 'rebind' | 'revertRebind'>, Hooks {
  /** Default: the name of the function `execute`. */
  readonly name?: string | undefined;
  readonly requires?: Requires | undefined;
  readonly optional?: Optional | undefined;
  readonly rebind?: Renames | undefined;
  readonly inject?: Injected | undefined;
  readonly provides?: Provided | undefined;
  /** With it, the arguments of the functions are not typed. */
  readonly signature?: Declared | undefined;
  readonly revertRequires?: RevertRequires | undefined;
  readonly revertOptional?: RevertOptional | undefined;
  readonly revertRebind?: RevertRenames | undefined;
  /** Does the work. What it returns, or what its promise gives, is the result. */
  readonly execute: (
    args: Declared extends Signature ? AnyNames : ExecuteArguments<Requires, Optional>,
    context: TaskContext,
  ) => Result | PromiseLike<Result>;
  /** Undoes the work. Written after `execute`: the type of `result` is taken from there. */
  readonly revert?:
    | ((
        args: RevertArgumentsWith<
          Declared extends Signature ? string[] : Or<RevertRequires, Requires>,
          Or<RevertOptional, Optional>,
          KeptResult<Provided, Result>
        >,
        context: TaskContext,
      ) => unknown)
    | undefined;
}

/** A method's type: it may be a function that takes less than any arguments. */
type AnyFunction = { call(args: object, context: TaskContext): unknown }['call'];

/** The same for functions of which nothing more is known. */
interface TaskFunctions extends TaskOptions, Hooks {
  readonly execute: AnyFunction;
  readonly revert?: AnyFunction | undefined;
}

class FunctionTask extends Task {
  static override readonly isOneOfAKind = true;
  protected static override readonly takesRest = false;
  // Not #private: see Task.copy.
  private readonly functions: TaskFunctions;

  constructor(functions: TaskFunctions) {
    refuseOtherThanFunctions(functions);
    super(functions.name === undefined ? { ...functions, name: nameOf(functions) } : functions);
    this.functions = functions;
    // Those not given stay the prototype's, by which an engine sees that there is nothing to call.
    if (functions.revert) this.revert = (args, context) => functions.revert?.(args, context);
    if (functions.preExecute) this.preExecute = () => functions.preExecute?.();
    if (functions.postExecute) this.postExecute = () => functions.postExecute?.();
    if (functions.preRevert) this.preRevert = () => functions.preRevert?.();
    if (functions.postRevert) this.postRevert = () => functions.postRevert?.();
  }

  override execute(args: object, context: TaskContext): unknown {
    return this.functions.execute(args, context);
  }
}

const FUNCTIONS = ['execute', 'revert', 'preExecute', 'postExecute', 'preRevert', 'postRevert'] as const;

function refuseOtherThanFunctions(functions: TaskFunctions): void {
  for (const option of FUNCTIONS) {
    const given: unknown = functions[option];
    if (typeof given === 'function' || (given === undefined && option !== 'execute')) continue;
    const name = functions.name === undefined ? 'a task without a name' : `task '${functions.name}'`;
    throw new RangeError(`${option} of ${name} takes a function, got ${shown(given)}`);
  }
}

function nameOf({ execute: { name } }: TaskFunctions): string {
  // A function written in its place is called after the option, which says nothing about the task.
  if (name === '' || name === 'execute') {
    throw new TypeError('name of a task takes text; it can be left out only when execute is a function with a name');
  }
  return name;
}

/**
 * Makes a task from functions.
 *
 * ```ts
 * const reserve = task({
 *   name: 'reserve',
 *   requires: { flight: z.string() },
 *   provides: 'reservation',
 *   execute: ({ flight }, { signal }) => airline.reserve(flight, { signal }),
 *   revert: ({ result }) => airline.cancel(result),
 * });
 * ```
 *
 * @param declaration.requires - A name, a list of names, or an object from names to Standard Schema validators, which
 * check the arguments of `execute` before it runs ({@link typed} only says the type).
 * @param declaration.provides - A name (the whole result), a list of names (its elements by position), `{ keys }` or
 * a `Set` (its properties), or an object from names to validators: one is the whole result, several its properties.
 * @param declaration.revert - Gets the same arguments, unvalidated, unless `revertRequires` says otherwise, and
 * `result` and `flowFailures`. Default: nothing is undone.
 * @throws {TypeError} when an option is of a type that it does not take.
 * @throws {RangeError} when a method is no function, or `rebind` names what is no argument.
 * @see TaskFlow `task.py`, `FunctorTask`. Differs: arguments are declared; `result` and `flowFailures` are never
 * required (D14).
 */
export function task<
  const Requires extends DeclaredNames = undefined,
  const Optional extends DeclaredNames = undefined,
  const Renames extends Renaming<Requires, Optional, Declared> = undefined,
  const Injected extends DeclaredInject = undefined,
  const Provided extends DeclaredProvides = undefined,
  const Declared extends Signature | undefined = undefined,
  const RevertRequires extends DeclaredNames = undefined,
  const RevertOptional extends DeclaredNames = undefined,
  const RevertRenames extends Renaming<Or<RevertRequires, Requires>, Or<RevertOptional, Optional>, Declared> =
    undefined,
  Result extends Returnable & ResultFor<Provided> = Returnable & ResultFor<Provided>,
>(
  declaration: TaskDeclaration<
    Requires,
    Optional,
    Renames,
    Injected,
    Provided,
    Declared,
    RevertRequires,
    RevertOptional,
    RevertRenames,
    Result
  >,
): Task<
  Declared extends Signature ? object : ExecuteArguments<Requires, Optional>,
  GivesOfDeclaration<Provided, KeptResult<Provided, Result>>,
  Declared extends Signature ? object : NeedsOfDeclaration<Requires, Renames, Injected, RevertRequires, RevertRenames>
>;
export function task(declaration: TaskFunctions): object {
  return new FunctionTask(declaration);
}
