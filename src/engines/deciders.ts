import type { Compilation, PlanNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { Depth } from '../flows/depth.js';
import { pickWidest } from '../flows/depth.js';
import type { Decider } from '../flows/link.js';
import type { Storage } from '../storage/storage.js';

/** A decider that is asked before an atom runs. */
export interface EdgeDecider {
  /** The atom, or the marker of a flow, at the other end of the link. */
  readonly source: PlanNode;
  readonly decide: Decider;
  readonly depth: Depth;
}

/**
 * Asks the deciders of a compiled flow.
 *
 * A decider on a link into a flow is one for every atom with which that flow may begin.
 *
 * @see TaskFlow `engines/action_engine/deciders.py`, `runtime.py`.
 */
export class Deciders {
  readonly #known = new Map<number, readonly EdgeDecider[]>();

  constructor(private readonly compilation: Compilation) {}

  of(node: PlanNode): readonly EdgeDecider[] {
    if (!this.compilation.hasDeciders) return [];
    let deciders = this.#known.get(node.index);
    if (deciders === undefined) this.#known.set(node.index, (deciders = this.#find(node)));
    return deciders;
  }

  #find(node: PlanNode): EdgeDecider[] {
    const found: EdgeDecider[] = [];
    const expanded = new Set<PlanNode>();
    const queue = this.compilation.predecessors(node).map((source) => ({ source, target: node }));
    for (const { source, target } of queue) {
      const link = this.compilation.link(source, target);
      if (link?.decider !== undefined) {
        found.push({ source, decide: link.decider, depth: link.deciderDepth ?? 'ALL' });
      }
      if (source.kind !== 'flow' || expanded.has(source)) continue;
      expanded.add(source);
      for (const before of this.compilation.predecessors(source)) queue.push({ source: before, target: source });
    }
    return found;
  }

  /**
   * Asks whether an atom may run.
   *
   * @returns null when nobody is against it, or how far the refusal reaches.
   * @throws what a decider throws, and {TypeError} when one returns a promise.
   */
  refusal(node: PlanNode, storage: Storage): Depth | null {
    const deciders = this.of(node);
    if (deciders.length === 0) return null;
    const history: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
    for (const { source } of deciders) {
      if (isAtom(source) && storage.getAtomState(source.name) !== 'IGNORE')
        history[source.name] = storage.get(source.name);
    }
    const against: Depth[] = [];
    for (const { source, decide, depth } of deciders) {
      if (isAtom(source) && !(source.name in history)) continue;
      const answer: unknown = decide({ history });
      if (answer instanceof Promise) {
        answer.catch(() => undefined);
        throw new TypeError(
          `The decider from ${source.name} to ${node.name} has to answer at once; it returned a promise`,
        );
      }
      if (!answer) against.push(depth);
    }
    if (against.length === 0) return null;
    const widest = pickWidest(against);
    // What turns a retry down turns its flow down (D12).
    return node.kind === 'retry' && widest !== 'ALL' ? 'FLOW' : widest;
  }
}
