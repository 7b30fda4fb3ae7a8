import type { PictureLink } from './run-picture.js';

export interface ArrangedBox {
  readonly id: number;
  readonly width: number;
  readonly height: number;
}

export interface ArrangedLink {
  readonly link: PictureLink;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** Boxes beside each other, seen from their upper left corner. */
export interface Arranged {
  readonly width: number;
  readonly height: number;
  readonly boxes: ReadonlyMap<number, readonly [x: number, y: number]>;
  readonly links: readonly ArrangedLink[];
}

export const GAP_X = 22;
export const GAP_Y = 40;
/** How much wider than high a picture may be. */
const RATIO = 1.7;
/** A chain of so many stands in one column. */
const COLUMN_OF = 9;

/** How wide a picture of these boxes is to be, so that most of it fits a screen. */
export function fairWidth(boxes: readonly ArrangedBox[]): number {
  const area = boxes.reduce((sum, { width, height }) => sum + (width + GAP_X) * (height + GAP_Y), 0);
  return Math.max(640, Math.sqrt(area * RATIO));
}

/** In rows, for boxes that have no order. */
export function inGrid(boxes: readonly ArrangedBox[]): Arranged {
  const widest = fairWidth(boxes);
  const places = new Map<number, readonly [number, number]>();
  let [x, y, width, bottom] = [0, 0, 0, 0];
  for (const box of boxes) {
    if (x > 0 && x + box.width > widest) [x, y] = [0, bottom + GAP_X];
    places.set(box.id, [x, y]);
    width = Math.max(width, x + box.width);
    bottom = Math.max(bottom, y + box.height);
    x += box.width + GAP_X;
  }
  return { width, height: bottom, boxes: places, links: [] };
}

/** One below the other; a long chain goes on in the next column. */
export function inChain(boxes: readonly ArrangedBox[], links: readonly PictureLink[]): Arranged {
  const total = boxes.reduce((sum, { height }) => sum + height + GAP_Y, 0);
  const highest = boxes.length <= COLUMN_OF ? Infinity : Math.max(420, total / columnsFor(boxes));
  const columns: ArrangedBox[][] = [[]];
  let height = 0;
  for (const box of boxes) {
    const column = columns.at(-1) ?? [];
    if (column.length > 0 && height + box.height > highest) {
      columns.push([box]);
      height = box.height + GAP_Y;
    } else {
      column.push(box);
      height += box.height + GAP_Y;
    }
  }
  const places = new Map<number, readonly [number, number]>();
  const columnOf = new Map<number, number>();
  const lefts: number[] = [];
  let x = 0;
  let bottom = 0;
  columns.forEach((column, at) => {
    const width = Math.max(0, ...column.map((box) => box.width));
    lefts.push(x);
    let y = 0;
    for (const box of column) {
      places.set(box.id, [x + (width - box.width) / 2, y]);
      columnOf.set(box.id, at);
      y += box.height + GAP_Y;
    }
    bottom = Math.max(bottom, y - GAP_Y);
    x += width + 2 * GAP_X;
  });
  const sizes = new Map(boxes.map((box) => [box.id, box]));
  const drawn = links.map((link): ArrangedLink => {
    const [from, to] = [places.get(link.from) ?? [0, 0], places.get(link.to) ?? [0, 0]];
    const [source, target] = [sizes.get(link.from), sizes.get(link.to)];
    const start = [from[0] + (source?.width ?? 0) / 2, from[1] + (source?.height ?? 0)] as const;
    const end = [to[0] + (target?.width ?? 0) / 2, to[1]] as const;
    const next = columnOf.get(link.to) ?? 0;
    if (columnOf.get(link.from) === next) return { link, points: [start, end] };
    // Down, up between the two columns, and into the next from above.
    const between = (lefts[next] ?? 0) - GAP_X;
    const [low, high] = [start[1] + GAP_X / 2, end[1] - GAP_X / 2];
    return { link, points: [start, [start[0], low], [between, low], [between, high], [end[0], high], end] };
  });
  return { width: Math.max(0, x - 2 * GAP_X), height: Math.max(0, bottom), boxes: places, links: drawn };
}

function columnsFor(boxes: readonly ArrangedBox[]): number {
  const width = boxes.reduce((sum, box) => sum + box.width + 2 * GAP_X, 0) / boxes.length;
  return Math.max(1, Math.round(fairWidth(boxes) / width));
}
