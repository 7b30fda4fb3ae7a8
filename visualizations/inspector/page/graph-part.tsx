import { Component } from 'preact';
import { HEAD, LONGEST_NAME, type Place } from '../flow-layout.js';
import type { PicturePart } from '../run-picture.js';
import { nameText, stateText } from './words.js';

export interface GraphPartProps {
  readonly id: number;
  readonly part: PicturePart;
  readonly place: Place;
  /** null for a flow. */
  readonly state: string | null;
  readonly progress: number | null;
  readonly isSelected: boolean;
  /** Whether the selected atom takes something from it, or gives it something. */
  readonly isRelated: boolean;
  readonly isFound: boolean;
  /** Whether Tab leads to it. */
  readonly isEntry: boolean;
  /** How many atoms are in it, of a flow that is folded. */
  readonly foldedAtoms: number | null;
  /** States of the atoms in a flow that is folded, in words. */
  readonly inside: string;
}

/** One part of the flow. Drawn again only when something of it has changed: there may be thousands. */
export class GraphPart extends Component<GraphPartProps> {
  override shouldComponentUpdate(next: GraphPartProps): boolean {
    const now = this.props;
    return Object.keys(next).some((key) => next[key as keyof GraphPartProps] !== now[key as keyof GraphPartProps]);
  }

  override render(props: GraphPartProps) {
    return props.part.kind === 'flow' ? <FlowBox {...props} /> : <AtomBox {...props} />;
  }
}

function AtomBox(props: GraphPartProps) {
  const { id, part, place, state, progress, isEntry } = props;
  const { x, y, width, height } = place;
  const shown = state ?? 'PENDING';
  const isUnderWay = shown === 'RUNNING' || shown === 'REVERTING';
  return (
    <g
      class={`${classes(props)} is-${shown}`}
      transform={`translate(${x},${y})`}
      data-part={id}
      role="button"
      tabindex={isEntry ? 0 : -1}
      aria-pressed={props.isSelected}
      aria-label={`${nameText(part.name)}, ${part.kind}, ${stateText(shown)}`}
    >
      <title>{nameText(part.name)}</title>
      <rect class="body" width={width} height={height} rx={part.kind === 'retry' ? height / 2 : 8} />
      {/* What is wider than it was thought to be is cut off. */}
      <svg width={width - 6} height={height}>
        <text class="name" x={12} y={18}>
          {(part.kind === 'retry' ? '↻ ' : '') + nameText(part.name, LONGEST_NAME)}
        </text>
      </svg>
      <circle class="dot" cx={16} cy={30} r={3.5} />
      <text class="state" x={25} y={34}>
        {stateText(shown)}
      </text>
      {isUnderWay && progress !== null && progress > 0 ? (
        <rect class="progress" x={8} y={height - 4} width={(width - 16) * Math.min(1, progress)} height={2.5} rx={1} />
      ) : null}
    </g>
  );
}

function FlowBox(props: GraphPartProps) {
  const { id, part, place, isEntry, foldedAtoms, inside } = props;
  const { x, y, width, height } = place;
  const isFolded = foldedAtoms !== null;
  return (
    <g
      class={`${classes(props)} flow ${isFolded ? 'folded' : ''}`}
      transform={`translate(${x},${y})`}
      data-part={id}
      role="button"
      tabindex={isEntry ? 0 : -1}
      aria-pressed={props.isSelected}
      aria-expanded={!isFolded}
      aria-label={`${nameText(part.name)}, ${part.pattern ?? ''} flow${isFolded ? `, folded, ${inside}` : ''}`}
    >
      <title>{nameText(part.name)}</title>
      <rect class="body" width={width} height={height} rx={12} />
      <rect class="fold" data-fold={id} x={6} y={6} width={20} height={20} rx={5} />
      <path class="chevron" d={isFolded ? 'M13,11 l5,5 l-5,5' : 'M11,13 l5,5 l5,-5'} />
      <text class="name" x={31} y={isFolded ? 18 : HEAD - 10}>
        {nameText(part.name, LONGEST_NAME)}
        <tspan class="pattern" dx={8}>
          {isFolded ? '' : part.pattern}
        </tspan>
      </text>
      {isFolded ? (
        <text class="state" x={31} y={34}>
          {inside}
        </text>
      ) : null}
    </g>
  );
}

function classes({ part, isSelected, isRelated, isFound }: GraphPartProps): string {
  return ['part', part.kind, isSelected ? 'selected' : '', isRelated ? 'related' : '', isFound ? 'found' : ''].join(
    ' ',
  );
}
