import type { Retry } from '../atoms/retry.js';
import { shown } from '../atoms/arguments.js';
import type { Child } from './child-graph.js';
import type { FlowItem, FlowOptions } from './flow.js';
import type { AfterGraph, Known, StartWith } from './flow-types.js';
import { type AddOptions, LinkedFlow, type VisibleChildren } from './linked-flow.js';

/**
 * Runs its children as soon as what they require is there: its links follow from what they require and provide, and
 * from `link`.
 *
 * @see TaskFlow `patterns/graph_flow.py`, `Flow`. Differs: a retry that requires what a child provides is refused (D13).
 */
export class GraphFlow<State extends Known = Known> extends LinkedFlow<State['needs'], State['gives']> {
  readonly pattern = 'graph';

  /**
   * Adds children, each linked after those who provide what it requires and before those who require what it provides.
   *
   * @throws {AmbiguousDependencyError} when several provide what one requires; nothing is added then.
   * @throws {DependencyError} when links close a circle, or the retry requires what one provides; nothing is added then.
   * @throws {TypeError} when something is neither task nor flow; nothing is added then.
   */
  override add<const Items extends readonly FlowItem[]>(...items: Items): GraphFlow<AfterGraph<State, Items>>;
  override add(...items: FlowItem[]): object {
    return this.addAll(items);
  }

  /** Adds children from a list of any length, if wanted without links to some. What is added is not seen by TypeScript. */
  override addAll(items: Iterable<FlowItem>, options?: AddOptions): GraphFlow;
  override addAll(items: Iterable<FlowItem>, options: AddOptions = {}): object {
    this.insert(items, options);
    return this;
  }

  protected override visible(): VisibleChildren {
    return this.graph;
  }
}

/**
 * Makes a flow whose links follow from what its children require and provide.
 *
 * @param options.retry - Decides what happens when something in the flow fails.
 */
export function graph<Controller extends Retry | null | undefined = undefined>(
  name: string,
  options?: FlowOptions & { readonly retry?: Controller },
): GraphFlow<StartWith<Controller>> {
  return new GraphFlow(name, options);
}

/**
 * A graph flow of which only a target and what comes before it takes part.
 *
 * @see TaskFlow `patterns/graph_flow.py`, `TargetedFlow`.
 */
export class TargetedFlow extends LinkedFlow<object, object> {
  readonly pattern = 'targeted';
  private target: Child | null = null;
  private targetAndBefore: Set<Child> | undefined;

  override add(...items: FlowItem[]): this {
    return this.addAll(items);
  }

  override addAll(items: Iterable<FlowItem>, options: AddOptions = {}): this {
    this.insert(items, options);
    return this;
  }

  /**
   * Has only this child, and all that come before it, take part.
   *
   * @throws {RangeError} when it is not in the flow.
   */
  setTarget(target: FlowItem): this {
    const child = this.graph.get(target);
    if (child === undefined) throw new RangeError(`${shown(target)} is not in flow '${this.name}' to be its target`);
    this.target = child;
    this.changed();
    return this;
  }

  /** Has all children take part. */
  resetTarget(): this {
    this.target = null;
    this.changed();
    return this;
  }

  protected override changed(): void {
    this.targetAndBefore = undefined;
    super.changed();
  }

  protected override visible(): VisibleChildren {
    if (this.target === null) return this.graph;
    if (this.targetAndBefore === undefined) {
      const children = [...this.graph.upTo(this.target)];
      this.targetAndBefore = new Set(children.sort((one, other) => one.position - other.position));
    }
    return this.targetAndBefore;
  }
}

/**
 * Makes a graph flow that can be restricted to a target and what comes before it.
 *
 * @param options.retry - Decides what happens when something in the flow fails.
 */
export function targeted(name: string, options?: FlowOptions): TargetedFlow {
  return new TargetedFlow(name, options);
}
