import type { Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { comparePlans } from '../compiler/plan-changes.js';
import type { AtomChange } from '../compiler/plan-changes.js';
import type { PlannedPart } from '../compiler/planned-parts.js';
import type { AtomDetail, AtomState } from '../persistence/details.js';
import type { Storage } from '../storage/storage.js';

/** An atom of a run whose flow is not the one that was stored. */
export interface PlannedChange {
  readonly name: string;
  readonly kind: 'task' | 'retry';
  /** What has become of it in this run; null for one that has no record yet. */
  readonly state: AtomState | null;
  /** Whether a run can go on with this change without being told to. */
  readonly classed: 'safe' | 'needsConsent';
  /** What is different, in words. */
  readonly what: string;
}

/** How many atoms of one list are shown in a message. */
const MOST_SHOWN = 20;

const LISTS = ['removed', 'moved', 'rewired', 'reversioned', 'added'] as const;

/**
 * How a flow differs from the one that a run was stored with (D20).
 *
 * An atom that is moved, re-wired and re-versioned at once is in all three lists.
 */
export class PlanDifference {
  /** Name of the flow that was stored, and of the one that was given. Another name needs consent. */
  readonly flow: { readonly from: string; readonly to: string };
  readonly kept: readonly PlannedChange[];
  /** Safe where nothing after it has begun, and nothing is being undone. */
  readonly added: readonly PlannedChange[];
  readonly removed: readonly PlannedChange[];
  readonly moved: readonly PlannedChange[];
  readonly rewired: readonly PlannedChange[];
  /** Safe where the major version, the number before the first dot, is the same. */
  readonly reversioned: readonly PlannedChange[];

  /** @internal */
  constructor(lists: Pick<PlanDifference, 'flow' | 'kept' | (typeof LISTS)[number]>) {
    this.flow = lists.flow;
    this.kept = lists.kept;
    this.added = lists.added;
    this.removed = lists.removed;
    this.moved = lists.moved;
    this.rewired = lists.rewired;
    this.reversioned = lists.reversioned;
  }

  /** Whether nothing is different. */
  get isEmpty(): boolean {
    return this.flow.from === this.flow.to && LISTS.every((list) => this[list].length === 0);
  }

  /** Whether the run is refused unless `onPlanChange` says otherwise. */
  get needsConsent(): boolean {
    return (
      this.flow.from !== this.flow.to ||
      LISTS.some((list) => this[list].some(({ classed }) => classed === 'needsConsent'))
    );
  }

  /** The listing: a line for each atom that is not as it was, those that need consent marked. */
  toString(): string {
    const { flow } = this;
    const lines = flow.from === flow.to ? [] : [`! the flow is ${flow.to} now, and was ${flow.from}`];
    for (const list of LISTS) {
      // What needs consent is what the reader has to see.
      const changes = this[list].toSorted((a, b) => Number(a.classed === 'safe') - Number(b.classed === 'safe'));
      for (const change of changes.slice(0, MOST_SHOWN)) lines.push(lineOf(list, change));
      if (changes.length > MOST_SHOWN) lines.push(`  … and ${changes.length - MOST_SHOWN} more that are ${list}`);
    }
    return lines.length === 0 ? 'nothing is different' : lines.join('\n');
  }
}

function lineOf(list: (typeof LISTS)[number], { name, kind, state, classed, what }: PlannedChange): string {
  return `${classed === 'safe' ? ' ' : '!'} ${list} ${kind} ${name} (${state ?? 'new'}): ${what}`;
}

/**
 * Compares the plan that a run was stored with to that of a compiled flow, and classes what is different.
 *
 * @param before - The stored plan.
 * @param now - That of the compilation.
 */
export function differenceBetween(
  before: readonly PlannedPart[],
  now: readonly PlannedPart[],
  compilation: Compilation,
  storage: Storage,
): PlanDifference {
  const changes = comparePlans(before, now);
  const reached = reachedAtoms(compilation, storage);
  const isUndoing = isAnythingUndone(storage);
  const stateOf = (name: string) => storage.find(name)?.state ?? null;
  const listed = (list: readonly AtomChange[], isSafe: (change: AtomChange) => boolean) =>
    list.map((change): PlannedChange => ({
      name: change.name,
      kind: change.kind,
      state: stateOf(change.name),
      classed: isSafe(change) ? 'safe' : 'needsConsent',
      what: change.what,
    }));
  const isNew = ({ name }: AtomChange) => {
    const detail = storage.find(name);
    return (detail === undefined || !hasBegun(detail)) && !isUndoing && !reached.has(name);
  };
  const never = () => false;
  const reversioned = changes.reversioned.map((change) => {
    const isSameMajor = majorOf(change.from) === majorOf(change.to);
    return listed([change], () => isSameMajor);
  });
  return new PlanDifference({
    flow: changes.flow,
    kept: listed(changes.kept, () => true),
    added: listed(changes.added, isNew),
    removed: listed(changes.removed, never),
    moved: listed(changes.moved, never),
    rewired: listed(changes.rewired, never),
    reversioned: reversioned.flat(),
  });
}

function majorOf(version: string): number {
  return Number(version.split('.', 1)[0]);
}

/** Whether anything has become of an atom, or was decided about it. */
function hasBegun({ state, intention }: AtomDetail): boolean {
  return !(state === null || state === 'PENDING') || intention !== 'EXECUTE';
}

/** Whether anything of a run stands: a run in which nothing does takes any plan. */
export function isUnderWay(storage: Storage): boolean {
  const isReverted = storage.getFlowState() === 'REVERTED';
  return storage.atomDetails().some((detail) => {
    if (isReverted && (detail.state === 'REVERTED' || detail.state === 'IGNORE' || detail.state === 'PENDING')) {
      return false;
    }
    return hasBegun(detail);
  });
}

function isAnythingUndone(storage: Storage): boolean {
  return storage.atomDetails().some(({ intention }) => intention === 'REVERT' || intention === 'RETRY');
}

/** The names of all atoms before one that has begun. */
function reachedAtoms(compilation: Compilation, storage: Storage): ReadonlySet<string> {
  const { start, nodes } = compilation.backward;
  const visited = new Uint8Array(compilation.nodes.length);
  const stack: number[] = [];
  const names = new Set<string>();
  for (const { name, index } of compilation.atoms) {
    const detail = storage.find(name);
    if (detail !== undefined && hasBegun(detail)) stack.push(index);
  }
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    for (let at = start[node] ?? 0; at < (start[node + 1] ?? 0); at++) {
      const before = nodes[at] ?? 0;
      if (visited[before] === 1) continue;
      visited[before] = 1;
      const reached = compilation.node(before);
      if (isAtom(reached)) names.add(reached.name);
      stack.push(before);
    }
  }
  return names;
}
