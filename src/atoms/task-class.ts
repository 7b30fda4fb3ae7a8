import type {
  DeclaredInject,
  DeclaredNames,
  DeclaredProvides,
  ExecuteArguments,
  GivesOfDeclaration,
  NeedsOfDeclaration,
  Or,
  Renaming,
  ResultFor,
} from './declared-types.js';
import { Task, type TaskContext, type TaskOptions } from './task.js';

/** What all instances of a class of tasks have in common. */
export interface ClassDeclaration<
  Requires extends DeclaredNames,
  Optional extends DeclaredNames,
  Renames,
  Injected extends DeclaredInject,
  Provided extends DeclaredProvides,
  RevertRequires extends DeclaredNames,
  RevertOptional extends DeclaredNames,
  RevertRenames,
> extends Omit<TaskOptions, 'signature' | 'rebind' | 'revertRebind'> {
  /** Default: the name of the class. */
  readonly name?: string | undefined;
  readonly requires?: Requires | undefined;
  readonly optional?: Optional | undefined;
  readonly rebind?: Renames | undefined;
  readonly inject?: Injected | undefined;
  /** With validators, or `typed()`, it says the type of the result. */
  readonly provides?: Provided | undefined;
  readonly revertRequires?: RevertRequires | undefined;
  readonly revertOptional?: RevertOptional | undefined;
  readonly revertRebind?: RevertRenames | undefined;
}

/** What may differ between instances of a declared class. What they require and provide may not. */
export type InstanceOptions = Pick<TaskOptions, 'name' | 'priority' | 'version' | 'events'>;

/** A task whose `execute` gives a certain result. */
export abstract class DeclaredTask<
  Args extends object,
  Gives extends object,
  Needs extends object,
  Result,
> extends Task<Args, Gives, Needs> {
  abstract override execute(args: Args, context: TaskContext): Result | PromiseLike<Result>;
}

/**
 * Makes a base for a class of tasks that all require and provide the same.
 *
 * ```ts
 * class Reserve extends taskClass({ requires: { flight: z.string() }, provides: { reservation: typed<Reservation>() } }) {
 *   override execute({ flight }: ArgumentsOf<Reserve>, { signal }: TaskContext) {
 *     return airline.reserve(flight, { signal });
 *   }
 *   override revert({ result }: RevertInput<Reservation>) { … }
 * }
 * ```
 *
 * @param declaration - As for {@link task}, without the functions.
 * @throws {TypeError} or RangeError, as for {@link task}, when an instance is made.
 */
export function taskClass<
  const Requires extends DeclaredNames = undefined,
  const Optional extends DeclaredNames = undefined,
  const Renames extends Renaming<Requires, Optional, undefined> = undefined,
  const Injected extends DeclaredInject = undefined,
  const Provided extends DeclaredProvides = undefined,
  const RevertRequires extends DeclaredNames = undefined,
  const RevertOptional extends DeclaredNames = undefined,
  const RevertRenames extends Renaming<Or<RevertRequires, Requires>, Or<RevertOptional, Optional>, undefined> =
    undefined,
>(
  declaration: ClassDeclaration<
    Requires,
    Optional,
    Renames,
    Injected,
    Provided,
    RevertRequires,
    RevertOptional,
    RevertRenames
  >,
): abstract new (
  options?: InstanceOptions,
) => DeclaredTask<
  ExecuteArguments<Requires, Optional>,
  GivesOfDeclaration<Provided, unknown>,
  NeedsOfDeclaration<Requires, Renames, Injected, RevertRequires, RevertRenames>,
  ResultFor<Provided>
>;
export function taskClass(declaration: TaskOptions): object {
  abstract class Declared extends Task {
    protected static override readonly takesRest = false;

    constructor(options: InstanceOptions = {}) {
      super({ ...declaration, ...options });
    }
  }
  return Declared;
}
