import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { layOutFlow } from '../flow-layout.js';
import type { Moment } from '../history.js';
import { partBeside } from './graph-keys.js';
import { DataLinks, dataWays, GraphLinks } from './graph-links.js';
import { GraphPart } from './graph-part.js';
import type { View } from './pan-zoom.js';
import { centre, fit, reveal, zoom } from './pan-zoom.js';
import type { RunModel } from './run-model.js';
import { usePanning } from './use-panning.js';
import { stateText } from './words.js';

export interface GraphViewProps {
  readonly model: RunModel;
  readonly moment: Moment;
  readonly isNow: boolean;
  readonly selected: number | null;
  readonly found: ReadonlySet<number>;
  readonly onSelect: (part: number | null) => void;
}

/** Below this scale names are too small to be read, and are not drawn. */
const READABLE = 0.42;

/** The flow as a graph, to be moved about with pointer, wheel, fingers or keys. */
export function GraphView({ model, moment, isNow, selected, found, onSelect }: GraphViewProps) {
  const { parts, links } = model.picture;
  const [folded, setFolded] = useState<ReadonlySet<number>>(new Set());
  const layout = useMemo(() => layOutFlow(parts, links, folded), [parts, links, folded]);
  const svg = useRef<SVGSVGElement>(null);
  const drawing = useRef<SVGGElement>(null);
  const view = useRef<View>({ x: 0, y: 0, scale: 1 });
  const isMoved = useRef(false);
  /** What a reader with a keyboard was at last. */
  const [entry, setEntry] = useState(0);

  const show = (next: View) => {
    view.current = next;
    drawing.current?.setAttribute('transform', `translate(${next.x},${next.y}) scale(${next.scale})`);
    svg.current?.classList.toggle('far', next.scale < READABLE);
  };
  const extent = () => ({ width: svg.current?.clientWidth ?? 0, height: svg.current?.clientHeight ?? 0 });
  const fitAll = () => {
    isMoved.current = false;
    show(fit(layout, extent()));
  };
  const zoomBy = (factor: number, at = { x: extent().width / 2, y: extent().height / 2 }) => {
    isMoved.current = true;
    show(zoom(view.current, factor, at));
  };

  useLayoutEffect(() => {
    if (!isMoved.current) fitAll();
  }, [layout]);
  useEffect(() => {
    if (svg.current === null) return;
    const observer = new ResizeObserver(() => {
      if (!isMoved.current) fitAll();
    });
    observer.observe(svg.current);
    return () => observer.disconnect();
  }, [layout]);
  useEffect(() => {
    const place = selected === null ? undefined : layout.places[selected];
    if (selected === null || place === undefined) return;
    setEntry(selected);
    // Names cannot be read from far away: who looks for an atom by its name is brought near to it.
    const isFar = view.current.scale < READABLE && found.has(selected);
    if (isFar) isMoved.current = true;
    show(isFar ? centre(place, extent()) : reveal(view.current, place, extent()));
  }, [selected, layout]);
  usePanning(svg, {
    move: (x, y) => {
      isMoved.current = true;
      show({ ...view.current, x: view.current.x + x, y: view.current.y + y });
    },
    zoom: zoomBy,
  });

  const fold = (part: number) => {
    const next = new Set(folded);
    if (!next.delete(part)) next.add(part);
    setFolded(next);
  };
  const focusOn = (part: number) => {
    setEntry(part);
    const place = layout.places[part];
    if (place !== undefined) show(reveal(view.current, place, extent()));
    svg.current?.querySelector<SVGGElement>(`[data-part="${part}"]`)?.focus({ preventScroll: true });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const at = partAt(event.target) ?? entry;
    const next = partBeside(parts, layout.places, at, event.key);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (next !== null) focusOn(next);
    else if (event.key === 'Enter') onSelect(at);
    else if (event.key === ' ' && parts[at]?.kind === 'flow' && at !== 0) fold(at);
    else if (event.key === ' ') onSelect(at);
    else if (event.key === 'Escape') onSelect(null);
    else if (event.key === 'Home') focusOn(0);
    else if (event.key === '+' || event.key === '=') zoomBy(1.25);
    else if (event.key === '-') zoomBy(0.8);
    else if (event.key === '0') fitAll();
    else return;
    event.preventDefault();
  };
  const onClick = (event: MouseEvent) => {
    const target = event.target instanceof Element ? event.target : null;
    const chevron = target?.closest('[data-fold]')?.getAttribute('data-fold');
    if (chevron !== undefined && chevron !== null && chevron !== '0') fold(Number(chevron));
    else onSelect(partAt(target));
  };

  const related = useMemo(
    () => new Set(selected === null ? [] : dataWays(parts, selected).flatMap(({ from, to }) => [from, to])),
    [parts, selected],
  );
  const insides = useMemo(() => {
    return new Map([...folded].map((flow) => [flow, inWords(model, moment, flow)] as const));
  }, [folded, model, moment]);

  return (
    <div class="graph">
      <svg
        ref={svg}
        role="group"
        aria-label="The flow. Arrow keys move from part to part, Enter shows one, Space folds a flow."
        onKeyDown={onKeyDown}
        onClick={onClick}
      >
        <defs>
          {['head', 'head-touched', 'head-data'].map((id) => (
            <marker id={id} key={id} viewBox="0 0 8 8" refX={7} refY={4} markerWidth={7} markerHeight={7} orient="auto">
              <path d="M0,0.8 L8,4 L0,7.2 z" />
            </marker>
          ))}
        </defs>
        <g ref={drawing}>
          {parts.map((part, id) => {
            const place = layout.places[id];
            if (place === undefined || part.kind !== 'flow') return null;
            return partOf(id, place);
          })}
          <GraphLinks layout={layout} selected={selected} />
          <DataLinks parts={parts} layout={layout} selected={selected} />
          {parts.map((part, id) => {
            const place = layout.places[id];
            return place === undefined || part.kind === 'flow' ? null : partOf(id, place);
          })}
        </g>
      </svg>
      <div class="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Nearer" onClick={() => zoomBy(1.4)}>
          +
        </button>
        <button type="button" aria-label="Further away" onClick={() => zoomBy(1 / 1.4)}>
          −
        </button>
        <button type="button" aria-label="All of it" onClick={fitAll}>
          ⤢
        </button>
      </div>
    </div>
  );

  function partOf(id: number, place: NonNullable<(typeof layout.places)[number]>) {
    const part = parts[id];
    if (part === undefined) return null;
    const inside = insides.get(id);
    return (
      <GraphPart
        key={id}
        id={id}
        part={part}
        place={place}
        state={moment.states[id] ?? null}
        progress={isNow ? (model.facts[id]?.progress ?? null) : null}
        isSelected={id === selected}
        isRelated={related.has(id)}
        isFound={found.has(id)}
        isEntry={id === entry}
        foldedAtoms={folded.has(id) ? 1 : null}
        inside={inside ?? ''}
      />
    );
  }
}

function partAt(target: EventTarget | null): number | null {
  const part = target instanceof Element ? target.closest('[data-part]')?.getAttribute('data-part') : null;
  return part === null || part === undefined ? null : Number(part);
}

/** `12 atoms: 9 success, 3 pending`. */
function inWords({ picture: { parts } }: RunModel, { states }: Moment, flow: number): string {
  const counts = new Map<string, number>();
  let total = 0;
  parts.forEach((part, id) => {
    let at = part.parent;
    while (at !== null && at !== flow) at = parts[at]?.parent ?? null;
    if (at !== flow || part.kind === 'flow') return;
    total += 1;
    const state = states[id] ?? 'PENDING';
    counts.set(state, (counts.get(state) ?? 0) + 1);
  });
  const [most] = [...counts].sort(([, one], [, other]) => other - one);
  return `${total} atoms${most === undefined ? '' : `, ${most[1]} ${stateText(most[0])}`}`;
}
