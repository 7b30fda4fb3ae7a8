import type { History, Moment } from './history.js';
import type { PictureLink, PicturePart, PictureReason } from './run-picture.js';

const ENDED: ReadonlySet<string> = new Set(['SUCCESS', 'FAILURE', 'REVERTED']);
const DONE: ReadonlySet<string | null | undefined> = new Set(['SUCCESS', 'IGNORE']);
const UNDOING: ReadonlySet<string | null> = new Set(['FAILURE', 'REVERTING', 'REVERTED', 'REVERT_FAILURE']);

/** What each part comes directly after and before, links of the flows around it included. */
export class Neighbours {
  readonly #before: readonly (readonly number[])[];
  readonly #after: readonly (readonly number[])[];
  readonly #children: readonly (readonly number[])[];

  constructor(
    readonly parts: readonly PicturePart[],
    links: readonly PictureLink[],
  ) {
    const before: number[][] = parts.map(() => []);
    const after: number[][] = parts.map(() => []);
    const children: number[][] = parts.map(() => []);
    for (const { from, to } of links) {
      before[to]?.push(from);
      after[from]?.push(to);
    }
    parts.forEach(({ parent }, part) => {
      if (parent !== null) children[parent]?.push(part);
    });
    // The retry of a flow comes before everything else in it.
    children.forEach((inside) => {
      const retry = inside.find((part) => parts[part]?.kind === 'retry');
      if (retry === undefined) return;
      for (const part of inside) {
        if (part === retry) continue;
        before[part]?.push(retry);
        after[retry]?.push(part);
      }
    });
    this.#before = before;
    this.#after = after;
    this.#children = children;
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
    const pending = [...this.#beside(part, sides)];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      if (this.parts[next]?.kind === 'flow') pending.push(...(this.#children[next] ?? []));
      else if (holds(next)) found.push(next);
      else pending.push(...(sides[next] ?? []));
    }
    return found.sort((one, other) => one - other);
  }

  /** What is linked with a part or with a flow around it. */
  #beside(part: number, sides: readonly (readonly number[])[]): number[] {
    const beside: number[] = [];
    for (let at: number | null = part; at !== null; at = this.parts[at]?.parent ?? null)
      beside.push(...(sides[at] ?? []));
    return beside;
  }
}

/**
 * What a run waited for at a moment of its history, from its links and from what came next.
 *
 * What only the engine knows while it runs, as how many may run at once, is not in a history: the reasons are those of
 * `engine.why()` where these follow from states.
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
    if (isUndoing && next === 'REVERTING' && (state === 'SUCCESS' || state === 'FAILURE')) {
      const after = neighbours.after(part, (other) => states[other] === 'REVERTING' || isToBeUndone(other));
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
  const isToBeUndone = (part: number) =>
    (states[part] === 'SUCCESS' || states[part] === 'FAILURE') && history.nextOf(part, count)?.to === 'REVERTING';

  const reasons = states.flatMap((state, part) => (state === null ? [] : (reasonFor(part, state) ?? [])));
  if (reasons.length > 0) return reasons;
  const words = flowState === 'SUSPENDED' ? 'the run is suspended' : 'the run is about to end';
  return [of(null, flowState === 'SUSPENDED' ? 'suspended' : 'end', `The flow waits: ${words}`)];
}

function of(part: number | null, waitsFor: string, message: string, others: readonly number[] = []): PictureReason {
  return { part, waitsFor, of: others, until: null, message };
}
