import type { PlannedAtom, PlannedFlow, PlannedLink, PlannedPart } from './planned-parts.js';

/** An atom of one plan or the other, and what about it is not the same. */
export interface AtomChange {
  readonly name: string;
  readonly kind: PlannedAtom['kind'];
  /** In words, for people; empty for an atom that is as it was. */
  readonly what: string;
}

export interface VersionChange extends AtomChange {
  readonly from: string;
  readonly to: string;
}

/** How one plan differs from another. An atom that is moved, re-wired and re-versioned at once is in all three lists. */
export interface PlanChanges {
  /** Name of the flow, in the first plan and in the second. */
  readonly flow: { readonly from: string; readonly to: string };
  readonly kept: readonly AtomChange[];
  readonly added: readonly AtomChange[];
  readonly removed: readonly AtomChange[];
  /** Into another flow, or to another place among the children of a linear flow. */
  readonly moved: readonly AtomChange[];
  /** Other arguments, other results, other links, or another pattern around it. */
  readonly rewired: readonly AtomChange[];
  readonly reversioned: readonly VersionChange[];
}

/**
 * Compares two plans, atom by atom: they are matched by name and kind, and flows by their names from the root down.
 *
 * Only what is there in both is compared with its neighbours: an atom that was put between two others moves neither,
 * and a link to one that is gone re-wires nobody. What happens to a flow happens to all atoms in it.
 */
export function comparePlans(from: readonly PlannedPart[], to: readonly PlannedPart[]): PlanChanges {
  return new Comparison(new Places(from), new Places(to)).changes();
}

/** Where the parts of a plan are. */
class Places {
  readonly atoms = new Map<string, { readonly atom: PlannedAtom; readonly number: number }>();
  readonly children: (number[] | undefined)[] = [];
  /** Which part of the other plan is the same one, by number: see `match`. */
  readonly others: (number | undefined)[] = [];

  readonly #hasAtoms: Uint8Array;

  constructor(readonly parts: readonly PlannedPart[]) {
    this.#hasAtoms = new Uint8Array(parts.length);
    for (const [number, part] of parts.entries()) {
      (this.children[part.parent] ??= []).push(number);
      if (part.kind !== 'flow') this.atoms.set(part.name, { atom: part, number });
    }
    for (let number = parts.length - 1; number > 0; number--) {
      const part = parts[number];
      if (part !== undefined && !(part.kind === 'flow' && this.isEmpty(number))) this.#hasAtoms[part.parent] = 1;
    }
  }

  /** Whether there is no atom in a flow, at any depth. */
  isEmpty(flow: number): boolean {
    return this.#hasAtoms[flow] !== 1;
  }

  /** The direct parts of a flow; of -1, the root. */
  inside(flow: number): readonly number[] {
    return this.children[flow] ?? [];
  }

  /** The flow that a part is in, from the root down. */
  path({ parent }: PlannedPart): string {
    const names: string[] = [];
    let flow = this.parts[parent];
    for (; flow !== undefined && names.length < MOST_SHOWN; flow = this.parts[flow.parent]) names.push(flow.name);
    if (flow !== undefined) names.push('…');
    return names.length === 0 ? 'no flow' : names.reverse().join('/');
  }

  nameOf(number: number): string {
    return this.parts[number]?.name ?? '';
  }
}

/** How many flows of a path are shown, the innermost. */
const MOST_SHOWN = 8;

interface Reasons {
  readonly moved: readonly string[];
  readonly rewired: readonly string[];
}

const NONE: Reasons = { moved: [], rewired: [] };

class Comparison {
  /** By the number of a part of the second plan: what happened to it, or to a flow around it. */
  readonly #reasons: (Reasons | undefined)[] = [];

  constructor(
    private readonly from: Places,
    private readonly to: Places,
  ) {}

  changes(): PlanChanges {
    const { from, to } = this;
    this.#match();
    for (const [number, part] of to.parts.entries()) {
      // An atom that came from elsewhere is moved, whatever happened to the flow around it.
      const isHere = part.kind === 'flow' || to.others[number] !== undefined;
      const around = isHere ? (this.#reasons[part.parent] ?? NONE) : NONE;
      this.#reasons[number] = joined(around, this.#reasons[number] ?? NONE);
      if (part.kind === 'flow') this.#compareInside(number, part);
    }
    const removed: AtomChange[] = [];
    for (const { atom } of from.atoms.values()) {
      if (!this.#isKept(atom)) removed.push(changed(atom, `was in ${from.path(atom)}`));
    }
    const changes = {
      flow: { from: from.nameOf(0), to: to.nameOf(0) },
      kept: [] as AtomChange[],
      added: [] as AtomChange[],
      removed,
      moved: [] as AtomChange[],
      rewired: [] as AtomChange[],
      reversioned: [] as VersionChange[],
    };
    for (const { atom, number } of to.atoms.values()) {
      const before = from.atoms.get(atom.name)?.atom;
      if (before === undefined || before.kind !== atom.kind) {
        changes.added.push(changed(atom, `is in ${to.path(atom)}`));
        continue;
      }
      const reasons = joined(this.#reasons[number] ?? NONE, { moved: [], rewired: rewirings(before, atom) });
      const isReversioned = before.version !== atom.version;
      if (reasons.moved.length > 0) changes.moved.push(changed(atom, shownReasons(reasons.moved)));
      if (reasons.rewired.length > 0) changes.rewired.push(changed(atom, shownReasons(reasons.rewired)));
      if (isReversioned) {
        const versions = { from: before.version, to: atom.version };
        changes.reversioned.push({ ...changed(atom, `was ${before.version}, is ${atom.version}`), ...versions });
      }
      if (reasons.moved.length + reasons.rewired.length === 0 && !isReversioned) changes.kept.push(changed(atom, ''));
    }
    return changes;
  }

  #isKept(atom: PlannedAtom): boolean {
    return this.to.atoms.get(atom.name)?.atom.kind === atom.kind;
  }

  /** Finds the flows that are in both plans, from the root down, and with them the atoms that stayed where they were. */
  #match(): void {
    const { from, to } = this;
    const pair = (one: number, other: number) => {
      from.others[one] = other;
      to.others[other] = one;
    };
    if (from.parts[0]?.kind === 'flow' && to.parts[0]?.kind === 'flow') pair(0, 0);
    for (const [number, part] of to.parts.entries()) {
      const before = to.others[number];
      if (part.kind === 'flow' && before !== undefined) this.#matchInside(before, number, pair);
    }
    for (const { atom, number } of to.atoms.values()) {
      const before = from.atoms.get(atom.name);
      if (before === undefined || before.atom.kind !== atom.kind || to.others[number] !== undefined) continue;
      if (atom.parent === -1 && before.atom.parent === -1) continue;
      const was = from.path(before.atom);
      const is = to.path(atom);
      const what = was === is ? `is in another flow named ${is}` : `was in ${was}, is in ${is}`;
      this.#reasons[number] = { moved: [what], rewired: [] };
    }
  }

  #matchInside(before: number, now: number, pair: (one: number, other: number) => void): void {
    const { from, to } = this;
    const flows = new Map<string, Set<number>>();
    for (const child of from.inside(before)) {
      const part = from.parts[child];
      if (part?.kind !== 'flow') continue;
      const namesakes = flows.get(part.name);
      if (namesakes === undefined) flows.set(part.name, new Set([child]));
      else namesakes.add(child);
    }
    for (const child of to.inside(now)) {
      const part = to.parts[child];
      if (part === undefined) continue;
      if (part.kind !== 'flow') {
        const known = from.atoms.get(part.name);
        if (known?.atom.kind === part.kind && known.atom.parent === before) pair(known.number, child);
        continue;
      }
      const candidates = flows.get(part.name);
      if (candidates === undefined) continue;
      // A flow is the one that an atom in it was in; an empty one is any empty one.
      const same = to.isEmpty(child)
        ? [...candidates].find((candidate) => from.isEmpty(candidate))
        : this.#sharingAnAtom(candidates, child);
      if (same === undefined) continue;
      pair(same, child);
      candidates.delete(same);
    }
  }

  #sharingAnAtom(candidates: ReadonlySet<number>, flow: number): number | undefined {
    const { from, to } = this;
    // What is in a flow comes right behind it.
    for (let at = flow + 1; (to.parts[at]?.parent ?? -1) >= flow; at++) {
      let was = from.atoms.get(to.nameOf(at))?.number ?? -1;
      while (was >= 0 && !candidates.has(was)) was = from.parts[was]?.parent ?? -1;
      if (was >= 0) return was;
    }
    return undefined;
  }

  /** Compares how the parts of a flow stand to one another. */
  #compareInside(number: number, flow: PlannedFlow): void {
    const { from, to } = this;
    const otherNumber = to.others[number];
    const other = otherNumber === undefined ? undefined : from.parts[otherNumber];
    if (otherNumber === undefined || other?.kind !== 'flow') return;
    const both = to.inside(number).filter((child) => to.others[child] !== undefined);
    if (other.pattern !== flow.pattern) {
      for (const child of both)
        this.#add(child, 'rewired', `${flow.name} is ${flow.pattern} now, and was ${other.pattern}`);
    } else if (flow.pattern === 'linear') {
      for (const child of displaced(both, (child) => to.others[child] ?? -1)) {
        this.#add(child, 'moved', `${to.nameOf(child)} stands at another place in ${flow.name}`);
      }
    }
    for (const child of both) this.#compareLinks(child);
  }

  /** Compares the links from parts that are here in both plans. */
  #compareLinks(child: number): void {
    const { from, to } = this;
    const now = to.parts[child]?.links ?? [];
    const then = from.parts[to.others[child] ?? -1]?.links ?? [];
    if (now.length === 0 && then.length === 0) return;
    const before = new Map(then.flatMap((link) => named(link, from.others[link.from])));
    const after = new Map(now.flatMap((link) => (to.others[link.from] === undefined ? [] : named(link, link.from))));
    for (const [source, depth] of after) {
      const earlier = before.get(source);
      const name = to.nameOf(source);
      if (earlier === undefined) this.#add(child, 'rewired', `has a link from ${name} now`);
      else if (earlier !== depth) this.#add(child, 'rewired', `its link from ${name} ${decided(earlier, depth)}`);
    }
    for (const source of before.keys()) {
      if (!after.has(source)) this.#add(child, 'rewired', `has no link from ${to.nameOf(source)} any more`);
    }
  }

  #add(child: number, list: keyof Reasons, reason: string): void {
    const known = this.#reasons[child] ?? NONE;
    this.#reasons[child] = { ...known, [list]: [...known[list], reason] };
  }
}

/** What a link from a part that is there is called, and its depth. */
function named({ depth }: PlannedLink, source: number | undefined): [number, string | null][] {
  return source === undefined ? [] : [[source, depth]];
}

function decided(before: string | null, after: string | null): string {
  if (before === null) return `has a decider of depth ${after} now`;
  return after === null ? 'has no decider any more' : `has a decider of depth ${after} now, and had ${before}`;
}

function joined(one: Reasons, other: Reasons): Reasons {
  if (isNone(other)) return one;
  if (isNone(one)) return other;
  return { moved: [...one.moved, ...other.moved], rewired: [...one.rewired, ...other.rewired] };
}

function isNone({ moved, rewired }: Reasons): boolean {
  return moved.length + rewired.length === 0;
}

/** How many reasons are told of one atom. */
const MOST_REASONS = 3;

function shownReasons(reasons: readonly string[]): string {
  const left = reasons.length - MOST_REASONS;
  return reasons.slice(0, MOST_REASONS).join(', ') + (left > 0 ? ` and ${left} more` : '');
}

function changed({ name, kind }: PlannedAtom, what: string): AtomChange {
  return { name, kind, what };
}

function rewirings(before: PlannedAtom, now: PlannedAtom): string[] {
  return [
    rewiring('takes', before.takes, now.takes),
    rewiring('takes to be reverted', before.takesToRevert, now.takesToRevert),
    rewiring('provides', before.provides, now.provides),
    rewiring('injects', before.injects, now.injects),
  ].filter((each) => each !== null);
}

type Names = readonly (string | readonly unknown[])[];

function rewiring(verb: string, before: Names, now: Names): string | null {
  if (before.length === 0 && now.length === 0) return null;
  if (JSON.stringify(before) === JSON.stringify(now)) return null;
  const [was, is] = [before, now].map((names) => `[${names.map(shownName).join(', ')}]`);
  return `${verb} ${is}, was ${was}`;
}

function shownName(name: string | readonly unknown[]): string {
  if (typeof name === 'string') return name;
  const [first, second, isOptional] = name.map(String);
  const pair = first === second ? String(first) : `${first}: ${second}`;
  return isOptional === undefined ? pair : `${pair}?`;
}

/** The fewest that have to be taken out so that the rest are in ascending order of their rank. */
function displaced(items: readonly number[], rankOf: (item: number) => number): number[] {
  /** The last of the best ascending sequence of each length; and of each item the one before it in its sequence. */
  const ends: number[] = [];
  const before: number[] = [];
  for (const [at, item] of items.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (rankOf(items[ends[middle] ?? 0] ?? 0) < rankOf(item)) low = middle + 1;
      else high = middle;
    }
    before[at] = low === 0 ? -1 : (ends[low - 1] ?? -1);
    ends[low] = at;
  }
  const stays = new Set<number>();
  for (let at = ends.at(-1) ?? -1; at >= 0; at = before[at] ?? -1) stays.add(at);
  return items.filter((_, at) => !stays.has(at));
}
