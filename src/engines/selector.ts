import type { PlanNode } from '../compiler/compilation.js';
import type { Depth } from '../flows/depth.js';
import type { Runtime } from './runtime.js';
import { BreadthFirst } from './traversal.js';
import type { Wave } from './wave.js';

/**
 * Finds the atoms that may run next.
 *
 * The order in which they are found is TaskFlow's, which walks over all that is reachable from a completed atom. Only
 * the part of that walk is made in which something can be found: what lies behind an atom that is not done cannot be
 * ready. When a decider turns an atom down in the middle of a walk, atoms anywhere behind may become ready; then the
 * rest of that walk is made in full.
 *
 * @see TaskFlow `engines/action_engine/selector.py`.
 */
export class Selector {
  readonly #walk: BreadthFirst;

  constructor(private readonly runtime: Runtime) {
    this.#walk = new BreadthFirst(runtime.compilation.nodes.length);
  }

  /**
   * All atoms that may run: those to execute, then those to revert, in the order of the graph.
   *
   * @returns whether one was turned down.
   */
  async all(found: Wave): Promise<boolean> {
    const { compilation, readiness } = this.runtime;
    let isTurnedDown = false;
    for (const { index } of compilation.atoms) {
      if (!readiness.canExecute(index)) continue;
      if (!compilation.hasDeciders) found.add(index);
      else if (!(await this.#admit(index, found))) isTurnedDown = true;
    }
    if (readiness.isAnythingToUndo) {
      const { isAtStart } = this.runtime;
      for (const { index } of compilation.atoms) if (readiness.canRevert(index, isAtStart)) found.add(index);
    }
    return isTurnedDown;
  }

  /** Whether any atom may run. Deciders are not asked. */
  isAnyReady({ atStart }: { readonly atStart: boolean }): boolean {
    const { compilation, readiness } = this.runtime;
    return compilation.atoms.some(({ index }) => readiness.canRun(index, atStart));
  }

  /** Adds what an atom that has just been completed makes ready. @returns something to wait for where deciders are asked. */
  after(origin: number, found: Wave): Promise<void> | undefined {
    const { runtime } = this;
    const state = runtime.stateOf(origin);
    const intention = runtime.intentionOf(origin);
    if (state === 'SUCCESS' && intention === 'REVERT') found.add(origin);
    else if (state === 'SUCCESS' && intention === 'EXECUTE') {
      if (!runtime.readiness.isSettled(origin)) return undefined;
      if (runtime.compilation.hasDeciders) return this.#admittedAfter(origin, found);
      this.#executableAfter(origin, found);
    } else if (state === 'REVERTED') this.#revertibleBefore(origin, found);
    else if (state === 'FAILURE') for (const node of runtime.readiness.takeRevertible()) found.add(node);
    return undefined;
  }

  #executableAfter(origin: number, found: Wave): void {
    const { compilation, readiness } = this.runtime;
    const walk = this.#walk.from(origin, compilation.forward);
    for (let node = walk.next(); node !== undefined; node = walk.next()) {
      if (readiness.canExecute(node)) found.add(node);
      else if (readiness.isSettled(node)) walk.goBehind(node);
    }
  }

  async #admittedAfter(origin: number, found: Wave): Promise<void> {
    const { compilation, readiness } = this.runtime;
    let walk = this.#walk.from(origin, compilation.forward);
    let goesEverywhere = false;
    for (let node = walk.next(); node !== undefined; node = walk.next()) {
      if (readiness.canExecute(node) && !(await this.#admit(node, found)) && !goesEverywhere) {
        walk = this.#walkPast(origin, node);
        goesEverywhere = true;
      }
      if (goesEverywhere || readiness.isSettled(node)) walk.goBehind(node);
    }
  }

  /** The walk from an origin over everything, as it is when it has come to a node. */
  #walkPast(origin: number, node: number): BreadthFirst {
    const walk = this.#walk.from(origin, this.runtime.compilation.forward);
    for (let passed = walk.next(); passed !== undefined && passed !== node; passed = walk.next()) walk.goBehind(passed);
    return walk;
  }

  #revertibleBefore(origin: number, found: Wave): void {
    const { compilation, readiness } = this.runtime;
    if (!readiness.isCleared(origin)) return;
    const walk = this.#walk.from(origin, compilation.backward);
    for (let node = walk.next(); node !== undefined; node = walk.next()) {
      if (readiness.canRevert(node, false)) found.add(node);
      if (readiness.isCleared(node) && compilation.node(node).kind !== 'retry') walk.goBehind(node);
    }
  }

  /**
   * Lets an atom in, unless its deciders turn it down: then it is ignored, and what follows as far as they say.
   *
   * @returns whether it was let in.
   */
  async #admit(index: number, found: Wave): Promise<boolean> {
    const { compilation, deciders, storage } = this.runtime;
    const node = compilation.node(index);
    const depth = deciders.refusal(node, storage);
    if (depth === null) {
      found.add(index);
      return true;
    }
    await this.#ignore(node, depth);
    return false;
  }

  async #ignore(node: PlanNode, depth: Depth): Promise<void> {
    const { runtime } = this;
    for (const index of [node.index, ...this.#ignoredWith(node, depth)]) {
      // What has run cannot be ignored any more.
      const state = runtime.stateOf(index);
      if (state !== 'PENDING' && state !== 'IGNORE') continue;
      await runtime.tell(index, { type: 'ignore' });
      runtime.setIntention(index, 'IGNORE');
    }
  }

  #ignoredWith(node: PlanNode, depth: Depth): number[] {
    const { traversal, compilation } = this.runtime;
    switch (depth) {
      case 'ALL':
        return traversal.depthFirst(node.index);
      case 'FLOW':
        return traversal.depthFirst(node.index, { throughFlows: false, throughRetries: false });
      case 'NEIGHBORS':
        return compilation.successors(node).flatMap(({ kind, index }) => (kind === 'task' ? [index] : []));
      case 'ATOM':
        return [];
    }
  }
}
