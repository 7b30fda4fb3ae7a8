import type { Clock, Timer } from '../environment.js';
import type { Storage } from '../storage/storage.js';
import type { Cancellation } from './cancellation.js';
import { deadlineFor, isCancelled, markCancelled, overdue } from './cancellation.js';

export interface CancellerParts {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly deadlineMs: number | undefined;
  /** Stops the run that goes on, and tells those that execute why. */
  readonly stop: (reason: unknown) => void;
}

/** Cancels the runs of an engine: when somebody asks for it, or when a deadline passes. */
export class Canceller {
  /** Whether a run was cancelled while it went on: when it has stopped, another undoes it. */
  mustUndo = false;
  /** Asked for before the run began, which is to take note of it. */
  #asked: Cancellation | null = null;
  #deadline: Timer | null = null;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly parts: CancellerParts) {}

  /** For the run that is about to begin. */
  ask(cancellation: Cancellation): void {
    this.#asked ??= cancellation;
  }

  /** Notes by when the run that begins has to be done, or that it is to be undone. */
  begin(): void {
    const { storage, clock, deadlineMs } = this.parts;
    if (this.#asked !== null && !isCancelled(storage)) markCancelled(storage, this.#asked);
    this.#asked = null;
    if (isCancelled(storage)) return;
    const deadline = deadlineFor(storage, deadlineMs, clock.now());
    if (deadline === null) return;
    const passed = overdue(storage.flowName, deadline.limitMs);
    const leftMs = deadline.at - clock.now();
    if (leftMs <= 0) markCancelled(storage, passed);
    else this.#deadline = clock.setTimer(leftMs, () => this.cancel(passed));
  }

  /** Stops the run that goes on; when it has stopped, another undoes it. */
  cancel(cancellation: Cancellation): void {
    const { storage, stop } = this.parts;
    if (isCancelled(storage)) return;
    markCancelled(storage, cancellation);
    this.mustUndo = true;
    stop(cancellation.reason);
    // A commit that fails here is tried again with the run's next one, which reports it.
    storage.commit()?.catch(() => undefined);
  }

  /** Resolves when the run has ended, and has been undone where that was asked for. */
  whenEnded(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Called when no run is under way any more. */
  end(): void {
    this.mustUndo = false;
    this.#asked = null;
    this.#deadline?.cancel();
    this.#deadline = null;
    for (const tell of this.#waiting.splice(0)) tell();
  }
}
