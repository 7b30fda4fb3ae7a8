import type { Intention } from '../../machines/index.js';
import type { Compilation } from '../compiler/compilation.js';
import type { AtomState } from '../persistence/details.js';
import { Frontier } from './frontier.js';

/** What is looked at of an atom. */
interface AtomPlace {
  readonly detail: { readonly state: AtomState | null; readonly intention: Intention };
}

/**
 * Knows at any moment which atoms may run, forwards and backwards, without ever looking through the graph.
 *
 * Forwards, a node is *settled* when it and all that lead to it are done and not to be undone. Backwards, it is
 * *cleared* when it and all that follow it are as if they had not run; this is found out when something is first to be
 * undone.
 */
export class Readiness {
  /** How often an atom or a marker was looked at to find out what may run. */
  checks = 0;

  /** What is done, forwards. */
  readonly #settled: Frontier;
  /** What is as if it had not run, backwards. */
  readonly #cleared: Frontier;
  #knowsBackwards = false;
  #revertible: number[] = [];

  /** @param places - Of the atoms, by node; nothing stands where a flow begins or ends. */
  constructor(
    private readonly compilation: Compilation,
    private readonly places: readonly (AtomPlace | undefined)[],
  ) {
    const { forward, backward } = compilation;
    this.#settled = new Frontier(backward, forward, () => undefined);
    this.#cleared = new Frontier(forward, backward, (node) => {
      if (this.#mayBeReverted(node, false)) this.#revertible.push(node);
    });
  }

  /** Takes all states and intentions as they are now. Comes before everything else. */
  rebuild(): void {
    this.#knowsBackwards = false;
    this.#revertible = [];
    this.#settled.rebuild(this.compilation.topological, (node) => this.#isDone(node));
    if (this.compilation.atoms.some(({ index }) => this.#isToUndo(index))) this.#learnBackwards();
  }

  /** Has to be called after each change of an atom's state or intention. */
  update(node: number): void {
    this.#settled.set(node, this.#isDone(node));
    if (this.#knowsBackwards) {
      this.#cleared.set(node, this.#isUndone(node));
      if (this.#cleared.isReached(node) && this.#mayBeReverted(node, false)) this.#revertible.push(node);
    } else if (this.#isToUndo(node)) this.#learnBackwards();
  }

  /** Whether any atom was to be undone since the run began. */
  get isAnythingToUndo(): boolean {
    return this.#knowsBackwards;
  }

  /** Whether an atom has succeeded or was ignored, and is to stay so. */
  isDone(node: number): boolean {
    return this.#settled.fulfils(node);
  }

  /** Whether a node, and everything that leads to it, is done. */
  isSettled(node: number): boolean {
    return this.#settled.isPassed(node);
  }

  /** Whether everything that leads to a node is done. */
  isReached(node: number): boolean {
    return this.#settled.isReached(node);
  }

  /** Whether a node, and everything that follows it, is as if it had not run. */
  isCleared(node: number): boolean {
    return this.#cleared.isPassed(node);
  }

  /** Whether an atom is to be executed and can be. */
  canExecute(node: number): boolean {
    this.checks += 1;
    return this.#isToExecute(node) && this.#settled.isReached(node);
  }

  /**
   * Whether an atom is to be reverted (or its flow to be tried again) and can be.
   *
   * @param atStart - A revert that failed may be tried again when a run begins (D6).
   */
  canRevert(node: number, atStart: boolean): boolean {
    this.checks += 1;
    return this.#knowsBackwards && this.#mayBeReverted(node, atStart) && this.#cleared.isReached(node);
  }

  /** Whether an atom can be executed or reverted. One that has nothing to do is not looked at. */
  canRun(node: number, atStart: boolean): boolean {
    if (this.#isToExecute(node)) return this.canExecute(node);
    return this.#mayBeReverted(node, atStart) && this.canRevert(node, atStart);
  }

  /** Atoms that have come to be ready to be reverted since this was last asked, in the order of the graph. */
  takeRevertible(): number[] {
    const found = [...new Set(this.#revertible)].filter((node) => this.canRevert(node, false));
    this.#revertible = [];
    return found.sort((a, b) => a - b);
  }

  #isToExecute(node: number): boolean {
    const place = this.places[node];
    if (place?.detail.intention !== 'EXECUTE') return false;
    const { state } = place.detail;
    return state === 'PENDING' || state === 'RETRYING';
  }

  #mayBeReverted(node: number, atStart: boolean): boolean {
    if (!this.#isToUndo(node)) return false;
    const state = this.places[node]?.detail.state;
    return state === 'SUCCESS' || state === 'FAILURE' || (atStart && state === 'REVERT_FAILURE');
  }

  #isDone(node: number): boolean {
    const place = this.places[node];
    if (place === undefined) return true;
    const { state, intention } = place.detail;
    if (state !== 'SUCCESS' && state !== 'IGNORE') return false;
    return intention === 'EXECUTE' || intention === 'IGNORE';
  }

  #isUndone(node: number): boolean {
    const place = this.places[node];
    if (place === undefined) return true;
    const { state } = place.detail;
    return state === 'PENDING' || state === 'REVERTED' || state === 'IGNORE';
  }

  #isToUndo(node: number): boolean {
    const intention = this.places[node]?.detail.intention;
    return intention === 'REVERT' || intention === 'RETRY';
  }

  #learnBackwards(): void {
    this.#knowsBackwards = true;
    this.#cleared.rebuild(this.compilation.topological.toReversed(), (node) => this.#isUndone(node));
  }
}
