import type { FlowLayout, Place, PlacedLink } from '../flow-layout.js';
import type { PicturePart } from '../run-picture.js';
import { nameText } from './words.js';

type Point = readonly [x: number, y: number];

/** So many names of symbols are said at links; where there are more, only those of the selected part. */
const MOST_LABELS = 120;

interface GraphLinksProps {
  readonly layout: FlowLayout;
  readonly selected: number | null;
}

/** The links between parts, with the data that go along them. */
export function GraphLinks({ layout: { links }, selected }: GraphLinksProps) {
  const labelled = links.filter(({ link }) => link.carries.length > 0 || link.decider !== null);
  const areAllSaid = labelled.length <= MOST_LABELS;
  const [leaving, arriving] = [countBy(links, 'from'), countBy(links, 'to')];
  const isTouched = ({ link }: PlacedLink) => link.from === selected || link.to === selected;
  return (
    <g>
      {links.map((placed) => (
        <path
          key={`${placed.link.from} ${placed.link.to}`}
          class={`link ${placed.link.decider === null ? '' : 'decided'} ${isTouched(placed) ? 'touched' : ''}`}
          d={curve(placed.points)}
          marker-end={isTouched(placed) ? 'url(#head-touched)' : 'url(#head)'}
        />
      ))}
      {labelled
        .filter((placed) => areAllSaid || isTouched(placed))
        .map((placed) => (
          <Label
            key={`${placed.link.from} ${placed.link.to}`}
            placed={placed}
            share={labelShare(leaving.get(placed.link.from) ?? 0, arriving.get(placed.link.to) ?? 0)}
          />
        ))}
    </g>
  );
}

function countBy(links: readonly PlacedLink[], end: 'from' | 'to'): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { link } of links) counts.set(link[end], (counts.get(link[end]) ?? 0) + 1);
  return counts;
}

/** How far along a link its label stands: where many leave together it is nearer to the other end. */
function labelShare(leaving: number, arriving: number): number {
  if (leaving > 1 && arriving <= 1) return 0.7;
  return arriving > 1 && leaving <= 1 ? 0.3 : 0.5;
}

interface LabelProps {
  readonly placed: PlacedLink;
  readonly share: number;
}

function Label({ placed: { link, points }, share }: LabelProps) {
  // On the first piece of the way where it stands near its beginning, otherwise on the last.
  const [from, to] = (share < 0.5 ? points.slice(0, 2) : points.slice(-2)) as [Point, Point];
  const y = from[1] + (to[1] - from[1]) * share;
  const x = from[0] + (to[0] - from[0]) * share * share * (3 - 2 * share);
  const data = link.carries.map((symbol) => nameText(symbol)).join(', ');
  const decider = link.decider === null ? '' : `◆ decider: ${link.decider.toLowerCase()}`;
  const lines = [data, decider].filter((line) => line !== '');
  return (
    <g class="label">
      <title>{lines.join(' ')}</title>
      {lines.map((line, at) => (
        <text
          key={line}
          class={line === decider ? 'decider' : ''}
          x={x}
          y={y + 3.5 + (at - (lines.length - 1) / 2) * 13}
        >
          {nameText(line, 26)}
        </text>
      ))}
    </g>
  );
}

/** Where the selected atom's arguments come from, and where its results go, across all flows. */
export function DataLinks({
  parts,
  layout: { places },
  selected,
}: {
  readonly parts: readonly PicturePart[];
  readonly layout: FlowLayout;
  readonly selected: number | null;
}) {
  if (selected === null) return null;
  const ways = dataWays(parts, selected).flatMap(({ from, to }) => {
    const [source, target] = [shownAt(parts, places, from), shownAt(parts, places, to)];
    return source === undefined || target === undefined || source === target ? [] : [{ from, to, source, target }];
  });
  return (
    <g>
      {ways.map(({ from, to, source, target }) => (
        <path key={`${from} ${to}`} class="data" d={arc(source, target)} marker-end="url(#head-data)" />
      ))}
    </g>
  );
}

/** Between which atoms data go that the selected one takes or gives. */
export function dataWays(parts: readonly PicturePart[], selected: number): { from: number; to: number }[] {
  const sources = new Set((parts[selected]?.takes ?? []).flatMap(({ from }) => from));
  const takers = parts.flatMap(({ takes }, part) => (takes.some(({ from }) => from.includes(selected)) ? [part] : []));
  return [...[...sources].map((from) => ({ from, to: selected })), ...takers.map((to) => ({ from: selected, to }))];
}

/** The place of a part, or of the folded flow that it is in. */
function shownAt(
  parts: readonly PicturePart[],
  places: readonly (Place | undefined)[],
  part: number,
): Place | undefined {
  for (let at: number | null = part; at !== null; at = parts[at]?.parent ?? null) {
    const place = places[at];
    if (place !== undefined) return place;
  }
  return undefined;
}

function arc(from: Place, to: Place): string {
  const start: Point = [from.x + from.width / 2, from.y + from.height];
  const end: Point = [to.x + to.width / 2, to.y];
  const bend = Math.max(24, Math.abs(end[1] - start[1]) / 2);
  return `M${start[0]},${start[1]} C${start[0]},${start[1] + bend} ${end[0]},${end[1] - bend} ${end[0]},${end[1] - 1}`;
}

/** A line from layer to layer that leaves and enters each from above. Level and upright pieces are drawn straight. */
function curve(points: readonly Point[]): string {
  const [first] = points;
  if (first === undefined) return '';
  let path = `M${first[0]},${first[1]}`;
  const isStepped = points.length > 2 && points.every(([x, y], at) => at === 0 || isStraight(points[at - 1], [x, y]));
  points.forEach(([x, y], at) => {
    const before = points[at - 1];
    if (before === undefined) return;
    const end = at === points.length - 1 ? y - 1 : y;
    const middle = (before[1] + y) / 2;
    path += isStepped ? ` L${x},${end}` : ` C${before[0]},${middle} ${x},${middle} ${x},${end}`;
  });
  return path;
}

function isStraight(from: Point | undefined, to: Point): boolean {
  return from !== undefined && (from[0] === to[0] || from[1] === to[1]);
}
