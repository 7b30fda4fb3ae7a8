import type { Failure } from '../failure.js';
import type { ArgumentList } from './arguments.js';
import { Atom } from './atom.js';
import type { AtomOptions } from './atom-options.js';
import { readDelay, type Delay } from './delay.js';
import type { History } from './history.js';
import type { Provides } from './provides.js';
import type { AtomContext } from './task.js';

/** What is to happen after a failure: try again, give up this flow, or give up all flows around it, too. */
export type RetryDecision = 'RETRY' | 'REVERT' | 'REVERT_ALL';

/** What all methods of a retry get beside their own arguments. */
export interface RetryInput<Provided = unknown> {
  readonly history: History<Provided>;
}

/** What a retry's `revert` gets beside its own arguments. */
export interface RetryRevertInput<Provided = unknown> extends RetryInput<Provided> {
  /** All failures of `execute` in the flow, by atom name. */
  readonly flowFailures: ReadonlyMap<string, Failure>;
}

/** How a retry is wired up: like a task, without values of its own. */
export interface RetryOptions extends Omit<AtomOptions, 'inject'> {
  /**
   * How long is waited before the flow is tried again: milliseconds, a delay that grows with each attempt, or a function
   * of the history. What the flow had done is undone meanwhile, and other parts go on. @default 0
   */
  readonly delay?: Delay | undefined;
}

const RESERVED: ReadonlySet<string> = new Set(['history']);

/**
 * Decides whether a flow is tried again: the base of retries.
 *
 * It belongs to the flow that it is given to (`linear('trip', { retry })`), runs before anything in it, and is asked
 * when something in it fails.
 *
 * @see TaskFlow `retry.py`, `Retry`. Differs: hooks are called (D16).
 */
export abstract class Retry<
  Args extends object = object,
  Gives extends object = object,
  Needs extends object = Args,
> extends Atom<Args, Gives, Needs> {
  /** Parameters of `execute`, without `history`; `onFailure` gets the same. */
  static readonly executeArgs: ArgumentList | undefined = undefined;
  /** Parameters of `revert`, without `history` and `flowFailures`. */
  static readonly revertArgs: ArgumentList | undefined = undefined;
  static readonly defaultProvides: Provides | null = null;

  readonly kind = 'retry';
  /** How long is waited before the flow is tried again. */
  readonly delay: Delay | undefined;
  private ownName: string;

  constructor(options: RetryOptions = {}) {
    const { executeArgs, revertArgs, defaultProvides } = new.target;
    super(options, {
      kind: 'retry',
      name: options.name ?? '',
      provides: defaultProvides,
      signature: { execute: executeArgs, revert: revertArgs },
      rest: true,
      reserved: RESERVED,
    });
    this.ownName = options.name ?? '';
    this.delay = readDelay(this.ownName === '' ? 'a retry without a name' : `retry '${this.ownName}'`, options.delay);
  }

  /** Empty until a flow takes the retry, unless it was given one; then `<flow>_retry`. */
  get name(): string {
    return this.ownName;
  }

  /** Names the retry after its flow, unless it has a name. */
  nameAfter(flow: string): void {
    if (this.ownName === '') this.ownName = `${flow}_retry`;
  }

  /** Gives the value of one attempt. Called when the flow is entered and each time that it is tried again. */
  abstract execute(args: Args & RetryInput, context: AtomContext): unknown;

  /** Called when the flow is given up. */
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- a subclass declares what it takes by these
  revert(args: object, context: AtomContext): unknown {
    return null;
  }

  /** Answers a failure in the flow, at once: it gets what `execute` gets. */
  abstract onFailure(args: Args & RetryInput): RetryDecision;
}
