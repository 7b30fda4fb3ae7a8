import { Graph } from '@dagrejs/graphlib';
import type { Retry } from '../atoms/retry.js';
import type { Task } from '../atoms/task.js';
import { DependencyError, NotFoundError } from '../errors.js';
import type { Flow } from '../flows/flow.js';
import type { LinkMetadata } from '../flows/link.js';
import { predecessorsIn, successorsIn, topologicalOrder } from './adjacency.js';
import type { Adjacency, Edges } from './adjacency.js';

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

/**
 * A compiled flow: the execution graph and the hierarchy, both frozen.
 *
 * The order of nodes, of successors and of predecessors is part of the behaviour: it breaks ties.
 */
export class Compilation {
  readonly nodes: readonly PlanNode[];
  readonly forward: Adjacency;
  readonly backward: Adjacency;
  /** Each node after all that lead to it. */
  readonly topological: Int32Array;
  /** Whether any link has a decider. */
  readonly hasDeciders: boolean;

  readonly #edges: Edges;
  #providers: Providers | null = null;
  #graph: Graph | null = null;

  constructor(
    readonly root: Flow | Task,
    nodes: readonly PlanNode[],
    edges: Edges,
    /** Tasks and retries in the order of the graph. */
    readonly atoms: readonly AtomNode[],
    private readonly atomsByName: ReadonlyMap<string, AtomNode>,
  ) {
    this.nodes = nodes;
    this.#edges = edges;
    this.forward = successorsIn(edges, nodes.length);
    this.backward = predecessorsIn(edges, nodes.length);
    this.topological = topologicalOrder(this.forward, this.backward);
    if (this.topological.length < nodes.length) throw circle(nodes, this.topological);
    this.hasDeciders = edges.metadata.some(({ decider }) => decider !== undefined);
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

  /** In the order in which they were made. Put together when asked for. */
  get edges(): readonly Edge[] {
    return this.edgesWith(() => true);
  }

  /** Those of which something is true. */
  edgesWith(isAskedFor: (metadata: LinkMetadata) => boolean): readonly Edge[] {
    const found: Edge[] = [];
    const { from, to, metadata, outermost } = this.#edges;
    metadata.forEach((each, edge) => {
      if (!isAskedFor(each)) return;
      const [source = -1, target = -1] = [from[edge], to[edge]];
      found.push({ from: source, to: target, metadata: each, outermost: outermost[edge] === 1 });
    });
    return found;
  }

  link(from: PlanNode, to: PlanNode): LinkMetadata | undefined {
    const { start, nodes, edges } = this.forward;
    for (let i = start[from.index] ?? 0; i < (start[from.index + 1] ?? 0); i++) {
      if (nodes[i] === to.index) return this.#edges.metadata[edges[i] ?? -1];
    }
    return undefined;
  }

  /** Who provides a symbol, by position in the hierarchy. */
  providersOf(symbol: string): readonly Provider[] {
    const found = this.#bySymbol().get(symbol) ?? NOBODY;
    return isList(found) ? found : [found];
  }

  /** Who provides a symbol that nobody else provides. */
  onlyProviderOf(symbol: string): Provider | null {
    const found = this.#bySymbol().get(symbol) ?? NOBODY;
    return isList(found) ? null : found;
  }

  /** All symbols that atoms provide. */
  symbols(): Iterable<string> {
    return this.#bySymbol().keys();
  }

  #bySymbol(): Providers {
    return (this.#providers ??= providersBySymbol(this.atoms));
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

function circle(nodes: readonly PlanNode[], ordered: Int32Array): DependencyError {
  const inOrder = new Set(ordered);
  const stuck = nodes.filter(({ index }) => !inOrder.has(index)).map(({ name }) => name);
  return new DependencyError(`No order satisfies the links between ${stuck.join(', ')}: they form a cycle`);
}

/** By symbol: who provides it, or a list where there are several. */
type Providers = Map<string, Provider | Provider[]>;

function providersBySymbol(atoms: readonly AtomNode[]): Providers {
  const bySymbol: Providers = new Map();
  const several = new Set<Provider[]>();
  for (const node of atoms) {
    node.item.saveAs.forEach((part, symbol) => {
      const provider = { node, part };
      const known = bySymbol.get(symbol);
      if (known === undefined) bySymbol.set(symbol, provider);
      else if (isList(known)) known.push(provider);
      else {
        const both = [known, provider];
        several.add(both);
        bySymbol.set(symbol, both);
      }
    });
  }
  for (const providers of several) providers.sort((a, b) => a.node.position - b.node.position);
  return bySymbol;
}

function isList(providers: Provider | readonly Provider[]): providers is readonly Provider[] {
  return Array.isArray(providers);
}
