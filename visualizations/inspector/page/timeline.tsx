import { useMemo } from 'preact/hooks';
import type { Travel } from './app.js';
import type { Period } from './periods.js';
import { periodsOf, ticks } from './periods.js';
import type { RunModel } from './run-model.js';
import { NoHistory } from './no-history.js';
import { VirtualRows } from './virtual-rows.js';
import { lengthText, nameText, stateText } from './words.js';

interface TimelineProps {
  readonly model: RunModel;
  readonly version: number;
  readonly count: number;
  readonly selected: number | null;
  readonly travel: Travel;
  readonly onSelect: (part: number | null) => void;
}

const ROW = 24;

/** When each atom was under way, a row for each, in the order in which they began. */
export function Timeline({ model, version, count, selected, travel, onSelect }: TimelineProps) {
  const { entries } = model.history;
  const { parts, name } = model.picture;
  const { rows, start, length } = useMemo(() => rowsOf(model), [model, version]);
  const [first] = entries;
  if (first === undefined) return <NoHistory model={model} />;
  const share = (at: number) => `${((at - start) / length) * 100}%`;
  const cursor = share(entries[Math.max(0, count - 1)]?.at ?? start);
  const isNow = count === entries.length;
  const travelTo = (event: MouseEvent) => {
    const plot = event.target instanceof Element ? event.target.closest('.plot') : null;
    if (plot === null) return;
    const { left, width } = plot.getBoundingClientRect();
    const at = start + ((event.clientX - left) / width) * length;
    travel.to(entries.findLastIndex((entry) => entry.at <= at) + 1);
  };
  const shown = rows.findIndex(({ part }) => part === selected);
  return (
    <div class="timeline" onClick={travelTo}>
      <VirtualRows
        count={rows.length}
        rowHeight={ROW}
        shown={selected === null || shown < 0 ? null : shown}
        label="Timeline"
        head={
          <div class="axis" aria-hidden="true">
            <span class="row-name" />
            <span class="plot">
              {ticks(length).map((tick) => (
                <span key={tick} class="tick" style={{ left: share(start + tick) }}>
                  {lengthText(tick)}
                </span>
              ))}
            </span>
          </div>
        }
        row={(at) => {
          const row = rows[at];
          if (row === undefined) return null;
          const title = row.part === null ? name : (parts[row.part]?.name ?? '');
          return (
            <div key={at} role="listitem" class={`time-row ${row.part === selected ? 'selected' : ''}`}>
              <button type="button" class="row-name plain" title={nameText(title)} onClick={() => onSelect(row.part)}>
                {row.part === null ? <b>{nameText(title, 30)}</b> : nameText(title, 30)}
              </button>
              <span class="plot">
                {row.periods.map((period) => (
                  <Bar key={period.from} period={period} end={start + length} share={share} />
                ))}
                {isNow ? null : <span class="later-cover" style={{ left: cursor }} />}
                <span class="cursor" style={{ left: cursor }} />
              </span>
            </div>
          );
        }}
      />
    </div>
  );
}

interface BarProps {
  readonly period: Period;
  readonly end: number;
  readonly share: (at: number) => string;
}

function Bar({ period: { from, to, state, outcome }, end, share }: BarProps) {
  const until = to ?? end;
  const left = share(from);
  const what = outcome === null ? stateText(state) : `${stateText(state)}, then ${stateText(outcome)}`;
  return (
    <span
      class={`bar in-${state} is-${outcome ?? state} ${to === null ? 'open' : ''}`}
      style={{ left, width: `calc(${share(until)} - ${left})` }}
      title={`${what}: ${lengthText(until - from)}`}
    />
  );
}

interface Row {
  readonly part: number | null;
  readonly periods: readonly Period[];
}

function rowsOf({ history, picture }: RunModel): { rows: readonly Row[]; start: number; length: number } {
  const { entries } = history;
  const places = new Map<number | null, number[]>();
  entries.forEach(({ part }, place) => {
    const known = places.get(part);
    if (known === undefined) places.set(part, [place]);
    else known.push(place);
  });
  const view = { entries, placesOf: (part: number | null) => places.get(part) ?? [] };
  const rows = [...places.keys()]
    .map((part): Row => ({ part, periods: periodsOf(view, part) }))
    .filter(({ part, periods }) => part === null || periods.length > 0)
    .sort((one, other) => startOf(one) - startOf(other) || (one.part ?? -1) - (other.part ?? -1));
  const start = entries[0]?.at ?? 0;
  const isUnderWay = rows.some(({ periods }) => periods.at(-1)?.to === null);
  const end = Math.max(entries.at(-1)?.at ?? 0, isUnderWay ? picture.news.at : 0);
  return { rows, start, length: Math.max(1, (end - start) * 1.01) };
}

function startOf({ part, periods }: Row): number {
  return part === null ? -Infinity : (periods[0]?.from ?? 0);
}
