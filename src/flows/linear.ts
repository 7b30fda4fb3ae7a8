import type { Retry } from '../atoms/retry.js';
import { Flow, type FlowItem, type FlowOptions, type VisitLink } from './flow.js';
import type { AfterLinear, Known, StartWith } from './flow-types.js';
import type { LinkMetadata } from './link.js';

const NEXT: LinkMetadata = Object.freeze({ invariant: true });

/**
 * Runs its children one after another, and undoes them in the opposite order.
 *
 * @see TaskFlow `patterns/linear_flow.py`, `Flow`.
 */
export class LinearFlow<State extends Known = Known> extends Flow<State['needs'], State['gives']> {
  readonly pattern = 'linear';
  private readonly children = new Set<FlowItem>();

  get size(): number {
    return this.children.size;
  }

  [Symbol.iterator](): IterableIterator<FlowItem> {
    return this.children.values();
  }

  eachLink(visit: VisitLink): void {
    for (let to = 1; to < this.size; to++) visit(to - 1, to, NEXT);
  }

  override add<const Items extends readonly FlowItem[]>(...items: Items): LinearFlow<AfterLinear<State, Items>>;
  override add(...items: FlowItem[]): object {
    return this.addAll(items);
  }

  override addAll(items: Iterable<FlowItem>): LinearFlow;
  override addAll(items: Iterable<FlowItem>): object {
    this.append(this.children, items);
    return this;
  }

  protected override findRequires(): ReadonlySet<string> {
    const requires = new Set(this.retry?.requires);
    const provided = new Set(this.retry?.provides);
    for (const { requires: needed, provides } of this.children) {
      for (const symbol of needed) if (!provided.has(symbol)) requires.add(symbol);
      for (const symbol of provides) provided.add(symbol);
    }
    return requires;
  }
}

/**
 * Makes a flow whose children run one after another.
 *
 * @param options.retry - Decides what happens when something in the flow fails.
 */
export function linear<Controller extends Retry | null | undefined = undefined>(
  name: string,
  options?: FlowOptions & { readonly retry?: Controller },
): LinearFlow<StartWith<Controller>> {
  return new LinearFlow(name, options);
}
