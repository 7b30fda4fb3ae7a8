import type { LinkMetadata } from '../flows/link.js';

/** The edges of an execution graph in columns: edge `e` leads from the node `from[e]` to the node `to[e]`. */
export interface Edges {
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly metadata: readonly LinkMetadata[];
  /** 1 for an edge that was made at the level of the root flow. */
  readonly outermost: Uint8Array;
}

/** Neighbours of all nodes in two arrays: those of node `n` stand from `start[n]` to `start[n + 1]`. */
export interface Adjacency {
  readonly start: Int32Array;
  readonly nodes: Int32Array;
  readonly edges: Int32Array;
}

/** The nodes that edges lead to, in the order of the edges. */
export function successorsIn({ from, to }: Edges, count: number): Adjacency {
  return adjacency(count, from, to);
}

/**
 * The nodes that edges come from: inside nested flows in the order of the graph, at the root in the order of the edges.
 */
export function predecessorsIn(edges: Edges, count: number): Adjacency {
  const backward = adjacency(count, edges.to, edges.from);
  sortInnerNeighbours(backward, edges);
  return backward;
}

function adjacency(count: number, near: Int32Array, far: Int32Array): Adjacency {
  const start = new Int32Array(count + 1);
  near.forEach((node) => (start[node + 1] = (start[node + 1] ?? 0) + 1));
  for (let i = 1; i <= count; i++) start[i] = (start[i] ?? 0) + (start[i - 1] ?? 0);
  const next = start.slice();
  const nodes = new Int32Array(near.length);
  const numbers = new Int32Array(near.length);
  for (let number = 0; number < near.length; number++) {
    const node = near[number] ?? 0;
    const at = next[node] ?? 0;
    next[node] = at + 1;
    nodes[at] = far[number] ?? 0;
    numbers[at] = number;
  }
  return { start, nodes, edges: numbers };
}

function sortInnerNeighbours({ start, nodes, edges: numbers }: Adjacency, { outermost }: Edges): void {
  for (let node = 0; node + 1 < start.length; node++) {
    const from = start[node] ?? 0;
    const to = start[node + 1] ?? 0;
    if (to - from < 2 || outermost[numbers[from] ?? 0] === 1) continue;
    const pairs = Array.from({ length: to - from }, (_, i) => ({
      node: nodes[from + i] ?? 0,
      edge: numbers[from + i] ?? 0,
    })).sort((a, b) => a.node - b.node);
    pairs.forEach((pair, i) => {
      nodes[from + i] = pair.node;
      numbers[from + i] = pair.edge;
    });
  }
}

/**
 * Each node after all that lead to it.
 *
 * @returns as many as can be ordered: those of a circle, and behind one, are missing.
 */
export function topologicalOrder(forward: Adjacency, backward: Adjacency): Int32Array {
  const count = forward.start.length - 1;
  const order = new Int32Array(count);
  const waiting = new Int32Array(count);
  let found = 0;
  for (let node = 0; node < count; node++) {
    waiting[node] = (backward.start[node + 1] ?? 0) - (backward.start[node] ?? 0);
    if (waiting[node] === 0) order[found++] = node;
  }
  for (let at = 0; at < found; at++) {
    const node = order[at] ?? 0;
    for (let i = forward.start[node] ?? 0; i < (forward.start[node + 1] ?? 0); i++) {
      const successor = forward.nodes[i] ?? 0;
      const left = (waiting[successor] ?? 0) - 1;
      waiting[successor] = left;
      if (left === 0) order[found++] = successor;
    }
  }
  return order.subarray(0, found);
}
