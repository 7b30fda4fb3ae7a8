import { Retry } from '../atoms/retry.js';
import { Task } from '../atoms/task.js';
import { DuplicateError } from '../errors.js';
import { Flow } from '../flows/flow.js';
import type { LinkMetadata } from '../flows/link.js';
import type { Edge, FlowNode, PlanNode, RetryNode, TaskNode } from './compilation.js';
import { Compilation, isAtom } from './compilation.js';

const INVARIANT: LinkMetadata = Object.freeze({ invariant: true });
const FROM_RETRY: LinkMetadata = Object.freeze({ invariant: true, retry: true });

/** Where a compiled item is entered and left: one node for a task, two for a flow. */
interface Ends {
  readonly entry: PlanNode;
  readonly exit: PlanNode;
}

/** A flow whose children are being compiled. */
interface Frame {
  readonly flow: Flow;
  readonly entry: FlowNode;
  readonly retry: RetryNode | null;
  readonly children: Iterator<unknown>;
  readonly ends: Map<unknown, Ends>;
}

type Mutable<Node> = { -readonly [Key in keyof Node]: Node[Key] };

/**
 * Flattens a flow, or a single task, into its execution graph and hierarchy.
 *
 * The depth of nesting and the length of chains are bounded by memory only.
 *
 * @throws {TypeError} for a root or a child that is neither a flow nor a task.
 * @throws {RangeError} for an object that stands in two places.
 * @throws {DuplicateError} for two atoms of one name.
 * @see TaskFlow `engines/action_engine/compiler.py`.
 */
export function compile(root: Flow | Task): Compilation {
  return new Compiler(root).compile();
}

class Compiler {
  readonly #nodes: PlanNode[] = [];
  readonly #edges: Edge[] = [];
  readonly #seen = new Set<unknown>();
  readonly #hasPredecessor = new Set<PlanNode>();
  readonly #hasSuccessor = new Set<PlanNode>();
  #position = 0;

  constructor(private readonly root: Flow | Task) {}

  compile(): Compilation {
    this.#compileItems();
    this.#refuseDuplicates();
    return new Compilation(this.root, this.#nodes, this.#edges);
  }

  #compileItems(): void {
    const stack: Frame[] = [];
    this.#open(this.root, null, stack);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const next = frame.children.next();
      if (next.done !== true) {
        const ends = this.#open(next.value, frame, stack);
        if (ends !== null) frame.ends.set(next.value, ends);
        continue;
      }
      stack.pop();
      const exit = this.#close(frame, stack.length === 0);
      stack.at(-1)?.ends.set(frame.flow, { entry: frame.entry, exit });
    }
  }

  /** A task is compiled at once; a flow is put on the stack until its children are. */
  #open(item: unknown, parent: Frame | null, stack: Frame[]): Ends | null {
    if (!(item instanceof Task) && !(item instanceof Flow)) {
      throw new TypeError(`Only flows and tasks can be compiled, got ${describe(item)}${whereIn(parent)}`);
    }
    this.#see(item, item.name);
    const base = {
      name: item.name,
      controller: parent?.retry ?? parent?.entry.controller ?? null,
      parent: parent?.entry ?? null,
      depth: parent === null ? 0 : parent.entry.depth + 1,
      position: this.#position++,
    };
    if (item instanceof Task) {
      const node: TaskNode = { ...base, index: this.#nodes.length, kind: 'task', item };
      this.#nodes.push(node);
      return { entry: node, exit: node };
    }
    const entry: FlowNode = { ...base, index: this.#nodes.length, kind: 'flow', item };
    this.#nodes.push(entry);
    stack.push({ flow: item, entry, retry: this.#retryOf(item, entry), children: item[Symbol.iterator](), ends: new Map() });
    return null;
  }

  /** The retry's node; its number is known, and the node added, when the flow's children have theirs. */
  #retryOf(flow: Flow, entry: FlowNode): RetryNode | null {
    const { retry } = flow;
    if (retry === null) return null;
    const name = retry.name;
    this.#see(retry, name);
    return {
      index: -1,
      kind: 'retry',
      item: retry,
      name,
      controller: entry.controller,
      parent: entry,
      depth: entry.depth + 1,
      position: this.#position++,
    };
  }

  #close({ flow, entry, retry, ends }: Frame, outermost: boolean): FlowNode {
    const link = (from: PlanNode, to: PlanNode, metadata: LinkMetadata) => {
      this.#edges.push({ from: from.index, to: to.index, metadata, outermost });
      this.#hasSuccessor.add(from);
      this.#hasPredecessor.add(to);
    };
    for (const { from, to, metadata } of flow.links()) {
      const source = ends.get(from);
      const target = ends.get(to);
      if (source === undefined || target === undefined) {
        throw new RangeError(`A link of the flow ${flow.name} leads to something that is not in it`);
      }
      link(source.exit, target.entry, metadata);
    }
    if (retry !== null) {
      (retry as Mutable<RetryNode>).index = this.#nodes.length;
      this.#nodes.push(retry);
      link(entry, retry, INVARIANT);
    }
    for (const child of ends.values()) {
      if (this.#hasPredecessor.has(child.entry)) continue;
      if (retry === null) link(entry, child.entry, INVARIANT);
      else link(retry, child.entry, FROM_RETRY);
    }
    const exit: FlowNode = { ...entry, kind: 'end', index: this.#nodes.length };
    this.#nodes.push(exit);
    if (!this.#hasSuccessor.has(entry)) link(entry, exit, INVARIANT);
    for (const child of ends.values()) if (!this.#hasSuccessor.has(child.exit)) link(child.exit, exit, INVARIANT);
    if (retry !== null && !this.#hasSuccessor.has(retry)) link(retry, exit, INVARIANT);
    return exit;
  }

  #see(item: object, name: string): void {
    if (this.#seen.has(item)) throw new RangeError(`${JSON.stringify(name)} stands in two places of the flow ${this.root.name}`);
    this.#seen.add(item);
  }

  #refuseDuplicates(): void {
    const names = new Set<string>();
    const twice = new Set<string>();
    for (const { name } of this.#nodes.filter(isAtom)) (names.has(name) ? twice : names).add(name);
    if (twice.size > 0) {
      throw new DuplicateError(`Names of atoms are unique in a flow; more than once in ${this.root.name}: ${[...twice].sort().join(', ')}`);
    }
  }
}

function describe(item: unknown): string {
  if (item instanceof Retry) return `the retry ${item.name}, which belongs to a flow's \`retry\` option`;
  if (item === null) return 'null';
  if (typeof item === 'object') return `an object of class ${item.constructor.name}`;
  return typeof item === 'function' ? `the function ${item.name}` : `${typeof item} ${String(item)}`;
}

function whereIn(parent: Frame | null): string {
  return parent === null ? '' : ` in the flow ${parent.flow.name}`;
}
