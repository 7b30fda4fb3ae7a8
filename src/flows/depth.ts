import { listed, shown } from '../atoms/arguments.js';

/** How far it reaches when a decider says no, the widest first. */
export const DEPTHS = ['ALL', 'FLOW', 'NEIGHBORS', 'ATOM'] as const;

/**
 * How far it reaches when a decider says no: everything that follows (`ALL`), what follows in the same flow (`FLOW`),
 * what follows directly (`NEIGHBORS`), or the atom alone (`ATOM`).
 */
export type Depth = (typeof DEPTHS)[number];

/**
 * Reads a depth, in any letter case.
 *
 * @throws {TypeError} when it is no text.
 * @throws {RangeError} when it is no depth.
 * @see TaskFlow `deciders.py`, `Depth.translate`.
 */
export function translateDepth(depth: unknown): Depth {
  if (typeof depth !== 'string') {
    throw new TypeError(`depth takes one of ${listed(DEPTHS)}, got ${shown(depth)}`);
  }
  const upper = depth.toUpperCase();
  const found = DEPTHS.find((each) => each === upper);
  if (found === undefined) {
    throw new RangeError(`depth takes one of ${listed([...DEPTHS].sort())}, got ${shown(depth)}`);
  }
  return found;
}

/**
 * The depth that reaches farthest.
 *
 * @throws {RangeError} when there is none, or one is unknown.
 * @see TaskFlow `deciders.py`, `pick_widest`.
 */
export function pickWidest(depths: Iterable<Depth>): Depth {
  const given = new Set<unknown>(depths);
  for (const depth of given) {
    if (!DEPTHS.some((each) => each === depth)) {
      throw new RangeError(`depth takes one of ${listed([...DEPTHS].sort())}, got ${shown(depth)}`);
    }
  }
  const widest = DEPTHS.find((each) => given.has(each));
  if (widest === undefined) throw new RangeError('pickWidest takes at least one depth, got none');
  return widest;
}
