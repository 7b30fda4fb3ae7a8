import type { AtomNode, Compilation, FlowNode, PlanNode, Provider } from './compilation.js';
import { isAtom } from './compilation.js';

/**
 * Finds out what an atom can see: the atoms that precede it, nearest flow first and, inside a flow, latest first.
 *
 * Nothing is searched that a look-up does not need: only providers of the symbol in question are looked at.
 *
 * @see TaskFlow `engines/action_engine/scopes.py`.
 */
export class Scopes {
  readonly #visited: Int32Array;
  #search = 0;

  constructor(private readonly compilation: Compilation) {
    this.#visited = new Int32Array(compilation.nodes.length);
  }

  /**
   * Visits the providers of a symbol that an atom can see, nearest flow first.
   *
   * @param visit - Called with a provider and the number of flows between it and the atom; true ends the visit.
   */
  visitProviders(atom: PlanNode, symbol: string, visit: (provider: Provider, level: number) => boolean): void {
    const providers = this.compilation.providersOf(symbol);
    if (providers.length === 0) return;
    let child: PlanNode = atom;
    let level = 0;
    for (let flow = atom.parent; flow !== null; child = flow, flow = flow.parent, level++) {
      for (let i = firstFrom(providers, child.position) - 1; i >= 0; i--) {
        const provider = providers[i];
        if (provider === undefined || provider.node.position <= flow.position) break;
        if (this.#precedes(childOf(flow, provider.node), child, flow) && visit(provider, level)) return;
      }
    }
  }

  /** Whether one atom can see what another provides: whether that one comes before it whenever both run. */
  canSee(atom: PlanNode, provider: PlanNode): boolean {
    let child = atom;
    for (let flow = atom.parent; flow !== null; child = flow, flow = flow.parent) {
      if (provider.position <= flow.position) continue;
      return provider.position < child.position && this.#precedes(childOf(flow, provider), child, flow);
    }
    return false;
  }

  /** Everything that an atom can see, as names: a list for each enclosing flow, until all predecessors are told. */
  levels(atom: AtomNode): string[][] {
    const left = this.#predecessors(atom);
    const levels: string[][] = [];
    let child: PlanNode = atom;
    for (let flow = atom.parent; flow !== null && left.size > 0; child = flow, flow = flow.parent) {
      const { position: first } = flow;
      const { position: end } = child;
      const visible = [...left]
        .filter(({ position }) => position > first && position < end)
        .sort((a, b) => b.position - a.position);
      for (const seen of visible) left.delete(seen);
      levels.push(visible.map(({ name }) => name));
    }
    return levels;
  }

  #predecessors(atom: AtomNode): Set<AtomNode> {
    const found = new Set<AtomNode>();
    const queue: PlanNode[] = [atom];
    const visited = new Set<PlanNode>(queue);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      for (const predecessor of this.compilation.predecessors(node)) {
        if (visited.has(predecessor)) continue;
        visited.add(predecessor);
        queue.push(predecessor);
        if (isAtom(predecessor)) found.add(predecessor);
      }
    }
    return found;
  }

  /** Whether one direct part of a flow comes before another whenever the flow runs. */
  #precedes(earlier: PlanNode, later: PlanNode, flow: FlowNode): boolean {
    if (earlier.kind === 'retry') return later !== earlier;
    if (later.kind === 'retry') return false;
    switch (flow.item.pattern) {
      case 'linear':
        return earlier.position < later.position;
      case 'unordered':
        return false;
      case 'graph':
      case 'targeted':
        return this.#reaches(earlier, later);
    }
  }

  /** Goes back from `later` among the direct parts of their flow. These stand in topological order. */
  #reaches(earlier: PlanNode, later: PlanNode): boolean {
    const { start, nodes } = this.compilation.backward;
    const search = ++this.#search;
    const stack = [later.index];
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      for (let i = start[index] ?? 0; i < (start[index + 1] ?? 0); i++) {
        const node = this.compilation.node(nodes[i] ?? -1);
        if (node.position === earlier.position) return true;
        if (node.position < earlier.position || this.#visited[node.index] === search) continue;
        this.#visited[node.index] = search;
        stack.push(node.kind === 'end' ? this.#entryOf(node) : node.index);
      }
    }
    return false;
  }

  #entryOf(end: FlowNode): number {
    return this.#entries.get(end.position) ?? end.index;
  }

  get #entries(): ReadonlyMap<number, number> {
    return (this.#entryByPosition ??= new Map(
      this.compilation.nodes.filter(({ kind }) => kind === 'flow').map(({ position, index }) => [position, index]),
    ));
  }

  #entryByPosition: Map<number, number> | null = null;
}

/** The direct part of a flow that a node below it belongs to. */
function childOf(flow: FlowNode, node: PlanNode): PlanNode {
  let child = node;
  while (child.parent !== null && child.parent !== flow) child = child.parent;
  return child;
}

/** The first of the providers, which are sorted, that stands at a position or after it. */
function firstFrom(providers: readonly Provider[], position: number): number {
  let low = 0;
  let high = providers.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((providers[middle]?.node.position ?? 0) < position) low = middle + 1;
    else high = middle;
  }
  return low;
}
