import type { Place } from '../flow-layout.js';
import type { PicturePart } from '../run-picture.js';

type Direction = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

const DIRECTIONS: Readonly<Record<Direction, readonly [x: number, y: number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** How much further away what is to the side counts. */
const SIDEWAYS = 2.5;

type Point = readonly [x: number, y: number];

/**
 * The part that one comes to with an arrow key: the nearest in that direction of the same flow, or of all where there is
 * none. Down from a flow leads into it, and up from what is at its top to the flow.
 */
export function partBeside(
  parts: readonly PicturePart[],
  places: readonly (Place | undefined)[],
  from: number,
  key: string,
): number | null {
  const direction = DIRECTIONS[key as Direction] as Point | undefined;
  const start = places[from];
  if (direction === undefined || start === undefined) return null;
  const isFlow = (part: number) => parts[part]?.kind === 'flow';
  const shown = places.flatMap((place, part) => (place === undefined || part === from ? [] : [part]));
  const nearest = (candidates: readonly number[], [x, y]: Point) => {
    let found: number | null = null;
    let least = Infinity;
    for (const part of candidates) {
      const place = places[part];
      if (place === undefined) continue;
      const distance = distanceTo(middle(place, isFlow(part)), [x, y], direction);
      if (distance < least) [found, least] = [part, distance];
    }
    return found;
  };
  const inside = shown.filter((part) => parts[part]?.parent === from);
  if (key === 'ArrowDown' && inside.length > 0) return nearest(inside, [start.x + start.width / 2, start.y]);
  const parent = parts[from]?.parent ?? null;
  const siblings = shown.filter((part) => parts[part]?.parent === parent);
  const at = middle(start, isFlow(from));
  return nearest(siblings, at) ?? (key === 'ArrowUp' ? parent : nearest(shown, at));
}

/** Infinite for what is not in that direction. */
function distanceTo([x, y]: Point, [fromX, fromY]: Point, [right, down]: Point): number {
  const along = (x - fromX) * right + (y - fromY) * down;
  const aside = Math.abs((x - fromX) * down) + Math.abs((y - fromY) * right);
  return along < 4 ? Infinity : along + aside * SIDEWAYS;
}

/** Flows stand where their names do. */
function middle({ x, y, width, height }: Place, isFlow: boolean): Point {
  return isFlow ? [x + width / 2, y + 15] : [x + width / 2, y + height / 2];
}
