import type { FlowState } from '../../machines/index.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { FlowstateError } from '../errors.js';
import { formatError } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, TaskNews } from './engine-listener.js';
import { EngineListener } from './engine-listener.js';

/** What was told when the claim was found to be lost. */
export type LossHandler = (engine: Engine, state: FlowState | AtomState, details: FlowDetails | TaskNews) => unknown;

export interface CheckingClaimListenerOptions extends Pick<ListenerOptions, 'logger'> {
  /**
   * Whether the job is not, or no longer, claimed by who runs it. An answer that has to be waited for counts when it
   * comes; meanwhile nothing more is asked.
   *
   * @throws {FlowstateError} when that cannot be found out: then it counts as lost.
   */
  readonly isLost: () => boolean | Promise<boolean>;
  /** Called at each change that is heard of while the claim is lost. @default suspends the engine */
  readonly onJobLoss?: LossHandler | undefined;
}

/**
 * Stops an engine whose job is claimed by somebody else: at each change of the flow and of its tasks it asks whether the
 * claim is lost.
 *
 * @throws {TypeError} when `isLost` or `onJobLoss` is no function.
 * @see TaskFlow `listeners/claims.py`, `CheckingClaimListener`. Differs: who makes it says how the claim is checked.
 */
export class CheckingClaimListener extends EngineListener {
  readonly #isLost: CheckingClaimListenerOptions['isLost'];
  readonly #onJobLoss: LossHandler;
  #isAsking = false;

  constructor(engine: Engine, { isLost, onJobLoss, ...options }: CheckingClaimListenerOptions) {
    super(engine, { ...options, retryListenFor: null });
    if (typeof isLost !== 'function') throw new TypeError(`isLost takes a function, got ${typeof isLost}`);
    if (onJobLoss !== undefined && typeof onJobLoss !== 'function') {
      throw new TypeError(`onJobLoss takes a function, got ${typeof onJobLoss}`);
    }
    this.#isLost = isLost;
    this.#onJobLoss = onJobLoss ?? ((lost) => this.#suspend(lost));
  }

  protected override onFlow(state: FlowState, details: FlowDetails): void {
    this.#check(state, details);
  }

  protected override onTask(state: AtomState, details: TaskNews): void {
    this.#check(state, details);
  }

  #check(state: FlowState | AtomState, details: FlowDetails | TaskNews): void {
    if (this.#isAsking) return;
    const act = () => this.#onJobLoss(this.engine, state, details);
    let answer: boolean | Promise<boolean>;
    try {
      answer = this.#isLost();
    } catch (error) {
      answer = this.#whenUnknown(error);
    }
    if (typeof answer === 'boolean') {
      if (answer) act();
      return;
    }
    this.#isAsking = true;
    void answer
      .catch((error: unknown) => this.#whenUnknown(error))
      .then((isLost) => (isLost ? act() : undefined))
      .catch((error: unknown) => {
        this.logger.warn(`What the loss of the claim asks for could not be done: ${formatError(error)}`);
      })
      .finally(() => (this.#isAsking = false));
  }

  #whenUnknown(error: unknown): boolean {
    if (error instanceof FlowstateError) return true;
    throw error;
  }

  #suspend(engine: Engine): void {
    try {
      engine.suspend();
    } catch (error) {
      if (!(error instanceof FlowstateError)) throw error;
      this.logger.warn(`The engine of ${engine.flow.name} could not be suspended: ${formatError(error)}`);
    }
  }
}
