import type { Failure } from '../failure.js';
import type { AtomDetail } from '../persistence/details.js';
import type { AtomSlot } from './ledger.js';

/** Which phase of an atom failed. */
type Phase = 'execute' | 'revert';

/** Which atoms of a run have a failure that still stands. The failures themselves are in their records. */
export class FailureBook {
  readonly #failing: Record<Phase, Set<AtomSlot>> = { execute: new Set(), revert: new Set() };
  #executeFailures: ReadonlyMap<string, Failure> | null = null;

  get isEmpty(): boolean {
    return this.#failing.execute.size === 0 && this.#failing.revert.size === 0;
  }

  /** Failures of `execute`, by the names of their atoms, in the order in which these were registered. */
  get executeFailures(): ReadonlyMap<string, Failure> {
    return (this.#executeFailures ??= this.#failures('execute', ({ failure }) => failure));
  }

  /** The same of `revert`. */
  get revertFailures(): ReadonlyMap<string, Failure> {
    return this.#failures('revert', ({ revertFailure }) => revertFailure);
  }

  note(phase: Phase, slot: AtomSlot, failure: Failure | null): void {
    if (failure === null) this.#failing[phase].delete(slot);
    else this.#failing[phase].add(slot);
    if (phase === 'execute') this.#executeFailures = null;
  }

  #failures(phase: Phase, of: (detail: AtomDetail) => Failure | null): ReadonlyMap<string, Failure> {
    const failures = new Map<string, Failure>();
    const details = [...this.#failing[phase]].map(({ detail }) => detail).sort((a, b) => a.position - b.position);
    for (const detail of details) {
      const failure = of(detail);
      if (failure !== null) failures.set(detail.name, failure);
    }
    return failures;
  }
}
