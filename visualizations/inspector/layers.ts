import type { Arranged, ArrangedBox, ArrangedLink } from './arrange.js';
import { fairWidth, GAP_X, GAP_Y } from './arrange.js';
import type { PictureLink } from './run-picture.js';
import { spread } from './spread.js';

/** A box, or where a link passes a layer. */
interface Stop {
  readonly box: ArrangedBox | null;
  readonly width: number;
  readonly height: number;
  readonly above: Stop[];
  readonly below: Stop[];
  layer: number;
  /** The place in its row. */
  order: number;
  x: number;
  y: number;
}

const PASSING_WIDTH = 10;
const SWEEPS = 6;
/** More places in which links pass layers than this are not found; links then lead straight on. */
const MOST_PASSING = 4000;

/**
 * Boxes in layers, each below all that lead to it: layers by the longest way, crossings avoided by putting each box
 * near the middle of what it is linked to, and a layer that is too wide broken into rows.
 *
 * @see K. Sugiyama, S. Tagawa, M. Toda: Methods for visual understanding of hierarchical system structures, 1981.
 */
export class Layers {
  readonly #boxes: readonly ArrangedBox[];
  readonly #links: readonly PictureLink[];
  readonly #stops = new Map<number, Stop>();
  readonly #ways: { readonly link: PictureLink; readonly stops: readonly Stop[] }[] = [];
  readonly #layers: Stop[][] = [];

  constructor(boxes: readonly ArrangedBox[], links: readonly PictureLink[]) {
    this.#boxes = boxes;
    this.#links = links;
  }

  arranged(): Arranged {
    this.#rank();
    this.#connect();
    this.#order();
    const rows = this.#rows();
    this.#place(rows);
    return this.#result(rows);
  }

  /** The number of a layer is the length of the longest way to it. */
  #rank(): void {
    const waiting = new Map<number, number>(this.#boxes.map(({ id }) => [id, 0]));
    const next = new Map<number, number[]>(this.#boxes.map(({ id }) => [id, []]));
    for (const { from, to } of this.#links) {
      waiting.set(to, (waiting.get(to) ?? 0) + 1);
      next.get(from)?.push(to);
    }
    for (const box of this.#boxes) {
      const { width, height } = box;
      this.#stops.set(box.id, { box, width, height, above: [], below: [], layer: 0, order: 0, x: 0, y: 0 });
    }
    const ready = this.#boxes.filter(({ id }) => waiting.get(id) === 0).map(({ id }) => id);
    for (const id of ready) {
      const layer = this.#stops.get(id)?.layer ?? 0;
      for (const to of next.get(id) ?? []) {
        const stop = this.#stops.get(to);
        if (stop !== undefined) stop.layer = Math.max(stop.layer, layer + 1);
        const left = (waiting.get(to) ?? 0) - 1;
        waiting.set(to, left);
        if (left === 0) ready.push(to);
      }
    }
    for (const id of ready) this.#add(this.#stops.get(id));
  }

  #add(stop: Stop | undefined): void {
    if (stop === undefined) return;
    while (this.#layers.length <= stop.layer) this.#layers.push([]);
    const layer = this.#layers[stop.layer] ?? [];
    stop.order = layer.length;
    layer.push(stop);
  }

  #connect(): void {
    let passing = 0;
    for (const link of this.#links) {
      const from = this.#stops.get(link.from);
      const to = this.#stops.get(link.to);
      if (from === undefined || to === undefined) continue;
      const stops = [from];
      const between = to.layer - from.layer - 1;
      if (passing + between <= MOST_PASSING) {
        passing += between;
        for (let layer = from.layer + 1; layer < to.layer; layer++) {
          const stop: Stop = {
            ...{ box: null, width: PASSING_WIDTH, height: 0, above: [], below: [] },
            ...{ layer, order: 0, x: 0, y: 0 },
          };
          this.#add(stop);
          stops.push(stop);
        }
      }
      stops.push(to);
      for (const [at, stop] of stops.entries()) {
        const after = stops[at + 1];
        if (after === undefined) break;
        stop.below.push(after);
        after.above.push(stop);
      }
      this.#ways.push({ link, stops });
    }
  }

  #order(): void {
    const down = this.#layers.slice(1);
    const up = this.#layers.slice(0, -1).reverse();
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const isDown = sweep % 2 === 0;
      for (const layer of isDown ? down : up) {
        const middles = new Map(layer.map((stop) => [stop, middleOf(isDown ? stop.above : stop.below, stop.order)]));
        layer.sort((one, other) => (middles.get(one) ?? 0) - (middles.get(other) ?? 0));
        for (const [order, stop] of layer.entries()) stop.order = order;
      }
    }
  }

  /** Layers that are too wide are several rows. */
  #rows(): Stop[][] {
    const widest = fairWidth(this.#boxes);
    return this.#layers.flatMap((layer) => {
      const total = layer.reduce((sum, { width }) => sum + width + GAP_X, 0);
      const each = total / Math.ceil(total / widest);
      const rows: Stop[][] = [[]];
      let width = 0;
      for (const stop of layer) {
        if (width > 0 && width + stop.width > each + 1) {
          rows.push([]);
          width = 0;
        }
        rows.at(-1)?.push(stop);
        width += stop.width + GAP_X;
      }
      return rows;
    });
  }

  #place(rows: readonly Stop[][]): void {
    let y = 0;
    for (const row of rows) {
      const height = Math.max(0, ...row.map((stop) => stop.height));
      let x = -row.reduce((sum, { width }) => sum + width + GAP_X, -GAP_X) / 2;
      for (const stop of row) {
        stop.x = x + stop.width / 2;
        stop.y = y + (height - stop.height) / 2;
        x += stop.width + GAP_X;
      }
      y += height + GAP_Y;
    }
    for (let sweep = 0; sweep < SWEEPS; sweep++) {
      const isDown = sweep % 2 === 0;
      for (const row of isDown ? rows : rows.toReversed()) {
        const wanted = row.map((stop) => {
          const beside = isDown ? stop.above : stop.below;
          return beside.length === 0 ? stop.x : beside.reduce((sum, { x }) => sum + x, 0) / beside.length;
        });
        const found = spread(
          wanted,
          row.map(({ width }) => width + GAP_X),
        );
        for (const [at, stop] of row.entries()) stop.x = found[at] ?? stop.x;
      }
    }
  }

  #result(rows: readonly Stop[][]): Arranged {
    const all = rows.flat();
    const left = all.reduce((least, { x, width }) => Math.min(least, x - width / 2), Infinity);
    const right = all.reduce((most, { x, width }) => Math.max(most, x + width / 2), -Infinity);
    const height = all.reduce((most, { y, height: own }) => Math.max(most, y + own), 0);
    const boxes = new Map<number, readonly [number, number]>();
    for (const { box, x, y, width } of all) if (box !== null) boxes.set(box.id, [x - width / 2 - left, y]);
    const links = this.#ways.map(({ link, stops }): ArrangedLink => {
      const last = stops.length - 1;
      const points = stops.map(({ x, y, height: own }, at) => [x - left, at === 0 ? y + own : y] as const);
      return { link, points: last < 0 ? [] : points };
    });
    return { width: all.length === 0 ? 0 : right - left, height, boxes, links };
  }
}

function middleOf(stops: readonly Stop[], otherwise: number): number {
  return stops.length === 0 ? otherwise : stops.reduce((sum, { order }) => sum + order, 0) / stops.length;
}
