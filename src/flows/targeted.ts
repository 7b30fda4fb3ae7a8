import { shown } from '../atoms/arguments.js';
import type { Child } from './child-graph.js';
import type { FlowItem, FlowOptions } from './flow.js';
import { type AddOptions, LinkedFlow, type VisibleChildren } from './linked-flow.js';

/**
 * A graph flow of which only a target and what comes before it takes part.
 *
 * @see TaskFlow `patterns/graph_flow.py`, `TargetedFlow`.
 */
export class TargetedFlow extends LinkedFlow<object, object> {
  readonly pattern = 'targeted';
  private target: Child | null = null;
  private shown: Set<Child> | undefined;

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
    this.shown = undefined;
    super.changed();
  }

  protected override visible(): VisibleChildren {
    if (this.target === null) return this.graph;
    if (this.shown === undefined) {
      const upTo = this.graph.upTo(this.target);
      this.shown = new Set([...upTo].sort((one, other) => one.position - other.position));
    }
    return this.shown;
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
