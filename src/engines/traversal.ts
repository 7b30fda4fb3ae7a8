import type { Adjacency } from '../compiler/adjacency.js';
import type { Compilation } from '../compiler/compilation.js';
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
 * Walks breadth first, in the order of neighbours, that their user leads: behind which nodes a walk goes on is decided
 * node by node, and may depend on what has happened since it began. One walk at a time: a new one ends the one before.
 */
export class BreadthFirst {
  readonly #seen: Int32Array;
  /** Kept from walk to walk; what stands behind `#end` is left over. */
  readonly #queue: number[] = [];
  #along: Adjacency = { start: new Int32Array(1), nodes: new Int32Array(), edges: new Int32Array() };
  #walk = 0;
  #at = 0;
  #end = 0;

  constructor(count: number) {
    this.#seen = new Int32Array(count);
  }

  /** Begins a walk. The start itself is not part of it. */
  from(start: number, along: Adjacency): this {
    this.#walk += 1;
    this.#at = 0;
    this.#end = 0;
    this.#along = along;
    this.goBehind(start);
    return this;
  }

  /** The next node that was not visited yet. */
  next(): number | undefined {
    while (this.#at < this.#end) {
      const node = this.#queue[this.#at++];
      if (node === undefined || this.#seen[node] === this.#walk) continue;
      this.#seen[node] = this.#walk;
      return node;
    }
    return undefined;
  }

  goBehind(node: number): void {
    const { start, nodes } = this.#along;
    const end = start[node + 1] ?? 0;
    for (let i = start[node] ?? 0; i < end; i++) this.#queue[this.#end++] = nodes[i] ?? 0;
  }
}

function neighbours({ start, nodes }: Adjacency, index: number): number[] {
  return Array.from(nodes.subarray(start[index], start[index + 1]));
}
