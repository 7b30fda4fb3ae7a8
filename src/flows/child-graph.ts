import { appended } from './appended.js';
import { Flow, type FlowItem } from './flow.js';
import type { LinkMetadata } from './link.js';

/** A child of a graph flow. */
export class Child {
  /** What is known of the link to each. */
  readonly successors = new Map<Child, LinkMetadata>();
  predecessors: Child[] = [];
  /** Never above that of a successor. */
  level = 0;
  /** Symbols of a flow as they were when last looked at; those of an atom never change. */
  private seen: Pick<Flow, 'requires' | 'provides'> | null = null;

  /**
   * @param position - How many came before.
   * @param change - Counts the changes of the graph: which of them added it.
   */
  constructor(
    readonly item: FlowItem,
    readonly position: number,
    readonly change: number,
  ) {
    this.look();
  }

  get requires(): ReadonlySet<string> {
    return (this.seen ?? this.item).requires;
  }

  get provides(): ReadonlySet<string> {
    return (this.seen ?? this.item).provides;
  }

  /** Sees what a flow requires and provides now. */
  look(): void {
    const { item } = this;
    if (item instanceof Flow) this.seen = { requires: item.requires, provides: item.provides };
  }
}

/**
 * Children and links between them, without circles. A change can be taken back as long as it is not kept.
 *
 * Levels keep the search for circles short: m links cost at most m searches of √m steps, and those to or from the end
 * of a flow, as they are usually made, cost none. Nothing here is recursive.
 *
 * @see M. A. Bender, J. T. Fineman, S. Gilbert, R. E. Tarjan: A new approach to incremental cycle detection and related
 * problems (2016), section 2.
 */
export class ChildGraph {
  private readonly children = new Map<FlowItem, Child>();
  private change = 0;
  private links = 0;
  /** What was changed since changes were last kept: the children, the ends of links in pairs, and what links were like. */
  private inserted: Child[] = [];
  private linked: Child[] = [];
  private relabelled: { readonly from: Child; readonly to: Child; readonly before: LinkMetadata }[] = [];

  get size(): number {
    return this.children.size;
  }

  /** In the order in which they were added. */
  [Symbol.iterator](): IterableIterator<Child> {
    return this.children.values();
  }

  get(item: FlowItem): Child | undefined {
    return this.children.get(item);
  }

  has({ item }: { readonly item: FlowItem }): boolean {
    return this.children.has(item);
  }

  /** Makes all changes up to now final. */
  keep(): void {
    this.inserted = [];
    this.linked = [];
    this.relabelled = [];
    this.change += 1;
  }

  /** Takes back all changes since the last were kept. @returns the children that are gone. */
  takeBack(): readonly Child[] {
    const { inserted, linked, relabelled } = this;
    for (const { from, to, before } of relabelled.reverse()) from.successors.set(to, before);
    for (let to = linked.pop(), from = linked.pop(); to && from; to = linked.pop(), from = linked.pop()) {
      this.links -= 1;
      from.successors.delete(to);
      // Links are taken back in the opposite order of making them.
      to.predecessors.pop();
    }
    for (const { item } of inserted) this.children.delete(item);
    this.inserted = [];
    this.relabelled = [];
    return inserted;
  }

  insert(item: FlowItem): Child {
    const child = new Child(item, this.children.size, this.change);
    this.children.set(item, child);
    this.inserted.push(child);
    return child;
  }

  metadata(from: Child, to: Child): LinkMetadata | undefined {
    return from.successors.get(to);
  }

  /**
   * Links two children, or changes what is known of their link.
   *
   * @returns null, or the circle that the link would close, without making it.
   */
  link(from: Child, to: Child, metadata: LinkMetadata): readonly Child[] | null {
    const existing = from.successors.get(to);
    if (existing !== undefined) {
      this.relabelled.push({ from, to, before: existing });
      from.successors.set(to, metadata);
      return null;
    }
    if (this.wouldClose(from, to)) return pathBetween(to, from);
    from.successors.set(to, metadata);
    to.predecessors = appended(to.predecessors, from);
    this.links += 1;
    this.linked.push(from, to);
    return null;
  }

  /** Whether the child was there before the changes that are not kept yet. */
  isKept({ change }: Child): boolean {
    return change < this.change;
  }

  /** All that come before a child, however far, and the child. */
  upTo(child: Child): Set<Child> {
    const found = new Set([child]);
    for (const each of found) for (const predecessor of each.predecessors) found.add(predecessor);
    return found;
  }

  /** All that come after one of the children, however far; one of them only if it comes after another. */
  after(children: Iterable<Child>, isSeen: (child: Child) => boolean): Set<Child> {
    const found = new Set<Child>();
    const add = (child: Child): void => {
      for (const successor of child.successors.keys()) if (isSeen(successor)) found.add(successor);
    };
    for (const child of children) add(child);
    for (const child of found) add(child);
    return found;
  }

  /**
   * Those that are visible, by layers: first those without predecessors, then always those whose last predecessor is
   * in the layer before.
   *
   * @param visible - Of every child, all its predecessors are visible, too.
   */
  inLayers(visible: Iterable<Child>): Child[] {
    /** How many predecessors are not in the order yet, by position; none for who is not visible. */
    const waiting = new Int32Array(this.size);
    const order: Child[] = [];
    for (const child of visible) {
      if (child.predecessors.length === 0) order.push(child);
      else waiting[child.position] = child.predecessors.length;
    }
    for (let at = 0; at < order.length; at++) {
      order[at]?.successors.forEach((_, successor) => {
        const left = (waiting[successor.position] ?? 0) - 1;
        waiting[successor.position] = left;
        if (left === 0) order.push(successor);
      });
    }
    return order;
  }

  /** Whether a link would close a circle. When not, levels are made to agree with it. */
  private wouldClose(from: Child, to: Child): boolean {
    if (from === to) return true;
    if (from.level < to.level) return false;
    if (from.predecessors.length === 0) {
      from.level = to.level;
      return false;
    }
    if (to.successors.size === 0) {
      to.level = from.level;
      return false;
    }
    const { before, isWhole } = this.sameLevelBefore(from);
    if (before.has(to)) return true;
    if (isWhole && from.level === to.level) return false;
    return raise(to, isWhole ? from.level : from.level + 1, isWhole ? before : new Set([from]));
  }

  /** Who comes before a child without a change of level; not whole when there are too many to look at. */
  private sameLevelBefore(child: Child): { readonly before: ReadonlySet<Child>; readonly isWhole: boolean } {
    const before = new Set([child]);
    let steps = Math.ceil(Math.sqrt(this.links));
    for (const each of before) {
      for (const predecessor of each.predecessors) {
        if (steps === 0) return { before, isWhole: false };
        steps -= 1;
        if (predecessor.level === child.level) before.add(predecessor);
      }
    }
    return { before, isWhole: true };
  }
}

/**
 * Raises a child, and what comes after it as far as needed.
 *
 * @returns Whether one of those who come before was met: there is a circle, then, and levels agree with the links that
 * there are all the same.
 */
function raise(child: Child, level: number, before: ReadonlySet<Child>): boolean {
  child.level = level;
  const raised = [child];
  let met = false;
  for (let each = raised.pop(); each !== undefined; each = raised.pop()) {
    for (const successor of each.successors.keys()) {
      if (before.has(successor)) met = true;
      if (successor.level >= level) continue;
      successor.level = level;
      raised.push(successor);
    }
  }
  return met;
}

/** Some way from one child to another that can be reached from it. */
function pathBetween(from: Child, to: Child): readonly Child[] {
  const cameFrom = new Map<Child, Child | null>([[from, null]]);
  for (const [child] of cameFrom) {
    if (child === to) break;
    for (const successor of child.successors.keys()) if (!cameFrom.has(successor)) cameFrom.set(successor, child);
  }
  const path: Child[] = [];
  for (let child: Child | null | undefined = to; child; child = cameFrom.get(child)) path.push(child);
  return path.reverse();
}
