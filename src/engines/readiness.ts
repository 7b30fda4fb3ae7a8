import type { Intention } from '../../machines/index.js';
import type { Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { AtomState } from '../persistence/details.js';

/**
 * Knows at any moment which atoms may run, forwards and backwards, without ever looking through the graph.
 *
 * Forwards, a node is *settled* when it and all that lead to it are done and not to be undone; each node counts its
 * unsettled direct predecessors. Backwards, a node is *cleared* when it and all that follow it are as if they had not
 * run; each counts its uncleared direct successors. A change of one atom touches its neighbours only, and goes on
 * only where a count comes to zero or leaves it. The backward counts are made when something is first to be undone.
 */
export class Readiness {
  /** How often an atom or a marker was looked at to find out what may run. */
  checks = 0;

  readonly #count: number;
  readonly #isAtom: Uint8Array;
  readonly #done: Uint8Array;
  readonly #unsettled: Int32Array;
  readonly #settled: Uint8Array;
  readonly #undone: Uint8Array;
  readonly #uncleared: Int32Array;
  readonly #cleared: Uint8Array;
  readonly #stack: number[] = [];
  #knowsBackwards = false;
  #revertible: number[] = [];

  constructor(
    private readonly compilation: Compilation,
    private readonly stateOf: (node: number) => AtomState | null,
    private readonly intentionOf: (node: number) => Intention,
  ) {
    const count = compilation.nodes.length;
    this.#count = count;
    this.#isAtom = Uint8Array.from(compilation.nodes, (node) => (isAtom(node) ? 1 : 0));
    this.#done = new Uint8Array(count);
    this.#unsettled = new Int32Array(count);
    this.#settled = new Uint8Array(count);
    this.#undone = new Uint8Array(count);
    this.#uncleared = new Int32Array(count);
    this.#cleared = new Uint8Array(count);
  }

  /** Takes all states and intentions as they are now. Comes before everything else. */
  rebuild(): void {
    const { topological, backward } = this.compilation;
    this.#knowsBackwards = false;
    this.#revertible = [];
    let toUndo = false;
    for (let at = 0; at < this.#count; at++) {
      const node = topological[at] ?? 0;
      this.#done[node] = this.#computeDone(node) ? 1 : 0;
      let unsettled = 0;
      for (let i = backward.start[node] ?? 0; i < (backward.start[node + 1] ?? 0); i++) {
        if (this.#settled[backward.nodes[i] ?? 0] !== 1) unsettled += 1;
      }
      this.#unsettled[node] = unsettled;
      this.#settled[node] = unsettled === 0 && this.#done[node] === 1 ? 1 : 0;
      toUndo ||= this.#isAtom[node] === 1 && isToUndo(this.intentionOf(node));
    }
    if (toUndo) this.#learnBackwards();
  }

  /** Has to be called after each change of an atom's state or intention. */
  update(node: number): void {
    const done = this.#computeDone(node) ? 1 : 0;
    if (done !== this.#done[node]) {
      this.#done[node] = done;
      if (done === 1) {
        if (this.#unsettled[node] === 0) this.#settle(node);
      } else if (this.#settled[node] === 1) this.#unsettle(node);
    }
    if (!this.#knowsBackwards) {
      if (isToUndo(this.intentionOf(node))) this.#learnBackwards();
      return;
    }
    const undone = this.#isUndone(node) ? 1 : 0;
    if (undone !== this.#undone[node]) {
      this.#undone[node] = undone;
      if (undone === 1) {
        if (this.#uncleared[node] === 0) this.#clear(node);
      } else if (this.#cleared[node] === 1) this.#unclear(node);
    }
    if (this.#uncleared[node] === 0 && this.#mayBeReverted(node, false)) this.#revertible.push(node);
  }

  /** Whether any atom was to be undone since the run began. */
  get isAnythingToUndo(): boolean {
    return this.#knowsBackwards;
  }

  /** Whether an atom has succeeded or was ignored, and is to stay so. */
  isDone(node: number): boolean {
    return this.#done[node] === 1;
  }

  /** Whether a node, and everything that leads to it, is done. */
  isSettled(node: number): boolean {
    return this.#settled[node] === 1;
  }

  /** Whether everything that leads to a node is done. */
  isReached(node: number): boolean {
    return this.#unsettled[node] === 0;
  }

  isCleared(node: number): boolean {
    return this.#cleared[node] === 1;
  }

  /** Whether an atom is to be executed and can be. */
  canExecute(node: number): boolean {
    this.checks += 1;
    return this.#isToExecute(node) && this.#unsettled[node] === 0;
  }

  /**
   * Whether an atom is to be reverted (or its flow to be tried again) and can be.
   *
   * @param atStart - A revert that failed may be tried again when a run begins (D6).
   */
  canRevert(node: number, atStart: boolean): boolean {
    this.checks += 1;
    return this.#knowsBackwards && this.#mayBeReverted(node, atStart) && this.#uncleared[node] === 0;
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
    if (this.#isAtom[node] === 0 || this.intentionOf(node) !== 'EXECUTE') return false;
    const state = this.stateOf(node);
    return state === 'PENDING' || state === 'RETRYING';
  }

  #mayBeReverted(node: number, atStart: boolean): boolean {
    if (this.#isAtom[node] === 0 || !isToUndo(this.intentionOf(node))) return false;
    const state = this.stateOf(node);
    return state === 'SUCCESS' || state === 'FAILURE' || (atStart && state === 'REVERT_FAILURE');
  }

  #computeDone(node: number): boolean {
    if (this.#isAtom[node] === 0) return true;
    const state = this.stateOf(node);
    if (state !== 'SUCCESS' && state !== 'IGNORE') return false;
    const intention = this.intentionOf(node);
    return intention === 'EXECUTE' || intention === 'IGNORE';
  }

  #isUndone(node: number): boolean {
    if (this.#isAtom[node] === 0) return true;
    const state = this.stateOf(node);
    return state === 'PENDING' || state === 'REVERTED' || state === 'IGNORE';
  }

  #learnBackwards(): void {
    const { topological, forward } = this.compilation;
    this.#knowsBackwards = true;
    for (let at = this.#count - 1; at >= 0; at--) {
      const node = topological[at] ?? 0;
      this.#undone[node] = this.#isUndone(node) ? 1 : 0;
      let uncleared = 0;
      for (let i = forward.start[node] ?? 0; i < (forward.start[node + 1] ?? 0); i++) {
        if (this.#cleared[forward.nodes[i] ?? 0] !== 1) uncleared += 1;
      }
      this.#uncleared[node] = uncleared;
      this.#cleared[node] = uncleared === 0 && this.#undone[node] === 1 ? 1 : 0;
      if (uncleared === 0 && this.#mayBeReverted(node, false)) this.#revertible.push(node);
    }
  }

  #settle(first: number): void {
    const { start, nodes } = this.compilation.forward;
    this.#settled[first] = 1;
    this.#stack.push(first);
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
        const next = nodes[i] ?? 0;
        const left = (this.#unsettled[next] ?? 0) - 1;
        this.#unsettled[next] = left;
        if (left > 0 || this.#done[next] === 0) continue;
        this.#settled[next] = 1;
        this.#stack.push(next);
      }
    }
  }

  #unsettle(first: number): void {
    const { start, nodes } = this.compilation.forward;
    this.#settled[first] = 0;
    this.#stack.push(first);
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
        const next = nodes[i] ?? 0;
        this.#unsettled[next] = (this.#unsettled[next] ?? 0) + 1;
        if (this.#settled[next] === 0) continue;
        this.#settled[next] = 0;
        this.#stack.push(next);
      }
    }
  }

  #clear(first: number): void {
    const { start, nodes } = this.compilation.backward;
    this.#cleared[first] = 1;
    this.#stack.push(first);
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
        const next = nodes[i] ?? 0;
        const left = (this.#uncleared[next] ?? 0) - 1;
        this.#uncleared[next] = left;
        if (left > 0) continue;
        if (this.#undone[next] === 1) {
          this.#cleared[next] = 1;
          this.#stack.push(next);
        } else if (this.#mayBeReverted(next, false)) this.#revertible.push(next);
      }
    }
  }

  #unclear(first: number): void {
    const { start, nodes } = this.compilation.backward;
    this.#cleared[first] = 0;
    this.#stack.push(first);
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) {
        const next = nodes[i] ?? 0;
        this.#uncleared[next] = (this.#uncleared[next] ?? 0) + 1;
        if (this.#cleared[next] === 0) continue;
        this.#cleared[next] = 0;
        this.#stack.push(next);
      }
    }
  }
}

function isToUndo(intention: Intention): boolean {
  return intention === 'REVERT' || intention === 'RETRY';
}
