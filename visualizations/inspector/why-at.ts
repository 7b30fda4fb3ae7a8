import type { History, Moment } from './history.js';
import type { PictureLink, PicturePart, PictureReason } from './run-picture.js';

const ENDED: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVERTED']);
const DONE: ReadonlySet<string | null | undefined> = new Set(['SUCCESS', 'IGNORE']);
const UNDONE: ReadonlySet<string | null | undefined> = new Set(['PENDING', 'REVERTED', 'IGNORE']);
const UNDOING: ReadonlySet<string | null> = new Set(['FAILURE', 'REVERTING', 'REVERTED', 'REVERT_FAILURE']);

/** The order in which the parts of a flow run, as a graph: a flow begins before all that is in it, and ends after it. */
export class Neighbours {
  /** Atoms by their number; where a flow begins by its number, and where it ends by that and the number of parts. */
  readonly #before: number[][];
  readonly #after: number[][];

  constructor(
    readonly parts: readonly PicturePart[],
    links: readonly PictureLink[],
  ) {
    const count = parts.length;
    this.#before = Array.from({ length: 2 * count }, () => []);
    this.#after = Array.from({ length: 2 * count }, () => []);
    const isFlow = (part: number) => parts[part]?.kind === 'flow';
    const endOf = (part: number) => (isFlow(part) ? part + count : part);
    const connect = (from: number, to: number) => {
      this.#after[from]?.push(to);
      this.#before[to]?.push(from);
    };
    const [sources, targets] = [new Set<number>(), new Set<number>()];
    for (const { from, to } of links) {
      connect(endOf(from), to);
      sources.add(from);
      targets.add(to);
    }
    /** By flow, what everything in it comes after: its beginning, or its retry. */
    const heads = parts.map((_, part) => part);
    parts.forEach(({ parent, kind }, part) => {
      if (parent === null || kind !== 'retry') return;
      connect(parent, part);
      heads[parent] = part;
    });
    parts.forEach(({ parent, kind }, part) => {
      if (parent === null || kind === 'retry') return;
      if (!targets.has(part)) connect(heads[parent] ?? parent, part);
      if (!sources.has(part)) connect(endOf(part), endOf(parent));
    });
    heads.forEach((head, part) => {
      if (isFlow(part) && this.#before[endOf(part)]?.length === 0) connect(head, endOf(part));
    });
  }

  /** The nearest atoms before one for which something holds; nothing is looked at behind them. */
  before(part: number, holds: (part: number) => boolean): number[] {
    return this.#search(part, this.#before, holds);
  }

  after(part: number, holds: (part: number) => boolean): number[] {
    return this.#search(part, this.#after, holds);
  }

  #search(part: number, sides: readonly (readonly number[])[], holds: (part: number) => boolean): number[] {
    const found: number[] = [];
    const seen = new Set<number>();
    const pending = [...(sides[part] ?? [])];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const kind = this.parts[next]?.kind ?? 'flow';
      if (kind !== 'flow' && holds(next)) found.push(next);
      else pending.push(...(sides[next] ?? []));
    }
    return found.sort((one, other) => one - other);
  }
}

/**
 * What a run waited for at a moment of its history, from its links and from what came next.
 *
 * What only the engine knows while it runs, as how many may run at once, is not in a history: the reasons are those of
 * `engine.why()` where these follow from states; that an atom is to be undone is seen by its being undone later.
 */
export function whyAt(neighbours: Neighbours, history: History, moment: Moment): PictureReason[] {
  const { flowState, states, count } = moment;
  if (ENDED.has(flowState)) return [];
  if (count === 0 || flowState === 'PENDING') return [of(null, 'start', 'The flow waits: the run has not begun')];
  const isUndoing = states.some((state) => UNDOING.has(state));
  const nameOf = (part: number) => neighbours.parts[part]?.name ?? '';
  const list = (parts: readonly number[]) => parts.map(nameOf).join(', ');

  const reasonFor = (part: number, state: string): PictureReason | null => {
    const say = (waitsFor: string, words: string, others: readonly number[] = []) =>
      of(part, waitsFor, `${nameOf(part)} waits: ${words}`, others);
    if (state === 'RUNNING') return say('running', 'it is under way');
    if (state === 'REVERTING') return say('running', 'it is being undone');
    if (state === 'RETRYING') return say('round', 'its flow is tried again');
    const next = history.nextOf(part, count)?.to ?? null;
    if (isUndoing && (next === 'REVERTING' || next === 'RETRYING') && (state === 'SUCCESS' || state === 'FAILURE')) {
      const after = neighbours.after(part, (other) => !UNDONE.has(states[other]));
      return after.length === 0
        ? say('round', 'it is looked at in the next round')
        : say('successors', `first has to be undone ${list(after)}`, after);
    }
    if (isUndoing && state === 'REVERTED' && next === 'PENDING') return say('retry', 'it is tried again with its flow');
    if (state !== 'PENDING') return null;
    if (flowState === 'SUSPENDED') return say('suspended', 'the run is suspended');
    const before = neighbours.before(part, (other) => !DONE.has(states[other]));
    if (before.length === 0) return say('round', 'it is looked at in the next round');
    const providers = new Set((neighbours.parts[part]?.takes ?? []).flatMap(({ from }) => from));
    return before.some((other) => providers.has(other))
      ? say('result', `it needs what is provided by ${list(before)}`, before)
      : say('predecessor', `it comes after ${list(before)}`, before);
  };
  const reasons = states.flatMap((state, part) => (state === null ? [] : (reasonFor(part, state) ?? [])));
  if (reasons.length > 0) return reasons;
  const words = flowState === 'SUSPENDED' ? 'the run is suspended' : 'the run is about to end';
  return [of(null, flowState === 'SUSPENDED' ? 'suspended' : 'end', `The flow waits: ${words}`)];
}

function of(part: number | null, waitsFor: string, message: string, others: readonly number[] = []): PictureReason {
  return { part, waitsFor, of: others, until: null, message };
}
