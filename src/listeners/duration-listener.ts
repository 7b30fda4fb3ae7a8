import type { FlowState } from '../../machines/index.js';
import type { Engine, FlowDetails } from '../engines/engine.js';
import { StorageError } from '../errors.js';
import { formatError } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import type { ListenerOptions, TaskNews } from './engine-listener.js';
import { EngineListener } from './engine-listener.js';
import type { Printer } from './printing-listener.js';

/** It hears of changes before they are committed, so that what it adds is committed with them. */
export type DurationListenerOptions = Pick<ListenerOptions, 'logger'>;

const WATCHED = ['RUNNING', 'REVERTING', 'SUCCESS', 'FAILURE', 'REVERTED', 'REVERT_FAILURE', 'PENDING'] as const;
const WATCHED_OF_FLOWS = ['RUNNING', 'SUCCESS', 'FAILURE', 'REVERTED', 'PENDING'] as const;

/** What is timed. */
type Timed = 'task' | 'flow';

/**
 * Keeps how long the flow and its tasks took, by the engine's clock: as `durationMs` in their metadata. Retries are not
 * timed. A flow that is suspended goes on being timed.
 *
 * @see TaskFlow `listeners/timing.py`, `DurationListener`. Differs: in milliseconds.
 */
export class DurationListener extends EngineListener {
  readonly #started: Readonly<Record<Timed, Map<string, number>>> = { task: new Map(), flow: new Map() };

  constructor(engine: Engine, options: DurationListenerOptions = {}) {
    super(engine, {
      ...options,
      taskListenFor: WATCHED,
      flowListenFor: WATCHED_OF_FLOWS,
      retryListenFor: null,
    });
  }

  /** Forgets what was begun and has not ended, with a warning. */
  override deregister(): void {
    super.deregister();
    const { task, flow } = this.#started;
    const left = task.size + flow.size;
    task.clear();
    flow.clear();
    if (left > 0) this.logger.warn(`${left} tasks or flows were begun and have not ended: they were not timed`);
  }

  protected override onTask(state: AtomState, { taskName }: TaskNews): void {
    this.#hear('task', taskName, state);
  }

  protected override onFlow(state: FlowState, { flowName }: FlowDetails): void {
    this.#hear('flow', flowName, state);
  }

  /** Called when something is begun. */
  protected onStarted(_kind: Timed, _name: string): void {
    // A subclass may want to know.
  }

  /** Called when something has ended. */
  protected onEnded(_kind: Timed, _name: string, _durationMs: number): void {
    // A subclass may want to know.
  }

  #hear(kind: Timed, name: string, state: AtomState | FlowState): void {
    const started = this.#started[kind];
    if (state === 'PENDING') started.delete(name);
    else if (state === 'RUNNING' || state === 'REVERTING') {
      started.set(name, this.clock.now());
      this.onStarted(kind, name);
    } else {
      const since = started.get(name);
      if (since === undefined) return;
      started.delete(name);
      const durationMs = this.clock.now() - since;
      this.#keep(kind, name, durationMs);
      this.onEnded(kind, name, durationMs);
    }
  }

  #keep(kind: Timed, name: string, durationMs: number): void {
    const { storage } = this.engine;
    try {
      if (kind === 'task') storage.updateAtomMetadata(name, { durationMs });
      else storage.updateFlowMetadata({ durationMs });
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.logger.warn(`The duration of the ${kind} '${name}' could not be kept: ${formatError(error)}`);
    }
  }
}

export interface PrintingDurationListenerOptions extends DurationListenerOptions {
  /** @default process.stdout */
  readonly output?: Printer | undefined;
}

/** Times the flow and its tasks, and prints it. */
export class PrintingDurationListener extends DurationListener {
  readonly #output: Printer;

  constructor(engine: Engine, { output = process.stdout, ...options }: PrintingDurationListenerOptions = {}) {
    super(engine, options);
    this.#output = output;
  }

  protected override onStarted(kind: Timed, name: string): void {
    this.#output.write(`'${name}' ${kind} started.\n`);
  }

  protected override onEnded(kind: Timed, name: string, durationMs: number): void {
    this.#output.write(`It took ${kind} '${name}' ${(durationMs / 1000).toFixed(2)} seconds to finish.\n`);
  }
}
