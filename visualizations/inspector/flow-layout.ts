import { columnsOf, visible } from '../text.js';
import type { Arranged, ArrangedBox } from './arrange.js';
import { inChain, inGrid } from './arrange.js';
import { Layers } from './layers.js';
import type { PictureLink, PicturePart } from './run-picture.js';

export interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedLink {
  readonly link: PictureLink;
  /** From the border of one part to the border of the other. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface FlowLayout {
  readonly width: number;
  readonly height: number;
  /** By part; undefined for those inside of a flow that is folded. */
  readonly places: readonly (Place | undefined)[];
  readonly links: readonly PlacedLink[];
}

export const HEAD = 30;
const LEAF_HEIGHT = 42;
const PADDING = 16;
const MARGIN = 12;
const NARROWEST = 104;
const WIDEST = 232;
const COLUMN = 7.5;

/** The longest name that is written out in a box, in columns. */
export const LONGEST_NAME = 27;

interface Inside {
  readonly width: number;
  readonly height: number;
  /** From the corner of the flow. */
  readonly boxes: ReadonlyMap<number, readonly [x: number, y: number]>;
  readonly links: readonly PlacedLink[];
}

/**
 * Finds a place for every part of a flow, the innermost flows first. Takes about as long for each part and link however
 * many there are.
 *
 * @param folded - Flows that are shown as one box.
 */
export function layOutFlow(
  parts: readonly PicturePart[],
  links: readonly PictureLink[],
  folded: ReadonlySet<number> = new Set(),
): FlowLayout {
  const children: number[][] = parts.map(() => []);
  const hidden = parts.map(() => false);
  parts.forEach(({ parent }, part) => {
    if (parent === null) return;
    hidden[part] = hidden[parent] === true || folded.has(parent);
    if (!hidden[part]) children[parent]?.push(part);
  });
  const inside = new Map<number, PictureLink[]>();
  for (const link of links) {
    const parent = parts[link.to]?.parent ?? null;
    if (parent === null || hidden[link.to] === true) continue;
    const known = inside.get(parent);
    if (known === undefined) inside.set(parent, [link]);
    else known.push(link);
  }

  const sizes: ArrangedBox[] = parts.map((part, id) => ({ id, ...leafSize(part) }));
  const insides = new Map<number, Inside>();
  for (let id = parts.length - 1; id >= 0; id--) {
    const part = parts[id];
    if (part?.kind !== 'flow' || hidden[id] === true || folded.has(id)) continue;
    const arranged = insideOf(part, children[id] ?? [], inside.get(id) ?? [], parts, sizes);
    insides.set(id, arranged);
    sizes[id] = { id, width: arranged.width, height: arranged.height };
  }
  return placed(parts, hidden, sizes, insides);
}

function leafSize({ kind, name }: PicturePart): { readonly width: number; readonly height: number } {
  const columns = Math.min(columnsOf(visible(name)), LONGEST_NAME) + (kind === 'task' ? 0 : 2);
  return { width: Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(columns * COLUMN) + 36)), height: LEAF_HEIGHT };
}

function insideOf(
  flow: PicturePart,
  children: readonly number[],
  links: readonly PictureLink[],
  parts: readonly PicturePart[],
  sizes: readonly ArrangedBox[],
): Inside {
  const boxOf = (id: number): ArrangedBox => sizes[id] ?? { id, width: 0, height: 0 };
  const isRetry = (id: number) => parts[id]?.kind === 'retry';
  const retries = children.filter(isRetry).map(boxOf);
  const body = children.filter((id) => !isRetry(id)).map(boxOf);
  const arranged = arrange(flow, body, links);
  const title = Math.min(columnsOf(visible(flow.name)), LONGEST_NAME) * COLUMN + (flow.pattern ?? '').length * 6 + 60;
  const width = Math.max(arranged.width, title, ...retries.map((retry) => retry.width));
  const boxes = new Map<number, readonly [number, number]>();
  let y = HEAD + 4;
  for (const retry of retries) {
    boxes.set(retry.id, [PADDING, y]);
    y += retry.height + PADDING;
  }
  const x = PADDING + (width - arranged.width) / 2;
  for (const [id, [left, top]] of arranged.boxes) boxes.set(id, [left + x, top + y]);
  return {
    width: width + 2 * PADDING,
    height: y + arranged.height + (body.length > 0 ? PADDING : 0),
    boxes,
    links: arranged.links.map(({ link, points }) => ({
      link,
      points: points.map(([left, top]) => [left + x, top + y] as const),
    })),
  };
}

function arrange(flow: PicturePart, body: readonly ArrangedBox[], links: readonly PictureLink[]): Arranged {
  if (links.length === 0) return inGrid(body);
  return flow.pattern === 'linear' ? inChain(body, links) : new Layers(body, links).arranged();
}

function placed(
  parts: readonly PicturePart[],
  hidden: readonly boolean[],
  sizes: readonly ArrangedBox[],
  insides: ReadonlyMap<number, Inside>,
): FlowLayout {
  const places: (Place | undefined)[] = [];
  const links: PlacedLink[] = [];
  parts.forEach(({ parent }, id) => {
    const size = sizes[id];
    if (hidden[id] === true || size === undefined) return;
    const around = parent === null ? undefined : places[parent];
    const [x, y] = (parent === null ? undefined : insides.get(parent)?.boxes.get(id)) ?? [MARGIN, MARGIN];
    const place = {
      x: (around?.x ?? 0) + x,
      y: (around?.y ?? 0) + y,
      width: size.width,
      height: size.height,
    };
    places[id] = place;
    for (const { link, points } of insides.get(id)?.links ?? []) {
      links.push({ link, points: points.map(([left, top]) => [left + place.x, top + place.y] as const) });
    }
  });
  const [root] = places;
  return { width: (root?.width ?? 0) + 2 * MARGIN, height: (root?.height ?? 0) + 2 * MARGIN, places, links };
}
