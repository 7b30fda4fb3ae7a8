import { Failure } from '../failure.js';

/** An atom under way that has asked for its signal. */
export interface Stoppable {
  readonly method: 'execute' | 'revert';
  abort(reason: unknown): void;
}

interface Stop {
  readonly reason: unknown;
  /** Whether it is for those who revert, too. */
  readonly isForAll: boolean;
}

/** Tells the atoms of a run to stop: those that are under way by their signals, and those that come later, too. */
export class Stops {
  readonly #listening = new Set<Stoppable>();
  #stop: Stop | null = null;

  /** Everything may go on: a new run begins. */
  lift(): void {
    this.#stop = null;
  }

  /** Tells an atom as soon as it is to stop, which may be now. */
  listen(atom: Stoppable): void {
    this.#listening.add(atom);
    if (this.#stop !== null && this.appliesTo(atom.method)) atom.abort(this.#stop.reason);
  }

  forget(atom: Stoppable): void {
    this.#listening.delete(atom);
  }

  /** @param reverting - Whether those who revert are told, too. */
  stop(reason: unknown, { reverting }: { readonly reverting: boolean }): void {
    if (this.#stop?.isForAll === true) return;
    this.#stop = { reason, isForAll: reverting };
    for (const atom of [...this.#listening]) if (this.appliesTo(atom.method)) atom.abort(reason);
  }

  /** Whether atoms that do this are to stop. */
  appliesTo(method: Stoppable['method']): boolean {
    return this.#stop !== null && (this.#stop.isForAll || method === 'execute');
  }

  /** Whether an atom failed for no other reason than that it was told to stop: it gave up, and did not fail. */
  isAnswer(method: Stoppable['method'], { name, code, message }: Failure): boolean {
    if (this.#stop === null || !this.appliesTo(method)) return false;
    if (name === 'AbortError' || code === 'ABORT_ERR') return true;
    // What comes from a thread or a process is another error that says the same.
    const reason = Failure.from(this.#stop.reason);
    return name === reason.name && message === reason.message;
  }
}
