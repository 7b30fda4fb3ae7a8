import type { Failure } from '../failure.js';
import { RestrictedNotifier } from '../notifications/notifier.js';
import { type ArgumentList, shown } from './arguments.js';
import { Atom } from './atom.js';
import type { AtomOptions } from './atom-options.js';
import type { Provides } from './provides.js';

/** The event of a task that tells how far it is. Details: `progress` from 0 to 1, and what else the task says. */
export const UPDATE_PROGRESS = 'update_progress';

/** What the engine tells any atom while it runs. */
export interface AtomContext {
  /** Name of the atom. */
  readonly atom: string;
  /** Aborted when the atom should stop: it takes too long, or the run is cancelled. */
  readonly signal: AbortSignal;
  /** The same whenever the same attempt is executed again, and no other. */
  readonly idempotencyKey: string;
}

/** What the engine tells a task while it runs, and what it hears from it. */
export interface TaskContext extends AtomContext {
  /** Tells how far the task is, from 0 to 1. `details` are kept with it. */
  progress(progress: number, details?: Record<string, unknown>): void;
  /** Tells the listeners of the task of an event. */
  notify(event: string, details?: Record<string, unknown>): void;
}

/** What `revert` gets beside its own arguments. */
export interface RevertInput<Result = unknown> {
  /** What `execute` returned; its failure; or null when it was interrupted. */
  readonly result: Result | Failure | null;
  /** All failures of `execute` in the flow, by atom name. */
  readonly flowFailures: ReadonlyMap<string, Failure>;
}

export interface TaskOptions extends AtomOptions {
  /** Events that listeners may register for on `notifier`, beside those of the class. */
  readonly events?: readonly string[] | undefined;
}

const NO_NAMES: ReadonlySet<string> = new Set();

/** Tells the engine of progress, then the listeners of everything. */
class TaskNotifier extends RestrictedNotifier {
  constructor(
    events: Iterable<string>,
    private readonly task: Task,
  ) {
    super(events);
  }

  override notify(event: string, details?: Record<string, unknown>): void {
    if (event === UPDATE_PROGRESS && typeof details?.['progress'] === 'number') {
      const { progress, ...others } = details;
      if (typeof progress === 'number') this.task.onProgress?.(this.task, progress, others);
    }
    super.notify(event, details);
  }

  copyFor(task: Task): TaskNotifier {
    return this.copyTo(new TaskNotifier(this.events, task));
  }
}

/**
 * Work that can be undone: the base of tasks that are written as classes.
 *
 * ```ts
 * class Reserve extends Task<{ flight: string }, { reservation: Reservation }> {
 *   static override readonly executeArgs = { required: ['flight'] };
 *   static override readonly defaultProvides = 'reservation';
 *   override execute({ flight }: { flight: string }, { signal }: TaskContext) { … }
 *   override revert({ result }: RevertInput<Reservation>) { … }
 * }
 * ```
 *
 * @typeParam Args - Arguments of `execute`.
 * @typeParam Gives - Symbols that it provides.
 * @typeParam Needs - Symbols that it requires. Default: its arguments; a class whose instances are rebound says `object`.
 * @see TaskFlow `task.py`, `Task`.
 */
export abstract class Task<
  Args extends object = object,
  Gives extends object = object,
  Needs extends object = Args,
> extends Atom<Args, Gives, Needs> {
  /** What instances without a name are called. Default: the name of the class. */
  static readonly typeName: string | undefined = undefined;
  /** Parameters of `execute`. Default: what the instance requires, and whatever else it is given. */
  static readonly executeArgs: ArgumentList | undefined = undefined;
  /** Parameters of `revert`, without `result` and `flowFailures`. */
  static readonly revertArgs: ArgumentList | undefined = undefined;
  static readonly defaultProvides: Provides | null = null;
  /** Whether `execute` takes arguments that nobody declared, when the class declares no parameters. */
  protected static readonly takesRest: boolean = true;
  /** Events that listeners may register for. */
  static readonly taskEvents: readonly string[] = [UPDATE_PROGRESS];

  /** Whether each instance has methods of its own, so that it is registered in its own name and not in its class's. */
  static readonly isOneOfAKind: boolean = false;

  readonly kind = 'task';
  readonly name: string;
  /** Hears of progress before the listeners do. Set by the engine while the task runs. */
  onProgress: ((task: Task, progress: number, details: Record<string, unknown>) => void) | null = null;
  /** How often progress was told outside of 0 to 1, and put right. */
  progressWarnings = 0;

  // Not #private: a copy made from the prototype has to have them, too.
  private readonly ownEvents: readonly string[];
  private ownNotifier: TaskNotifier | undefined;

  /** @throws {TypeError} {@link AtomOptions}; also when neither the options nor the class has a name. */
  constructor(options: TaskOptions = {}) {
    const { typeName, executeArgs, revertArgs, defaultProvides, taskEvents, takesRest } = new.target;
    const name = options.name ?? typeName ?? new.target.name;
    if (typeof name !== 'string' || name === '') {
      throw new TypeError(`name of a task takes text that is not empty, got ${shown(name)}`);
    }
    super(options, {
      kind: 'task',
      name,
      provides: defaultProvides,
      signature: { execute: executeArgs, revert: revertArgs },
      rest: takesRest,
      reserved: NO_NAMES,
    });
    this.name = name;
    this.ownEvents = options.events === undefined ? taskEvents : [...taskEvents, ...options.events];
  }

  /** Does the work. What it returns, or what its promise gives, is the result. */
  abstract execute(args: Args, context: TaskContext): unknown;

  /** Undoes the work. Gets `result` and `flowFailures` beside its arguments, under any of which a symbol is hidden. */
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- a subclass declares what it takes by these
  revert(args: object, context: TaskContext): unknown {
    return null;
  }

  /**
   * What the constructor of the class takes to make this task again, in a thread or in another process: plain data.
   * Default: its name alone. A class whose methods need more of what it was made with overrides it.
   */
  constructionParameters(): readonly unknown[] {
    return [{ name: this.name }];
  }

  /** Tells of what happens inside the task. Made when it is first asked for. */
  get notifier(): RestrictedNotifier {
    this.ownNotifier ??= new TaskNotifier(this.ownEvents, this);
    return this.ownNotifier;
  }

  /** Whether anybody listens to the task; unlike `notifier.hasListeners`, asking makes no notifier. */
  get hasListeners(): boolean {
    return this.ownNotifier?.hasListeners === true;
  }

  /**
   * Tells how far the task is.
   *
   * @param progress - From 0 to 1; anything beyond is moved to the nearest of them and counted in `progressWarnings`.
   * @param details - Told and kept with it.
   * @throws {TypeError} when `progress` is not a number.
   */
  updateProgress(progress: number, details?: Record<string, unknown>): void {
    if (typeof progress !== 'number' || Number.isNaN(progress)) {
      throw new TypeError(`progress of task '${this.name}' takes a number from 0 to 1, got ${shown(progress)}`);
    }
    const within = Math.min(1, Math.max(0, progress));
    if (within !== progress) this.progressWarnings += 1;
    if (this.ownNotifier === undefined) this.onProgress?.(this, within, details ?? {});
    else this.ownNotifier.notify(UPDATE_PROGRESS, { ...details, progress: within });
  }

  /**
   * Makes a task that is the same, apart from its notifier.
   *
   * @param options.retainListeners - Whether those who listen to this one listen to the copy. Default: true.
   */
  copy({ retainListeners = true }: { readonly retainListeners?: boolean } = {}): this {
    const prototype = Object.getPrototypeOf(this) as object;
    const copy = Object.create(prototype, Object.getOwnPropertyDescriptors(this)) as this;
    copy.onProgress = null;
    copy.ownNotifier = retainListeners ? this.ownNotifier?.copyFor(copy) : undefined;
    return copy;
  }
}
