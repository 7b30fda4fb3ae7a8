import { inspect } from 'node:util';
import { shown } from '../atoms/arguments.js';
import type { DeclaredTypes, typesOf } from '../atoms/atom.js';
import { Retry } from '../atoms/retry.js';
import { Task } from '../atoms/task.js';
import type { LinkMetadata } from './link.js';

/** What flows are made of. */
export type FlowItem = Task | Flow;

/** An order between two children of a flow. */
export interface Link {
  readonly from: FlowItem;
  readonly to: FlowItem;
  readonly metadata: LinkMetadata;
}

export type VisitLink = (from: number, to: number, metadata: LinkMetadata) => void;

export type Pattern = 'linear' | 'unordered' | 'graph' | 'targeted';

export interface FlowOptions {
  /** Decides what happens when something in the flow fails. Is called `<flow>_retry` unless it has a name. */
  readonly retry?: Retry | null | undefined;
  /** Whatever belongs to the flow and concerns no engine. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined;
}

interface FlowSymbols {
  readonly requires: ReadonlySet<string>;
  readonly provides: ReadonlySet<string>;
}

/**
 * Tasks and flows in some order.
 *
 * A flow can be changed until it is compiled; the same flow or task belongs in one place only.
 *
 * @typeParam Needs - Symbols that have to come from outside; `object` when they are not known.
 * @typeParam Gives - Symbols that come out; `object` when they are not known.
 * @see TaskFlow `flow.py`, `Flow`.
 */
export abstract class Flow<Needs extends object = object, Gives extends object = object> {
  declare readonly [typesOf]?: DeclaredTypes<Needs, Gives>;

  abstract readonly pattern: Pattern;
  readonly name: string;
  readonly retry: Retry | null;
  readonly meta: Readonly<Record<string, unknown>>;

  /** Forgotten when anything in here changes. While it is known, it is known of all flows in here. */
  private symbols: FlowSymbols | undefined;
  private readonly holders = new Set<Flow>();

  constructor(name: string | number, { retry = null, meta = {} }: FlowOptions = {}) {
    if (retry !== null && !(retry instanceof Retry)) {
      throw new TypeError(`retry of flow '${name}' takes a retry, got ${shown(retry)}`);
    }
    this.name = String(name);
    this.retry = retry;
    this.meta = meta;
    retry?.nameAfter(this.name);
  }

  /** How many children there are; the retry is none. */
  abstract get size(): number;

  /** The children, in an order in which they could run. */
  abstract [Symbol.iterator](): IterableIterator<FlowItem>;

  /**
   * Visits the orders between children: by source in the order in which they were added, then as they were made.
   *
   * @param visit - Called with the places of both ends among the children, in the order of iteration, from 0.
   */
  abstract eachLink(visit: VisitLink): void;

  /** The orders between children, in the order of `eachLink`. */
  links(): readonly Link[] {
    const children = [...this];
    const links: Link[] = [];
    this.eachLink((source, target, metadata) => {
      const [from, to] = [children[source], children[target]];
      if (from !== undefined && to !== undefined) links.push({ from, to, metadata });
    });
    return links;
  }

  /**
   * Adds children; those that are here already are left out.
   *
   * @throws {TypeError} when something is neither task nor flow; nothing is added then.
   */
  abstract add(...items: FlowItem[]): Flow;

  /** Adds children from a list of any length. What is added is not seen by TypeScript. */
  abstract addAll(items: Iterable<FlowItem>): Flow;

  /** Symbols that have to come from outside. */
  get requires(): ReadonlySet<string> {
    return this.currentSymbols().requires;
  }

  /** Symbols that come out of anything in here. */
  get provides(): ReadonlySet<string> {
    return this.currentSymbols().provides;
  }

  /** Pattern, name and number of children, in double quotes. */
  toString(): string {
    const pattern = this.pattern === 'targeted' ? 'graph_flow.TargetedFlow' : `${this.pattern}_flow.Flow`;
    return `"${pattern}: ${this.name}(len=${this.size})"`;
  }

  [inspect.custom](): string {
    return `<${this.constructor.name} ${this.toString()}>`;
  }

  /** Finds the symbols that have to come from outside; those of all children are known. */
  protected abstract findRequires(): ReadonlySet<string>;

  /** Gives what can be added. @throws {TypeError} when something is neither task nor flow. */
  protected checked(items: Iterable<FlowItem>): readonly FlowItem[] {
    const checked = [...items];
    for (const item of checked) {
      if (!(item instanceof Task) && !(item instanceof Flow)) {
        throw new TypeError(`Flow '${this.name}' takes tasks and flows, got ${shown(item)}`);
      }
    }
    return checked;
  }

  /** Adds those that are not among the children yet, in their order. All or none. */
  protected append(children: Set<FlowItem>, items: Iterable<FlowItem>): void {
    const before = children.size;
    for (const item of this.checked(items)) {
      children.add(item);
      this.hold(item);
    }
    if (children.size > before) this.changed();
  }

  /** Has the flow hear of changes in a child. */
  protected hold(item: FlowItem): void {
    if (item instanceof Flow) item.holders.add(this);
  }

  protected release(item: FlowItem): void {
    if (item instanceof Flow) item.holders.delete(this);
  }

  /** Forgets what is known of the symbols, here and in all flows around. */
  protected changed(): void {
    const changed: Flow[] = [this];
    for (let flow = changed.pop(); flow !== undefined; flow = changed.pop()) {
      if (flow.symbols === undefined) continue;
      flow.symbols = undefined;
      for (const holder of flow.holders) {
        holder.childChanged(flow);
        changed.push(holder);
      }
    }
  }

  /** Called before the symbols of a child are anything else than they were. */
  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- for flows that keep what they saw of a child
  protected childChanged(child: Flow): void {}

  private findProvides(): ReadonlySet<string> {
    const provides = new Set(this.retry?.provides);
    for (const item of this) for (const symbol of item.provides) provides.add(symbol);
    return provides;
  }

  /** Finds out about the innermost flows first, without recursion: flows nest deeper than calls. */
  private currentSymbols(): FlowSymbols {
    if (this.symbols !== undefined) return this.symbols;
    let found = NO_SYMBOLS;
    const stack: { readonly flow: Flow; readonly isLeft: boolean }[] = [{ flow: this, isLeft: false }];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { flow, isLeft } = top;
      if (isLeft) {
        found = { requires: flow.findRequires(), provides: flow.findProvides() };
        flow.symbols = found;
      } else if (flow.symbols === undefined) {
        // What a flow that contains itself sees; the compiler refuses it.
        flow.symbols = NO_SYMBOLS;
        stack.push({ flow, isLeft: true });
        for (const child of flow) if (child instanceof Flow) stack.push({ flow: child, isLeft: false });
      }
    }
    return found;
  }
}

const NO_SYMBOLS: FlowSymbols = { requires: new Set(), provides: new Set() };
