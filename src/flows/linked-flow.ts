import { listed, shown } from '../atoms/arguments.js';
import { AmbiguousDependencyError, DependencyError } from '../errors.js';
import { type Child, ChildGraph } from './child-graph.js';
import { type Depth, translateDepth } from './depth.js';
import { Flow, type FlowItem, type VisitLink } from './flow.js';
import type { Decider, LinkMetadata } from './link.js';
import { Satisfaction } from './satisfaction.js';
import { SymbolIndex } from './symbol-index.js';

/** How what is added is linked to what is there. */
export interface AddOptions {
  /** Link what is added after those who provide what it requires. @default true */
  readonly resolveRequires?: boolean | undefined;
  /** Link those who require what is added provides after it. @default true */
  readonly resolveExisting?: boolean | undefined;
}

export interface LinkOptions {
  /** Says whether what comes after the link may run. Default: it always may. */
  readonly decider?: Decider | null | undefined;
  /** How far it reaches when the decider says no; in any letter case. Default: ALL. */
  readonly depth?: Depth | Lowercase<Depth> | null | undefined;
}

/** What one call of `add` knows, beside the graph. */
interface Addition {
  readonly resolveRequires: boolean;
  readonly resolveExisting: boolean;
  /** By symbol, children from before the call whose requirement nothing satisfied then. */
  readonly unsatisfied: Map<string, Set<Child>>;
  /** By symbol, newcomers who found no provider. */
  readonly waiting: Map<string, Set<Child>>;
  /** Of links that are there for one symbol only, by symbol. */
  readonly metadata: Map<string, LinkMetadata>;
  /** Of the graph as it was before. */
  readonly before: Satisfaction;
  /** The first circle that was found. */
  circle: readonly Child[] | null;
}

/** The children that take part, in the order in which they were added; with each, all that come before it. */
export interface VisibleChildren extends Iterable<Child> {
  has(child: Child): boolean;
  readonly size: number;
}

/** How many names of a circle an error shows. */
const SHOWN_OF_CIRCLE = 10;

/** A flow whose links follow from what its children require and provide. */
export abstract class LinkedFlow<Needs extends object, Gives extends object> extends Flow<Needs, Gives> {
  protected readonly graph = new ChildGraph();
  private readonly providers = new SymbolIndex();
  private readonly requirers = new SymbolIndex();
  /** Flows whose symbols may not be those in the index any more. */
  private readonly changedChildren = new Set<Flow>();
  private order: readonly Child[] | undefined;

  get size(): number {
    return this.visible().size;
  }

  /** By layers: those without predecessors, then those whose last predecessor is in the layer before, and so on. */
  *[Symbol.iterator](): IterableIterator<FlowItem> {
    for (const { item } of this.inOrder()) yield item;
  }

  eachLink(visit: VisitLink): void {
    const places = new Int32Array(this.graph.size).fill(-1);
    this.inOrder().forEach(({ position }, place) => (places[position] = place));
    for (const from of this.visible()) {
      from.successors.forEach((metadata, { position }) => {
        const to = places[position] ?? -1;
        if (to !== -1) visit(places[from.position] ?? -1, to, metadata);
      });
    }
  }

  /**
   * Links two children: the second runs after the first.
   *
   * @param options.decider - Called with the results of what ran; when it says no, what follows is ignored.
   * @param options.depth - How far that reaches. A new decider without it means ALL, whatever the link had before (D14).
   * @throws {RangeError} when one is not in the flow, the decider is no function, or the depth is not known or is
   * given without a decider.
   * @throws {DependencyError} when the link closes a circle; the flow stays as it was.
   * @see TaskFlow `patterns/graph_flow.py`, `Flow.link`.
   */
  link(from: FlowItem, to: FlowItem, { decider, depth }: LinkOptions = {}): this {
    const source = this.childFor(from, 'from');
    const target = this.childFor(to, 'to');
    const what = `a link from '${from.name}' to '${to.name}'`;
    if (decider && typeof decider !== 'function') {
      throw new RangeError(`decider of ${what} takes a function, got ${shown(decider)}`);
    }
    if (depth !== undefined && depth !== null && !decider) {
      throw new RangeError(`depth of ${what} takes something only together with a decider, got ${shown(depth)}`);
    }
    const known: LinkMetadata = { ...this.graph.metadata(source, target), manual: true };
    const { decider: _, deciderDepth: __, ...undecided } = known;
    const decided = decider ? { decider, ...(depth ? { deciderDepth: translateDepth(depth) } : {}) } : undefined;
    const metadata = decided === undefined ? known : { ...undecided, ...decided };
    this.change(() => this.refuseCircle(this.graph.link(source, target, metadata)));
    return this;
  }

  protected abstract visible(): VisibleChildren;

  private inOrder(): readonly Child[] {
    return (this.order ??= this.graph.inLayers(this.visible()));
  }

  protected override findRequires(): ReadonlySet<string> {
    this.lookAgain();
    const requires = new Set(this.retry?.requires);
    const satisfaction = new Satisfaction(this.graph, this.providers);
    for (const child of this.visible()) {
      for (const symbol of child.requires) {
        if (this.retry?.provides.has(symbol) !== true && !satisfaction.has(child, symbol)) requires.add(symbol);
      }
    }
    return requires;
  }

  protected override changed(): void {
    this.order = undefined;
    super.changed();
  }

  protected override childChanged(child: Flow): void {
    this.changedChildren.add(child);
  }

  protected childFor(item: FlowItem, end: 'from' | 'to'): Child {
    const child = this.graph.get(item);
    if (child === undefined) throw new RangeError(`${shown(item)} is not in flow '${this.name}' to link ${end}`);
    return child;
  }

  protected insert(items: Iterable<FlowItem>, { resolveRequires = true, resolveExisting = true }: AddOptions): void {
    const newcomers = [...new Set(this.checked(items))].filter((item) => !this.graph.has({ item }));
    if (newcomers.length === 0) return;
    this.lookAgain();
    const addition: Addition = {
      resolveRequires,
      resolveExisting,
      unsatisfied: new Map(),
      waiting: new Map(),
      metadata: new Map(),
      before: new Satisfaction(this.graph, this.providers, { beforeChange: true }),
      circle: null,
    };
    this.change(() => {
      for (const item of newcomers) this.insertOne(item, addition);
      this.refuseCircle(addition.circle);
    });
  }

  /** Does something to the graph: all of it, or nothing. */
  private change(steps: () => void): void {
    try {
      steps();
    } catch (error) {
      for (const child of this.graph.takeBack()) {
        this.release(child.item);
        for (const symbol of child.requires) this.requirers.remove(symbol, child);
        for (const symbol of child.provides) this.providers.remove(symbol, child);
      }
      throw error;
    }
    this.graph.keep();
    this.changed();
  }

  private insertOne(item: FlowItem, addition: Addition): void {
    const child = this.graph.insert(item);
    this.hold(item);
    if (addition.resolveRequires) this.linkToProviders(child, addition);
    for (const symbol of child.requires) this.requirers.add(symbol, child);
    for (const symbol of child.provides) this.providers.add(symbol, child);
    if (!addition.resolveExisting) return;
    for (const symbol of child.provides) {
      this.refuseFeedingRetry(child, symbol);
      this.linkToRequirers(child, symbol, addition);
    }
  }

  private linkToProviders(child: Child, addition: Addition): void {
    for (const symbol of child.requires) {
      if (this.retry?.provides.has(symbol) === true) continue;
      const providers = this.providers.of(symbol);
      const [provider] = providers;
      if (provider === undefined) {
        getOrMake(addition.waiting, symbol, () => new Set<Child>()).add(child);
      } else if (providers.length === 1) {
        this.linkFor(symbol, provider, child, addition);
      } else {
        const names = providers.map(({ item }) => item.name).sort();
        throw new AmbiguousDependencyError(
          `'${child.item.name}' requires '${symbol}', which more than one child of flow '${this.name}' provides: ` +
            listed(names),
        );
      }
    }
  }

  private linkToRequirers(child: Child, symbol: string, addition: Addition): void {
    const unsatisfied = this.unsatisfiedBefore(symbol, addition);
    const waiting = addition.waiting.get(symbol) ?? NOBODY;
    for (const requirers of [unsatisfied, waiting]) {
      for (const requirer of requirers) {
        if (requirer === child) continue;
        this.linkFor(symbol, child, requirer, addition);
        requirers.delete(requirer);
      }
    }
  }

  /** Looked for only when somebody comes to satisfy them: most symbols are never provided twice, or too late. */
  private unsatisfiedBefore(symbol: string, { unsatisfied, before }: Addition): Set<Child> {
    const requirers = this.requirers.of(symbol);
    if (requirers.length === 0 || this.retry?.provides.has(symbol) === true) return NOBODY;
    const known = unsatisfied.get(symbol);
    if (known !== undefined) return known;
    const found = new Set<Child>();
    for (const requirer of requirers) {
      if (this.graph.isKept(requirer) && !before.has(requirer, symbol)) found.add(requirer);
    }
    unsatisfied.set(symbol, found);
    return found;
  }

  private linkFor(symbol: string, from: Child, to: Child, addition: Addition): void {
    const known = this.graph.metadata(from, to);
    const metadata =
      known === undefined
        ? getOrMake(addition.metadata, symbol, () => ({
            reasons: from.provides.size === 1 && from.provides.has(symbol) ? from.provides : new Set([symbol]),
          }))
        : { ...known, reasons: new Set(known.reasons).add(symbol) };
    const circle = this.graph.link(from, to, metadata);
    addition.circle ??= circle;
  }

  private refuseFeedingRetry({ item }: Child, symbol: string): void {
    if (this.retry?.requires.has(symbol) !== true) return;
    throw new DependencyError(
      `The retry '${this.retry.name}' of flow '${this.name}' requires '${symbol}', which '${item.name}' provides, ` +
        'but a retry runs before all children of its flow',
    );
  }

  private refuseCircle(circle: readonly Child[] | null): void {
    if (circle === null) return;
    const names = circle.map(({ item }) => `'${item.name}'`);
    const [first = ''] = names;
    const shortened =
      names.length > SHOWN_OF_CIRCLE ? [...names.slice(0, SHOWN_OF_CIRCLE - 1), '…', ...names.slice(-1)] : names;
    throw new DependencyError(
      `No path through the children of flow '${this.name}' agrees with their links: ` +
        [...shortened, first].join(' -> '),
    );
  }

  private lookAgain(): void {
    for (const flow of this.changedChildren) {
      const child = this.graph.get(flow);
      if (child === undefined) continue;
      for (const symbol of child.requires) this.requirers.remove(symbol, child);
      for (const symbol of child.provides) this.providers.remove(symbol, child);
      child.look();
      for (const symbol of child.requires) this.requirers.add(symbol, child);
      for (const symbol of child.provides) this.providers.add(symbol, child);
    }
    this.changedChildren.clear();
  }
}

const NOBODY = new Set<Child>();

function getOrMake<Value>(values: Map<string, Value>, symbol: string, make: () => Value): Value {
  let value = values.get(symbol);
  if (value === undefined) values.set(symbol, (value = make()));
  return value;
}
