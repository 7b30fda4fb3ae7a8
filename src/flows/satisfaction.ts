import type { Child, ChildGraph } from './child-graph.js';
import type { SymbolIndex } from './symbol-index.js';

/** Answers whether a child gets a symbol from one that comes before it. Valid until the graph changes. */
export class Satisfaction {
  /** By symbol, all that come after a provider. */
  private readonly reached = new Map<string, ReadonlySet<Child>>();
  private readonly beforeChange: boolean;

  /**
   * @param options.beforeChange - Answer for the graph without the children, and their links, that are not kept yet: for
   * a change that makes no other links.
   */
  constructor(
    private readonly graph: ChildGraph,
    private readonly providers: SymbolIndex,
    { beforeChange = false }: { readonly beforeChange?: boolean } = {},
  ) {
    this.beforeChange = beforeChange;
  }

  has(child: Child, symbol: string): boolean {
    const providers = this.providers.of(symbol).filter((provider) => provider !== child && this.isSeen(provider));
    if (providers.length === 0) return false;
    // The usual case, a link from the provider itself, needs no search.
    if (this.isSeen(child) && providers.some(({ successors }) => successors.has(child))) return true;
    return this.afterProviders(symbol).has(child);
  }

  private afterProviders(symbol: string): ReadonlySet<Child> {
    const known = this.reached.get(symbol);
    if (known !== undefined) return known;
    const providers = this.providers.of(symbol).filter((provider) => this.isSeen(provider));
    const found = this.graph.after(providers, (child) => this.isSeen(child));
    this.reached.set(symbol, found);
    return found;
  }

  private isSeen(child: Child): boolean {
    return !this.beforeChange || this.graph.isKept(child);
  }
}
