import type { History, Moment } from './history.js';
import type { AtomFacts, PictureFailure } from './run-picture.js';

/** Something of an atom at a moment: there, not there yet, or there once and not kept since. */
export type Known<Value> = { readonly value: Value } | 'none' | 'not kept';

export interface FactsAt {
  readonly arguments: Known<readonly (string | null)[]>;
  readonly result: Known<string>;
  readonly failure: Known<PictureFailure>;
  readonly revertFailure: Known<PictureFailure>;
}

/**
 * What is known of an atom at a moment. A run keeps the values of the last time that an atom did something; those of
 * earlier times are gone, but for what the history says of failures.
 */
export function factsAt(facts: AtomFacts | undefined, part: number, history: History, moment: Moment): FactsAt {
  const places = history.placesOf(part);
  const isNow = moment.count === history.entries.length;
  const lastOf = (state: string) => places.findLast((place) => history.entries[place]?.to === state) ?? -1;
  const before = places.filter((place) => place < moment.count);
  const hadBeen = (state: string) => before.findLast((place) => history.entries[place]?.to === state) ?? -1;
  /** Since it was last taken back to its beginning. */
  const isSince = (place: number) => place > hadBeen('PENDING');

  const kept = <Value>(state: string, value: Value | null): Known<Value> => {
    if (isNow || places.length === 0) return value === null ? 'none' : { value };
    const then = hadBeen(state);
    if (then < 0 || !isSince(then)) return 'none';
    return then === lastOf(state) && value !== null ? { value } : 'not kept';
  };
  const failed = (state: string, value: PictureFailure | null): Known<PictureFailure> => {
    const found = kept(state, value);
    const cause = history.entries[hadBeen(state)]?.cause ?? null;
    return found === 'not kept' && cause !== null ? { value: { message: cause, stack: null } } : found;
  };
  const args = facts?.arguments ?? [];
  return {
    arguments: kept('RUNNING', args.length > 0 ? args : null),
    result: kept('SUCCESS', facts?.result ?? null),
    failure: failed('FAILURE', facts?.failure ?? null),
    revertFailure: failed('REVERT_FAILURE', facts?.revertFailure ?? null),
  };
}
