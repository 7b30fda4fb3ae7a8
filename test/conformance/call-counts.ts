import type { AtomDetail } from '../../src/persistence/details.js';
import type { UnitOfWork } from '../../src/persistence/backend.js';

/** What is counted: calls of a method of an atom, or of a link's decider. */
export type Counted = 'execute' | 'revert' | 'onFailure' | 'decide';

function keyOf(counted: Counted, name: string): string {
  return `${counted} ${name}`;
}

function isInFlight(state: AtomDetail['state'] | undefined): boolean {
  return state === 'RUNNING' || state === 'REVERTING';
}

/**
 * How often each method was called in a case, over all its runs and engines.
 *
 * The counts can be taken back to what the last commit knows of. A call that was under way when its process
 * died is then made again as the same call, and behaves the same: that is the condition of C6.
 */
export class CallCounts {
  readonly #counts = new Map<string, number>();
  readonly #durable = new Map<string, number>();
  readonly #states = new Map<string, AtomDetail['state']>();
  readonly #total = new Map<string, number>();

  /** Counts a call. @returns Its number, from 0. */
  next(counted: Counted, name: string): number {
    const key = keyOf(counted, name);
    const index = this.#counts.get(key) ?? 0;
    this.#counts.set(key, index + 1);
    this.#total.set(key, (this.#total.get(key) ?? 0) + 1);
    return index;
  }

  /** How often a method was called so far: the number of the next call. */
  made(counted: Counted, name: string): number {
    return this.#counts.get(keyOf(counted, name)) ?? 0;
  }

  /** How often each method was really called, whatever was taken back since. */
  total(counted: Counted, name: string): number {
    return this.#total.get(keyOf(counted, name)) ?? 0;
  }

  /**
   * Takes note of a commit: what it says of an atom is known from now on.
   *
   * A commit that finds an atom in flight and leaves it so says nothing new of its calls.
   */
  committed(unit: UnitOfWork): void {
    for (const atom of unit.atoms) {
      const isStillInFlight = isInFlight(atom.state) && this.#states.get(atom.name) === atom.state;
      this.#states.set(atom.name, atom.state);
      if (!isStillInFlight) for (const counted of ['execute', 'revert'] as const) this.#keep(keyOf(counted, atom.name));
    }
    for (const key of this.#counts.keys()) {
      if (key.startsWith('onFailure ') || key.startsWith('decide ')) this.#keep(key);
    }
  }

  /**
   * Methods that may be called once more than in a run without a crash: an atom's was under way according to
   * the last commit, or had failed to undo it.
   */
  mayBeRepeated(counted: 'execute' | 'revert', name: string): boolean {
    const state = this.#states.get(name);
    if (counted === 'execute') return state === 'RUNNING';
    return state === 'REVERTING' || state === 'REVERT_FAILURE';
  }

  #keep(key: string): void {
    const count = this.#counts.get(key);
    if (count !== undefined) this.#durable.set(key, count);
  }

  /**
   * Takes the counts back to what is stored.
   *
   * @param failedReverts - Atoms whose revert had failed in the run that was cut short. The engine that finishes
   * the run tries it again (D6), which the whole run would not have done: it is made again as the same call.
   */
  takeBack(failedReverts: ReadonlySet<string>): void {
    for (const key of this.#counts.keys()) this.#counts.set(key, this.#durable.get(key) ?? 0);
    for (const name of failedReverts) {
      const key = keyOf('revert', name);
      this.#counts.set(key, Math.max(0, (this.#counts.get(key) ?? 0) - 1));
    }
  }
}
