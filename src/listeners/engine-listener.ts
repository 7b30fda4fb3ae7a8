import type { AtomDetails } from '../engines/atom-services.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { systemEnvironment } from '../environment.js';
import type { Clock } from '../environment.js';
import { formatError } from '../failure.js';
import { ANY } from '../notifications/notifier.js';
import type { FlowState } from '../../machines/index.js';
import type { AtomState } from '../persistence/details.js';
import type { Logger } from './logger.js';
import { NO_LOGGER } from './logger.js';

/** What is told of a task. */
export type TaskNews = Extract<AtomDetails, { readonly taskName: string }>;
/** What is told of a retry. */
export type RetryNews = Extract<AtomDetails, { readonly retryName: string }>;

export interface ListenerOptions {
  /** The states of tasks to hear of; `*` stands for all. None: null or an empty list. @default all */
  readonly taskListenFor?: readonly (AtomState | typeof ANY)[] | null | undefined;
  /** The same of retries. @default all */
  readonly retryListenFor?: readonly (AtomState | typeof ANY)[] | null | undefined;
  /** The same of the flow. @default all */
  readonly flowListenFor?: readonly (FlowState | typeof ANY)[] | null | undefined;
  /** Hears only of what is durable, after the commit (C3). @default false */
  readonly durable?: boolean | undefined;
  /** Told of what the listener itself has trouble with. @default none */
  readonly logger?: Logger | undefined;
}

/** The states in which an atom's method has come to its end. */
export const FINISHED: ReadonlySet<AtomState> = new Set<AtomState>([
  'SUCCESS',
  'FAILURE',
  'REVERTED',
  'REVERT_FAILURE',
]);

const ALL = [ANY] as const;

/**
 * Hears of what becomes of a flow, its tasks and its retries, between `register()` and `deregister()`.
 *
 * A subclass overrides `onTask`, `onRetry` and `onFlow`, which do nothing.
 *
 * ```ts
 * using listener = new PrintingListener(engine).register();
 * await new PrintingListener(engine).during(() => engine.run());
 * ```
 *
 * @see TaskFlow `listeners/base.py`, `Listener`.
 */
export class EngineListener implements Disposable {
  readonly engine: Engine;
  protected readonly logger: Logger;
  readonly #options: ListenerOptions;
  readonly #registered = new Map<'task' | 'retry' | 'flow', readonly Disposable[]>();

  constructor(engine: Engine, options: ListenerOptions = {}) {
    this.engine = engine;
    this.logger = options.logger ?? NO_LOGGER;
    this.#options = options;
  }

  protected onTask(_state: AtomState, _details: TaskNews): void {
    // A subclass may want to know.
  }

  protected onRetry(_state: AtomState, _details: RetryNews): void {
    // A subclass may want to know.
  }

  protected onFlow(_state: FlowState, _details: FlowDetails): void {
    // A subclass may want to know.
  }

  /** The engine's clock. */
  protected get clock(): Clock {
    return (this.engine.options.environment ?? systemEnvironment).clock;
  }

  /**
   * Begins to listen. What is registered already stays as it is.
   *
   * @throws {RangeError} for a state that nobody can listen for; of that group (tasks, retries or flows) nothing is
   * registered then.
   */
  register(): this {
    const { taskListenFor = ALL, retryListenFor = ALL, flowListenFor = ALL, durable = false } = this.#options;
    const { atomNotifier, notifier } = this.engine;
    this.#registerGroup('task', taskListenFor, (state) =>
      atomNotifier.register(state, this.#hearTask, { filter: isOfTask, durable }),
    );
    this.#registerGroup('retry', retryListenFor, (state) =>
      atomNotifier.register(state, this.#hearRetry, { filter: isOfRetry, durable }),
    );
    this.#registerGroup('flow', flowListenFor, (state) => notifier.register(state, this.#hearFlow, { durable }));
    return this;
  }

  #registerGroup(
    group: 'task' | 'retry' | 'flow',
    states: readonly string[] | null,
    register: (state: string) => Disposable,
  ): void {
    if (this.#registered.has(group)) return;
    const made: Disposable[] = [];
    try {
      for (const state of new Set(states)) made.push(register(state));
    } catch (error) {
      for (const registration of made) registration[Symbol.dispose]();
      throw error;
    }
    if (made.length > 0) this.#registered.set(group, made);
  }

  /** Listens no more. Of no effect on what is not registered. */
  deregister(): void {
    for (const registrations of this.#registered.values()) {
      for (const registration of registrations) registration[Symbol.dispose]();
    }
    this.#registered.clear();
  }

  /** As `deregister`, for `using`: what that throws is logged. */
  [Symbol.dispose](): void {
    try {
      this.deregister();
    } catch (error) {
      this.logger.warn(`The listener could not be deregistered: ${formatError(error)}`);
    }
  }

  /** Listens while something is done. @returns what that gives. */
  async during<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    this.register();
    try {
      return await work();
    } finally {
      this[Symbol.dispose]();
    }
  }

  // The notifiers hand on the states that they were notified of, and the filters have told apart what is told of.
  readonly #hearTask = (state: string, details: AtomDetails): void => {
    if (isOfTask(details)) this.onTask(state as AtomState, details);
  };

  readonly #hearRetry = (state: string, details: AtomDetails): void => {
    if (isOfRetry(details)) this.onRetry(state as AtomState, details);
  };

  readonly #hearFlow = (state: string, details: FlowDetails): void => {
    this.onFlow(state as FlowState, details);
  };
}

function isOfTask(details: AtomDetails): details is TaskNews {
  return 'taskName' in details && 'taskUuid' in details;
}

function isOfRetry(details: AtomDetails): details is RetryNews {
  return 'retryName' in details && 'retryUuid' in details;
}
