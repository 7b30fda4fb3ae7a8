import type { Adjacency, Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';

export interface TraversalOptions {
  /** Whether to go on behind the entries and exits of flows. @default true */
  readonly throughFlows?: boolean;
  /** Whether to go on behind retries. @default true */
  readonly throughRetries?: boolean;
}

/** Walks over a compiled graph. Markers are passed and never given; the start is never given. */
export class Traversal {
  readonly #seen: Int32Array;
  #walk = 0;

  constructor(private readonly compilation: Compilation) {
    this.#seen = new Int32Array(compilation.nodes.length);
  }

  /** Atoms behind a node, depth first: of the successors of a node the last is visited first. */
  depthFirst(start: number, { throughFlows = true, throughRetries = true }: TraversalOptions = {}): number[] {
    const { nodes, forward } = this.compilation;
    const walk = ++this.#walk;
    const found: number[] = [];
    const stack = neighbours(forward, start);
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (this.#seen[index] === walk) continue;
      this.#seen[index] = walk;
      const node = nodes[index];
      if (node === undefined) continue;
      if (isAtom(node)) found.push(index);
      const passes = isAtom(node) ? node.kind === 'task' || throughRetries : throughFlows;
      if (passes) for (const next of neighbours(forward, index)) stack.push(next);
    }
    return found;
  }
}

/**
 * A walk breadth first, in the order of neighbours, that its user leads: behind which nodes it goes on is decided node
 * by node, and may depend on what has happened since the walk began.
 */
export class BreadthFirst {
  readonly #queue: number[];
  readonly #seen = new Set<number>();
  #at = 0;

  constructor(
    start: number,
    private readonly along: Adjacency,
  ) {
    this.#queue = neighbours(along, start);
  }

  /** The next node that was not visited yet. */
  next(): number | undefined {
    for (let node = this.#queue[this.#at++]; node !== undefined; node = this.#queue[this.#at++]) {
      if (this.#seen.has(node)) continue;
      this.#seen.add(node);
      return node;
    }
    return undefined;
  }

  goBehind(node: number): void {
    const { start, nodes } = this.along;
    for (let i = start[node] ?? 0; i < (start[node + 1] ?? 0); i++) this.#queue.push(nodes[i] ?? 0);
  }
}

function neighbours({ start, nodes }: Adjacency, index: number): number[] {
  return Array.from(nodes.subarray(start[index], start[index + 1]));
}
