import type { FlowState } from '../../machines/index.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { StorageError } from '../errors.js';
import { formatError } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, RetryNews, TaskNews } from './engine-listener.js';
import { EngineListener } from './engine-listener.js';

/** It hears of changes before they are committed, so that what it adds is committed with them. */
export type EventTimeListenerOptions = Omit<ListenerOptions, 'durable'>;

/**
 * Keeps when the flow, its tasks and its retries came into their states: in milliseconds since 1970, by the engine's
 * clock, as `<STATE>-timestampMs` in their metadata.
 *
 * @see TaskFlow `listeners/timing.py`, `EventTimeListener`. Differs: in milliseconds.
 */
export class EventTimeListener extends EngineListener {
  constructor(engine: Engine, options: EventTimeListenerOptions = {}) {
    super(engine, options);
  }

  protected override onFlow(state: FlowState, { flowName }: FlowDetails): void {
    this.#keep(state, `the flow '${flowName}'`, (meta) => {
      this.engine.storage.updateFlowMetadata(meta);
    });
  }

  protected override onTask(state: AtomState, { taskName }: TaskNews): void {
    this.#keepOfAtom(state, taskName);
  }

  protected override onRetry(state: AtomState, { retryName }: RetryNews): void {
    this.#keepOfAtom(state, retryName);
  }

  #keepOfAtom(state: AtomState, name: string): void {
    this.#keep(state, `'${name}'`, (meta) => {
      this.engine.storage.updateAtomMetadata(name, meta);
    });
  }

  #keep(state: string, what: string, keep: (meta: Readonly<Record<string, number>>) => void): void {
    try {
      keep({ [`${state}-timestampMs`]: this.clock.now() });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.logger.warn(`The time at which ${what} became ${state} could not be kept: ${formatError(error)}`);
    }
  }
}
