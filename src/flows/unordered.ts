import type { Retry } from '../atoms/retry.js';
import { Flow, type FlowItem, type FlowOptions } from './flow.js';
import type { AfterUnordered, Known, StartWith } from './flow-types.js';

/**
 * Runs its children in any order, also at the same time. What one provides is not for the others.
 *
 * @see TaskFlow `patterns/unordered_flow.py`, `Flow`.
 */
export class UnorderedFlow<State extends Known = Known> extends Flow<State['needs'], State['gives']> {
  readonly pattern = 'unordered';
  private readonly children = new Set<FlowItem>();

  get size(): number {
    return this.children.size;
  }

  /** In the order in which they were added. */
  [Symbol.iterator](): IterableIterator<FlowItem> {
    return this.children.values();
  }

  eachLink(): void {}

  override add<const Items extends readonly FlowItem[]>(...items: Items): UnorderedFlow<AfterUnordered<State, Items>>;
  override add(...items: FlowItem[]): object {
    return this.addAll(items);
  }

  override addAll(items: Iterable<FlowItem>): UnorderedFlow;
  override addAll(items: Iterable<FlowItem>): object {
    this.append(this.children, items);
    return this;
  }

  protected override findRequires(): ReadonlySet<string> {
    const requires = new Set(this.retry?.requires);
    for (const child of this.children) {
      for (const symbol of child.requires) if (this.retry?.provides.has(symbol) !== true) requires.add(symbol);
    }
    return requires;
  }
}

/**
 * Makes a flow whose children run in any order.
 *
 * @param options.retry - Decides what happens when something in the flow fails.
 */
export function unordered<Controller extends Retry | null | undefined = undefined>(
  name: string,
  options?: FlowOptions & { readonly retry?: Controller },
): UnorderedFlow<StartWith<Controller>> {
  return new UnorderedFlow(name, options);
}
