import type { AtomNode, Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { AtomState, FlowDetail } from '../persistence/details.js';

/** What is known of an atom that is under way. */
export interface Underway {
  /** Since when, in milliseconds since 1970. */
  readonly since: number;
  /** How far it is, from 0 to 1. */
  readonly share: number;
}

/** How far a run is. */
export interface Standing {
  readonly compilation: Compilation;
  readonly stateOf: (name: string) => AtomState;
  readonly running: ReadonlyMap<string, Underway>;
  /** Whether atoms run one after the other. */
  readonly isSerial: boolean;
}

/** How long tasks took in an earlier run that a `DurationListener` heard, in milliseconds, by name. */
export function durationsOf({ atoms }: FlowDetail): Map<string, number> {
  const durations = new Map<string, number>();
  for (const { name, state, meta } of atoms) {
    const { durationMs } = meta;
    if (state === 'SUCCESS' && typeof durationMs === 'number') durations.set(name, durationMs);
  }
  return durations;
}

/**
 * How long a run still takes that nothing goes wrong in, in milliseconds: along its critical path, or one atom after the
 * other.
 *
 * @param durations - How long tasks take, by name. Retries take no time. One that is under way and not in here is judged
 * by how far it is.
 * @returns null when that is not known of every task that is left, and while something is undone.
 */
export function timeLeft(standing: Standing, durations: ReadonlyMap<string, number>, now: number): number | null {
  const { compilation, running, isSerial } = standing;
  const ends = new Float64Array(compilation.nodes.length);
  let [longest, waiting, begun] = [0, 0, 0];
  let since = now;
  for (const index of compilation.topological) {
    const node = compilation.node(index);
    const underway = running.get(node.name);
    const own = isAtom(node) ? leftOf(node, standing, durations, now) : 0;
    if (own === null) return null;
    let start = 0;
    for (const { index: before } of compilation.predecessors(node)) start = Math.max(start, ends[before] ?? 0);
    const end = start + own;
    ends[index] = end;
    longest = Math.max(longest, end);
    if (underway === undefined || !isAtom(node)) waiting += own;
    else {
      begun += durations.get(node.name) ?? own + (now - underway.since);
      since = Math.min(since, underway.since);
    }
  }
  // Of those that are said to be under way in a serial engine one is at a time.
  return isSerial ? waiting + Math.max(0, begun - (now - since)) : longest;
}

function leftOf(
  { name, kind }: AtomNode,
  { stateOf, running }: Standing,
  durations: ReadonlyMap<string, number>,
  now: number,
): number | null {
  const state = stateOf(name);
  if (state === 'SUCCESS' || state === 'IGNORE') return 0;
  const usual = durations.get(name) ?? (kind === 'retry' ? 0 : null);
  if (state === 'PENDING') return usual;
  const underway = running.get(name);
  if (state !== 'RUNNING' || underway === undefined) return null;
  const elapsed = now - underway.since;
  if (usual !== null) return Math.max(0, usual - elapsed);
  return underway.share > 0 ? (elapsed * (1 - underway.share)) / underway.share : null;
}
