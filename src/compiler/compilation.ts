import { Graph } from '@dagrejs/graphlib';
import type { Retry } from '../atoms/retry.js';
import type { Task } from '../atoms/task.js';
import { DependencyError, NotFoundError } from '../errors.js';
import type { Flow } from '../flows/flow.js';
import type { LinkMetadata } from '../flows/link.js';

interface NodeBase {
  /** Its place in the order of the graph, from 0. */
  readonly index: number;
  readonly name: string;
  /** The retry that decides what becomes of a failure here. */
  readonly controller: RetryNode | null;
  /** The entry of the flow that it is a direct part of; null at the root. */
  readonly parent: FlowNode | null;
  /** How many flows enclose it. */
  readonly depth: number;
  /** Its place in the hierarchy, parents first and a flow's retry before its children. */
  readonly position: number;
}

export interface TaskNode extends NodeBase {
  readonly kind: 'task';
  readonly item: Task;
}

export interface RetryNode extends NodeBase {
  readonly kind: 'retry';
  readonly item: Retry;
}

/** Where a flow begins (`flow`) and ends (`end`). */
export interface FlowNode extends NodeBase {
  readonly kind: 'flow' | 'end';
  readonly item: Flow;
}

export type AtomNode = TaskNode | RetryNode;
export type PlanNode = AtomNode | FlowNode;

export function isAtom(node: PlanNode): node is AtomNode {
  return node.kind === 'task' || node.kind === 'retry';
}

/** An atom that provides a symbol, and which part of its result that is. */
export interface Provider {
  readonly node: AtomNode;
  readonly part: number | string | null;
}

const NOBODY: readonly Provider[] = [];

/** An edge of the execution graph, by the numbers of its nodes. */
export interface Edge {
  readonly from: number;
  readonly to: number;
  readonly metadata: LinkMetadata;
  /** Whether it was made at the level of the root flow. */
  readonly outermost: boolean;
}

/** Neighbours of all nodes in two arrays: those of node `n` stand from `start[n]` to `start[n + 1]`. */
export interface Adjacency {
  readonly start: Int32Array;
  readonly nodes: Int32Array;
  readonly edges: Int32Array;
}

/**
 * A compiled flow: the execution graph and the hierarchy, both frozen.
 *
 * The order of nodes, of successors and of predecessors is part of the behaviour: it breaks ties.
 */
export class Compilation {
  readonly nodes: readonly PlanNode[];
  readonly edges: readonly Edge[];
  readonly forward: Adjacency;
  readonly backward: Adjacency;
  /** Each node after all that lead to it. */
  readonly topological: Int32Array;
  /** Whether any link has a decider. */
  readonly hasDeciders: boolean;

  #providers: Map<string, Provider[]> | null = null;
  #graph: Graph | null = null;

  constructor(
    readonly root: Flow | Task,
    nodes: readonly PlanNode[],
    edges: readonly Edge[],
    /** Tasks and retries in the order of the graph. */
    readonly atoms: readonly AtomNode[],
    private readonly atomsByName: ReadonlyMap<string, AtomNode>,
  ) {
    this.nodes = nodes;
    this.edges = edges;
    const from = new Int32Array(edges.length);
    const to = new Int32Array(edges.length);
    edges.forEach((edge, number) => {
      from[number] = edge.from;
      to[number] = edge.to;
    });
    this.forward = adjacency(nodes.length, from, to);
    this.backward = adjacency(nodes.length, to, from);
    sortInnerNeighbours(this.backward, edges);
    this.topological = topologicalOrder(this.forward, this.backward, nodes);
    this.hasDeciders = edges.some(({ metadata }) => metadata.decider !== undefined);
  }

  get name(): string {
    return this.root.name;
  }

  /** @throws {NotFoundError} */
  atom(name: string): AtomNode {
    const node = this.atomsByName.get(name);
    if (node === undefined) throw new NotFoundError(`There is no atom named ${JSON.stringify(name)} in ${this.name}`);
    return node;
  }

  hasAtom(name: string): boolean {
    return this.atomsByName.has(name);
  }

  /** @throws {NotFoundError} */
  node(index: number): PlanNode {
    const node = this.nodes[index];
    if (node === undefined) throw new NotFoundError(`There is no node ${index} in ${this.name}`);
    return node;
  }

  successors(node: PlanNode): PlanNode[] {
    return this.#neighbours(this.forward, node.index);
  }

  predecessors(node: PlanNode): PlanNode[] {
    return this.#neighbours(this.backward, node.index);
  }

  #neighbours({ start, nodes }: Adjacency, index: number): PlanNode[] {
    return Array.from(nodes.subarray(start[index], start[index + 1]), (neighbour) => this.node(neighbour));
  }

  link(from: PlanNode, to: PlanNode): LinkMetadata | undefined {
    const { start, nodes, edges } = this.forward;
    for (let i = start[from.index] ?? 0; i < (start[from.index + 1] ?? 0); i++) {
      if (nodes[i] === to.index) return this.edges[edges[i] ?? -1]?.metadata;
    }
    return undefined;
  }

  /** Who provides a symbol, by position in the hierarchy. */
  providersOf(symbol: string): readonly Provider[] {
    return (this.#providers ??= providersBySymbol(this.atoms)).get(symbol) ?? NOBODY;
  }

  /** All symbols that atoms provide. */
  symbols(): Iterable<string> {
    return (this.#providers ??= providersBySymbol(this.atoms)).keys();
  }

  /** The id of a node in `graph`. Prefixed, so that no name can be mistaken for a property of an object. */
  static idOf(node: PlanNode): string {
    return `${node.kind}:${node.name}`;
  }

  /**
   * The execution graph as a compound graph of graphlib, for tools: nodes `n<index>` labelled with the plan's nodes,
   * edges with what is known of the link, flows as parents. Made when first asked for.
   */
  get graph(): Graph {
    if (this.#graph === null) {
      const graph = new Graph({ directed: true, compound: true });
      for (const node of this.nodes) graph.setNode(`n${node.index}`, node);
      for (const { from, to, metadata } of this.edges) graph.setEdge(`n${from}`, `n${to}`, metadata);
      for (const { index, parent } of this.nodes) if (parent !== null) graph.setParent(`n${index}`, `n${parent.index}`);
      this.#graph = graph;
    }
    return this.#graph;
  }
}

function providersBySymbol(atoms: readonly AtomNode[]): Map<string, Provider[]> {
  const bySymbol = new Map<string, Provider[]>();
  const several = new Set<Provider[]>();
  for (const node of atoms) {
    node.item.saveAs.forEach((part, symbol) => {
      const provider = { node, part };
      const known = bySymbol.get(symbol);
      if (known === undefined) bySymbol.set(symbol, [provider]);
      else {
        known.push(provider);
        several.add(known);
      }
    });
  }
  for (const providers of several) providers.sort((a, b) => a.node.position - b.node.position);
  return bySymbol;
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

/** Inside nested flows predecessors stand in the order of the graph; at the root in the order in which they were linked. */
function sortInnerNeighbours({ start, nodes, edges: numbers }: Adjacency, edges: readonly Edge[]): void {
  for (let node = 0; node + 1 < start.length; node++) {
    const from = start[node] ?? 0;
    const to = start[node + 1] ?? 0;
    if (to - from < 2 || edges[numbers[from] ?? 0]?.outermost === true) continue;
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

function topologicalOrder(forward: Adjacency, backward: Adjacency, nodes: readonly PlanNode[]): Int32Array {
  const order = new Int32Array(nodes.length);
  const waiting = new Int32Array(nodes.length);
  let found = 0;
  for (let node = 0; node < nodes.length; node++) {
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
  if (found < nodes.length) {
    const stuck = nodes.filter((node) => (waiting[node.index] ?? 0) > 0).map(({ name }) => name);
    throw new DependencyError(`No order satisfies the links between ${stuck.join(', ')}: they form a cycle`);
  }
  return order;
}
