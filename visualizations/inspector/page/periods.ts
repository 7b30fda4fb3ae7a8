import type { History } from '../history.js';

/** A time in which an atom was under way, or the flow. */
export interface Period {
  readonly from: number;
  /** null: it has not ended. */
  readonly to: number | null;
  /** What it was in. */
  readonly state: string;
  /** What came of it: the next state. */
  readonly outcome: string | null;
}

const UNDER_WAY: ReadonlySet<string | null> = new Set(['RUNNING', 'REVERTING', 'RETRYING', 'SUSPENDING', 'RESUMING']);

/** The times in which a part was under way. @param part - null: the flow. */
export function periodsOf({ entries, placesOf }: HistoryView, part: number | null): readonly Period[] {
  const periods: Period[] = [];
  for (const place of placesOf(part)) {
    const entry = entries[place];
    if (entry === undefined) continue;
    const last = periods.at(-1);
    if (last?.to === null) periods[periods.length - 1] = { ...last, to: entry.at, outcome: entry.to };
    if (UNDER_WAY.has(entry.to)) periods.push({ from: entry.at, to: null, state: entry.to ?? '', outcome: null });
  }
  return periods;
}

interface HistoryView {
  readonly entries: History['entries'];
  readonly placesOf: (part: number | null) => readonly number[];
}

/** Times that a scale is marked at: round ones, at most so many. */
export function ticks(length: number, most = 6): readonly number[] {
  if (length <= 0) return [0];
  const least = length / most;
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)));
  // No shorter than what a clock tells.
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= Math.max(1, least)) ?? least;
  return Array.from({ length: Math.floor(length / step) + 1 }, (_, at) => at * step);
}
