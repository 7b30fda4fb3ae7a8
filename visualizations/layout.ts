import { layout as dagreLayout } from '@dagrejs/dagre';
import { Graph } from '@dagrejs/graphlib';
import { headOf, type Point, type Rectangle, type Size, sizeOfLeaf, sizeOfNotes, sizeOfText } from './measures.js';
import { type Arrow, type Box, Nesting, type Picture } from './picture.js';

export interface PlacedArrow {
  readonly arrow: Arrow;
  /** From the border of one box to the border of the other. */
  readonly points: readonly Point[];
  /** The middle of what is said at the arrow. */
  readonly label: Point;
}

export interface Layout extends Size {
  readonly boxes: ReadonlyMap<string, Rectangle>;
  readonly arrows: readonly PlacedArrow[];
}

const PADDING = 18;
const GAP = 28;
const MARGIN = 16;
/** Boxes without links stand beside each other up to this width. */
const ROW_WIDTH = 720;

interface NodeLabel extends Size {
  x?: number;
  y?: number;
}

interface EdgeLabel extends Size {
  readonly labelpos: 'c';
  points?: Point[];
  x?: number;
  y?: number;
}

type DagreGraph = Graph<object, NodeLabel, EdgeLabel>;

// Its declarations cannot be resolved from ES modules.
const arrange = dagreLayout as (graph: DagreGraph) => unknown;

/** The inside of one box: its children, seen from its upper left corner, and the arrows between them. */
interface Inside extends Size {
  readonly boxes: ReadonlyMap<string, Point>;
  readonly arrows: ReadonlyMap<Arrow, { readonly points: readonly Point[]; readonly label: Point }>;
}

/**
 * Finds a place for everything: each box is laid out by itself, the innermost first, and then is one node of the box
 * around it. An arrow belongs to the innermost box around both of its ends.
 */
export function layOut(picture: Picture): Layout {
  const nesting = new Nesting(picture);
  const owned = arrowsByOwner(picture, nesting);
  const sizes = new Map<string, Size>();
  const insides = new Map<string | null, Inside>();
  for (const box of picture.boxes.toReversed()) {
    if (nesting.childrenOf(box.id).length === 0) sizes.set(box.id, sizeOfLeaf(box));
    else {
      const inside = insideOf(box, nesting, owned.get(box.id) ?? [], sizes);
      sizes.set(box.id, inside);
      insides.set(box.id, inside);
    }
  }
  const outside = insideOf(null, nesting, owned.get(null) ?? [], sizes);
  insides.set(null, outside);
  return { width: outside.width, height: outside.height, ...placed(picture, insides, sizes) };
}

interface OwnedArrow {
  readonly arrow: Arrow;
  /** The children of the owner that the arrow leads between. */
  readonly from: string;
  readonly to: string;
}

function arrowsByOwner({ arrows }: Picture, nesting: Nesting): Map<string | null, OwnedArrow[]> {
  const owned = new Map<string | null, OwnedArrow[]>();
  for (const arrow of arrows) {
    const from = nesting.pathTo(arrow.from);
    const to = nesting.pathTo(arrow.to);
    // A loop stays in the box around its own.
    const shared = arrow.from === arrow.to ? from.length - 1 : from.findIndex((id, depth) => id !== to[depth]);
    const [start, end] = [from[shared], to[shared]];
    if (start === undefined || end === undefined)
      throw new RangeError(`The arrow from ${arrow.from} leads into itself`);
    const owner = from[shared - 1] ?? null;
    const known = owned.get(owner);
    if (known === undefined) owned.set(owner, [{ arrow, from: start, to: end }]);
    else known.push({ arrow, from: start, to: end });
  }
  return owned;
}

function insideOf(
  box: Box | null,
  nesting: Nesting,
  arrows: readonly OwnedArrow[],
  sizes: ReadonlyMap<string, Size>,
): Inside {
  const sizeOf = (id: string): Size => sizes.get(id) ?? { width: 0, height: 0 };
  const head = box === null ? [] : headOf(box.id, nesting);
  const body = nesting.childrenOf(box?.id ?? null).filter((child) => !head.includes(child));
  const title = box === null ? { width: 0, height: MARGIN - PADDING } : sizeOfText(box);
  const boxes = new Map<string, Point>();

  let { width } = title;
  let y = PADDING + title.height + (head.length > 0 ? 8 : 0);
  for (const child of head) {
    boxes.set(child.id, { x: PADDING, y });
    width = Math.max(width, sizeOf(child.id).width);
    y += sizeOf(child.id).height;
  }
  if (box !== null) y += PADDING;
  const content = arrows.length === 0 ? inRows(body, sizeOf) : alongArrows(body, arrows, sizeOf);
  width = Math.max(width, content.width);
  // What is in the box stands in its middle.
  const shift = { x: PADDING + (width - content.width) / 2, y };
  for (const [id, point] of content.boxes) boxes.set(id, moved(point, shift));
  return {
    width: width + 2 * PADDING,
    height: y + content.height + (body.length > 0 ? PADDING : 0),
    boxes,
    arrows: new Map(
      [...content.arrows].map(([arrow, { points, label }]) => [
        arrow,
        { points: points.map((point) => moved(point, shift)), label: moved(label, shift) },
      ]),
    ),
  };
}

function inRows(boxes: readonly Box[], sizeOf: (id: string) => Size): Inside {
  const places = new Map<string, Point>();
  let [x, y, width, bottom] = [0, 0, 0, 0];
  for (const { id } of boxes) {
    const size = sizeOf(id);
    if (x > 0 && x + size.width > ROW_WIDTH) [x, y] = [0, bottom + GAP];
    places.set(id, { x, y });
    width = Math.max(width, x + size.width);
    bottom = Math.max(bottom, y + size.height);
    x += size.width + GAP;
  }
  return { width, height: bottom, boxes: places, arrows: new Map() };
}

function alongArrows(boxes: readonly Box[], arrows: readonly OwnedArrow[], sizeOf: (id: string) => Size): Inside {
  const graph: DagreGraph = new Graph({ directed: true, multigraph: true });
  graph.setGraph({ rankdir: 'TB', nodesep: GAP, edgesep: 20, ranksep: 36 });
  for (const { id } of boxes) graph.setNode(id, { ...sizeOf(id) });
  const labels = arrows.map(({ arrow, from, to }, index): EdgeLabel => {
    const { width, height } = sizeOfNotes(arrow.lines);
    const label: EdgeLabel = { width: width === 0 ? 0 : width + 10, height, labelpos: 'c' };
    graph.setEdge(from, to, label, `a${index}`);
    return label;
  });
  arrange(graph);
  const found = {
    boxes: new Map(
      boxes.map(({ id }) => {
        const { x = 0, y = 0, width, height } = graph.node(id);
        return [id, { x: x - width / 2, y: y - height / 2 }];
      }),
    ),
    arrows: new Map(
      arrows.map(({ arrow, from, to }, index) => {
        const { points = [], x = 0, y = 0 } = labels[index] ?? {};
        return [arrow, { points: from === to ? loopAt(graph.node(from)) : points, label: { x, y } }];
      }),
    ),
  };
  return fitting(found, boxes, sizeOf);
}

/** Out of the right side of a box and back, into the gap before what is said at it. */
function loopAt({ x = 0, y = 0, width }: NodeLabel): Point[] {
  const right = x + width / 2;
  const outer = right + GAP - 6;
  return [
    { x: right, y: y - 8 },
    { x: outer, y: y - 8 },
    { x: outer, y: y + 8 },
    { x: right, y: y + 8 },
  ];
}

/** Moves everything so that nothing, loops and labels included, is left of or above the corner. */
function fitting(found: Omit<Inside, keyof Size>, boxes: readonly Box[], sizeOf: (id: string) => Size): Inside {
  const corners: Point[] = boxes.flatMap(({ id }) => {
    const place = found.boxes.get(id) ?? { x: 0, y: 0 };
    return [place, moved(place, { x: sizeOf(id).width, y: sizeOf(id).height })];
  });
  for (const [arrow, { points, label }] of found.arrows) {
    const { width, height } = sizeOfNotes(arrow.lines);
    corners.push(
      ...points,
      moved(label, { x: -width / 2, y: -height / 2 }),
      moved(label, { x: width / 2, y: height / 2 }),
    );
  }
  const xs = corners.map(({ x }) => x);
  const ys = corners.map(({ y }) => y);
  const start = { x: -least(xs), y: -least(ys) };
  return {
    width: start.x - least(xs.map((x) => -x)),
    height: start.y - least(ys.map((y) => -y)),
    boxes: new Map([...found.boxes].map(([id, point]) => [id, moved(point, start)])),
    arrows: new Map(
      [...found.arrows].map(([arrow, { points, label }]) => [
        arrow,
        { points: points.map((point) => moved(point, start)), label: moved(label, start) },
      ]),
    ),
  };
}

/** Of any number of numbers. */
function least(numbers: readonly number[]): number {
  return numbers.reduce((one, other) => Math.min(one, other), Infinity);
}

/** From the places of everything in the box around it to places in the picture. */
function placed(
  { boxes }: Picture,
  insides: ReadonlyMap<string | null, Inside>,
  sizes: ReadonlyMap<string, Size>,
): Pick<Layout, 'boxes' | 'arrows'> {
  const rectangles = new Map<string, Rectangle>();
  const arrows: PlacedArrow[] = [];
  const corners = new Map<string | null, Point>([[null, { x: 0, y: 0 }]]);
  for (const box of boxes) {
    const corner = moved(insides.get(box.parent)?.boxes.get(box.id) ?? { x: 0, y: 0 }, corners.get(box.parent));
    corners.set(box.id, corner);
    rectangles.set(box.id, { ...corner, ...(sizes.get(box.id) ?? { width: 0, height: 0 }) });
  }
  for (const [owner, inside] of insides) {
    for (const [arrow, { points, label }] of inside.arrows) {
      const corner = corners.get(owner);
      const route = points.map((point) => moved(point, corner));
      arrows.push({ arrow, points: extended(arrow, route, rectangles), label: moved(label, corner) });
    }
  }
  return { boxes: rectangles, arrows };
}

/** Leads an arrow that ends at a box on to the box inside of it that is meant. */
function extended({ from, to }: Arrow, points: readonly Point[], boxes: ReadonlyMap<string, Rectangle>): Point[] {
  const route = [...points];
  const [first] = route;
  const last = route.at(-1);
  const [source, target] = [boxes.get(from), boxes.get(to)];
  if (first !== undefined && source !== undefined && !touches(source, first)) route.unshift(border(source, first));
  if (last !== undefined && target !== undefined && !touches(target, last)) route.push(border(target, last));
  return route;
}

function touches({ x, y, width, height }: Rectangle, point: Point): boolean {
  const near = 1;
  return point.x >= x - near && point.x <= x + width + near && point.y >= y - near && point.y <= y + height + near;
}

/** Where the line from a point to the middle of a rectangle meets its border. */
function border({ x, y, width, height }: Rectangle, from: Point): Point {
  const middle = { x: x + width / 2, y: y + height / 2 };
  const [dx, dy] = [from.x - middle.x, from.y - middle.y];
  const scale = Math.min(
    dx === 0 ? Infinity : width / 2 / Math.abs(dx),
    dy === 0 ? Infinity : height / 2 / Math.abs(dy),
  );
  return Number.isFinite(scale) ? { x: middle.x + dx * scale, y: middle.y + dy * scale } : middle;
}

function moved({ x, y }: Point, by: Point | undefined): Point {
  return { x: x + (by?.x ?? 0), y: y + (by?.y ?? 0) };
}
