import type { FlowState } from '../../machines/index.js';
import type { Engine } from '../engines/engine.js';
import { InvalidStateError } from '../errors.js';
import type { ExitCode } from './exit-codes.js';
import { EXIT } from './exit-codes.js';
import type { Platform, StopSignal } from './platform.js';

/** Who had a run suspended. */
export type StoppedBy = StopSignal | 'request';

/** States of a run that goes on, in which nobody can suspend it. */
const BETWEEN: ReadonlySet<FlowState> = new Set<FlowState>(['SUSPENDING', 'SUSPENDED', 'RESUMING', 'PENDING']);

export interface StopperParts {
  readonly engine: Engine;
  readonly platform: Platform;
  /** Told of a signal: the first one suspends, the next one leaves. */
  readonly onSignal: (signal: StopSignal, isSecond: boolean) => void;
}

/**
 * Stops a run when somebody asks for it. Ctrl-C lets what is under way come to its end and starts nothing more; a
 * second one ends the process at once.
 */
export class Stopper implements Disposable {
  #stoppedBy: StoppedBy | null = null;
  #hasBegun = false;
  /** Whether the run is to be suspended as soon as it can be. */
  #isWanted = false;
  readonly #registrations: readonly Disposable[];

  constructor(private readonly parts: StopperParts) {
    const { engine, platform } = parts;
    this.#registrations = [
      engine.notifier.register('RUNNING', () => {
        this.#hasBegun = true;
        if (this.#isWanted) engine.suspend();
      }),
      platform.onSignal('SIGINT', () => this.#onSignal('SIGINT')),
      platform.onSignal('SIGTERM', () => this.#onSignal('SIGTERM')),
    ];
  }

  /** The exit code of a run that was suspended. */
  get exitCode(): ExitCode {
    return this.#stoppedBy === null || this.#stoppedBy === 'request' ? EXIT.suspended : EXIT[this.#stoppedBy];
  }

  /** @throws {InvalidStateError} for a run that has ended. */
  suspend(by: StoppedBy): void {
    const { engine } = this.parts;
    if (this.#hasBegun) {
      try {
        engine.suspend();
      } catch (error) {
        // One that is cancelled is about to run once more, to be undone.
        if (!(error instanceof InvalidStateError) || !BETWEEN.has(engine.storage.getFlowState())) throw error;
      }
    }
    this.#isWanted = true;
    this.#stoppedBy ??= by;
  }

  #onSignal(signal: StopSignal): void {
    const { platform, onSignal } = this.parts;
    if (this.#stoppedBy === 'SIGINT' || this.#stoppedBy === 'SIGTERM') {
      onSignal(signal, true);
      platform.exit(EXIT[signal]);
      return;
    }
    this.#stoppedBy = signal;
    try {
      this.suspend(signal);
      onSignal(signal, false);
    } catch (error) {
      // It is about to end by itself.
      if (!(error instanceof InvalidStateError)) throw error;
    }
  }

  [Symbol.dispose](): void {
    for (const registration of this.#registrations) registration[Symbol.dispose]();
  }
}
