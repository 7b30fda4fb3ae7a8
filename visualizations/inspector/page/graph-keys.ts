import type { Place } from '../flow-layout.js';

type Direction = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

const DIRECTIONS: Readonly<Record<Direction, readonly [x: number, y: number]>> = {
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
};

/** How much further away what is to the side counts. */
const SIDEWAYS = 2.5;

/** The part that one comes to with an arrow key: the nearest in that direction. Flows stand where their names do. */
export function partBeside(
  places: readonly (Place | undefined)[],
  from: number,
  key: string,
  isFlow: (part: number) => boolean,
): number | null {
  const direction = DIRECTIONS[key as Direction] as readonly [number, number] | undefined;
  const start = places[from];
  if (direction === undefined || start === undefined) return null;
  const [fromX, fromY] = middle(start, isFlow(from));
  const [right, down] = direction;
  let nearest: number | null = null;
  let least = Infinity;
  places.forEach((place, part) => {
    if (place === undefined || part === from) return;
    const [x, y] = middle(place, isFlow(part));
    const along = (x - fromX) * right + (y - fromY) * down;
    const aside = Math.abs((x - fromX) * down) + Math.abs((y - fromY) * right);
    if (along < 4) return;
    const distance = along + aside * SIDEWAYS;
    if (distance < least) [nearest, least] = [part, distance];
  });
  return nearest;
}

function middle({ x, y, width, height }: Place, isFlow: boolean): readonly [number, number] {
  return isFlow ? [x + Math.min(width, 160) / 2, y + 15] : [x + width / 2, y + height / 2];
}
