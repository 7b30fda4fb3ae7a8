import { shown } from '../atoms/arguments.js';
import { Retry } from '../atoms/retry.js';
import { Task } from '../atoms/task.js';
import { DuplicateError } from '../errors.js';
import { Flow } from '../flows/flow.js';
import type { LinkMetadata } from '../flows/link.js';
import type { Edges } from './adjacency.js';
import type { AtomNode, FlowNode, PlanNode, RetryNode, TaskNode } from './compilation.js';
import { Compilation, isAtom } from './compilation.js';

const INVARIANT: LinkMetadata = Object.freeze({ invariant: true });
const FROM_RETRY: LinkMetadata = Object.freeze({ invariant: true, retry: true });

/** A flow whose children are being compiled. */
interface Frame {
  readonly flow: Flow;
  readonly entry: FlowNode;
  readonly retry: RetryNode | null;
  readonly children: Iterator<unknown>;
  /** Where each child is entered, in their order. */
  readonly entries: PlanNode[];
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
  /** Edges, by their columns. */
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  readonly #metadata: LinkMetadata[] = [];
  readonly #outermost: number[] = [];
  readonly #flows = new Set<Flow>();
  /** Whether anything leads to, or from, each node. */
  readonly #isReached: boolean[] = [];
  readonly #isLeft: boolean[] = [];
  /** Where a flow is left, by the number of its entry. */
  readonly #exits = new Map<number, FlowNode>();
  #position = 0;

  constructor(private readonly root: Flow | Task) {}

  compile(): Compilation {
    this.#compileItems();
    const atoms = this.#nodes.filter(isAtom);
    return new Compilation(this.root, this.#nodes, this.#edges(), atoms, this.#byName(atoms));
  }

  #edges(): Edges {
    return {
      from: Int32Array.from(this.#from),
      to: Int32Array.from(this.#to),
      metadata: this.#metadata,
      outermost: Uint8Array.from(this.#outermost),
    };
  }

  #compileItems(): void {
    const stack: Frame[] = [];
    this.#open(this.root, null, stack);
    for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
      const next = frame.children.next();
      if (next.done !== true) {
        frame.entries.push(this.#open(next.value, frame, stack));
        continue;
      }
      stack.pop();
      this.#close(frame, stack.length === 0);
    }
  }

  /** A task is compiled at once; a flow is put on the stack until its children are. @returns where it is entered. */
  #open(item: unknown, frame: Frame | null, stack: Frame[]): PlanNode {
    const parent = frame === null ? null : frame.entry;
    const controller = frame === null ? null : (frame.retry ?? frame.entry.controller);
    const depth = parent === null ? 0 : parent.depth + 1;
    if (isTask(item)) {
      const node: TaskNode = {
        index: this.#nodes.length,
        kind: 'task',
        item,
        name: item.name,
        controller,
        parent,
        depth,
        position: this.#position++,
      };
      this.#add(node);
      return node;
    }
    if (!isFlow(item)) {
      throw new TypeError(`Only flows and tasks can be compiled, got ${describe(item)}${whereIn(frame)}`);
    }
    // Before its children are looked at: it may be in itself.
    if (this.#flows.has(item)) throw this.#inTwoPlaces(item.name);
    this.#flows.add(item);
    const entry: FlowNode = {
      index: this.#nodes.length,
      kind: 'flow',
      item,
      name: item.name,
      controller,
      parent,
      depth,
      position: this.#position++,
    };
    this.#add(entry);
    const retry = this.#retryOf(item, entry);
    stack.push({ flow: item, entry, retry, children: item[Symbol.iterator](), entries: [] });
    return entry;
  }

  /** The retry's node; its number is known, and the node added, when the flow's children have theirs. */
  #retryOf({ retry }: Flow, entry: FlowNode): RetryNode | null {
    if (retry === null) return null;
    return {
      index: -1,
      kind: 'retry',
      item: retry,
      name: retry.name,
      controller: entry.controller,
      parent: entry,
      depth: entry.depth + 1,
      position: this.#position++,
    };
  }

  #add(node: PlanNode): void {
    this.#nodes.push(node);
    this.#isReached.push(false);
    this.#isLeft.push(false);
  }

  #link(from: PlanNode, to: PlanNode, metadata: LinkMetadata, outermost: boolean): void {
    this.#from.push(from.index);
    this.#to.push(to.index);
    this.#metadata.push(metadata);
    this.#outermost.push(outermost ? 1 : 0);
    this.#isLeft[from.index] = true;
    this.#isReached[to.index] = true;
  }

  #exitOf(entry: PlanNode): PlanNode {
    return entry.kind === 'flow' ? (this.#exits.get(entry.index) ?? entry) : entry;
  }

  #close({ flow, entry, retry, entries }: Frame, outermost: boolean): void {
    flow.eachLink((from, to, metadata) => {
      const source = entries[from];
      const target = entries[to];
      if (source === undefined || target === undefined) {
        throw new RangeError(`A link of the flow ${flow.name} leads to something that is not in it`);
      }
      this.#link(this.#exitOf(source), target, metadata, outermost);
    });
    if (retry !== null) {
      (retry as Mutable<RetryNode>).index = this.#nodes.length;
      this.#add(retry);
      this.#link(entry, retry, INVARIANT, outermost);
    }
    for (const child of entries) {
      if (this.#isReached[child.index] === true) continue;
      this.#link(retry ?? entry, child, retry === null ? INVARIANT : FROM_RETRY, outermost);
    }
    const exit: FlowNode = { ...entry, kind: 'end', index: this.#nodes.length };
    this.#add(exit);
    this.#exits.set(entry.index, exit);
    if (this.#isLeft[entry.index] !== true) this.#link(entry, exit, INVARIANT, outermost);
    for (const child of entries) {
      const last = this.#exitOf(child);
      if (this.#isLeft[last.index] !== true) this.#link(last, exit, INVARIANT, outermost);
    }
    if (retry !== null && this.#isLeft[retry.index] !== true) this.#link(retry, exit, INVARIANT, outermost);
  }

  #byName(atoms: readonly AtomNode[]): Map<string, AtomNode> {
    const byName = new Map<string, AtomNode>();
    for (const atom of atoms) byName.set(atom.name, atom);
    if (byName.size < atoms.length) {
      const again = atoms.filter((atom) => byName.get(atom.name) !== atom);
      const inTwoPlaces = again.find(({ name, item }) => byName.get(name)?.item === item);
      if (inTwoPlaces !== undefined) throw this.#inTwoPlaces(inTwoPlaces.name);
      const names = [...new Set(again.map(({ name }) => name))].sort().join(', ');
      throw new DuplicateError(`Names of atoms are unique in a flow; more than once in ${this.root.name}: ${names}`);
    }
    return byName;
  }

  #inTwoPlaces(name: string): RangeError {
    return new RangeError(`${JSON.stringify(name)} stands in two places of the flow ${this.root.name}`);
  }
}

function isTask(item: unknown): item is Task {
  return item instanceof Task;
}

function isFlow(item: unknown): item is Flow {
  return item instanceof Flow;
}

function describe(item: unknown): string {
  return item instanceof Retry ? `the retry ${item.name}, which belongs to a flow's \`retry\` option` : shown(item);
}

function whereIn(parent: Frame | null): string {
  return parent === null ? '' : ` in the flow ${parent.flow.name}`;
}
