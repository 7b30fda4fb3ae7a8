import { useRef } from 'preact/hooks';
import type { PictureChart, PictureEntry, PictureWay } from '../run-picture.js';

interface ChartViewProps {
  readonly chart: PictureChart;
  readonly state: string;
  /** What led to the state, where it is known. */
  readonly last: PictureEntry | null;
}

/** A statechart that can be made as large as the window. */
export function Chart(props: ChartViewProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        class="chart-frame"
        aria-label={`Statechart ${props.chart.id}, larger`}
        onClick={() => dialog.current?.showModal()}
      >
        <ChartView {...props} />
      </button>
      <dialog ref={dialog} class="large" aria-label={`Statechart ${props.chart.id}`}>
        <form method="dialog">
          <h2>{props.chart.id}</h2>
          <button aria-label="Close">×</button>
        </form>
        <ChartView {...props} />
      </dialog>
    </>
  );
}

/** A statechart with the state that is current, and the way that led there. */
function ChartView({ chart, state, last }: ChartViewProps) {
  const isTaken = ({ from, to }: PictureWay) =>
    last !== null && last.to === state && from === last.from && to === state;
  return (
    <svg
      class="chart"
      viewBox={`0 ${chart.top} ${chart.width} ${chart.height}`}
      role="img"
      aria-label={`Statechart ${chart.id}: the state is ${state}`}
    >
      <defs>
        {['chart-head', 'chart-head-taken'].map((id) => (
          <marker id={id} key={id} viewBox="0 0 8 8" refX={7} refY={4} markerWidth={7} markerHeight={7} orient="auto">
            <path d="M0,0.8 L8,4 L0,7.2 z" />
          </marker>
        ))}
      </defs>
      {chart.states.map(({ name, isFinal, x, y, width, height }, at) => {
        if (name === null) return <circle key={at} class="initial" cx={x + width / 2} cy={y + height / 2} r={5} />;
        return (
          <g key={at} class={`chart-state ${name === state ? `current is-${name}` : ''}`}>
            <rect x={x} y={y} width={width} height={height} rx={8} />
            {isFinal ? <rect x={x + 3.5} y={y + 3.5} width={width - 7} height={height - 7} rx={5} /> : null}
            <text x={x + width / 2} y={y + height / 2 + 4.5}>
              {name}
            </text>
          </g>
        );
      })}
      {chart.ways.map((way, at) => (
        <g key={at} class={`way ${isTaken(way) ? 'taken' : ''} ${way.lines.join() === 'reset' ? 'back' : ''}`}>
          <path
            d={`M${way.points.map((point) => point.join(',')).join(' L')}`}
            marker-end={isTaken(way) ? 'url(#chart-head-taken)' : 'url(#chart-head)'}
          />
          {way.lines.map((line, row) => (
            <text key={line} x={way.label[0]} y={way.label[1] + 4 + (row - (way.lines.length - 1) / 2) * 14}>
              {line}
            </text>
          ))}
        </g>
      ))}
    </svg>
  );
}
