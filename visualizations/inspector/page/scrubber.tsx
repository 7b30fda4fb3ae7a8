import { useEffect, useState } from 'preact/hooks';
import type { Travel } from './app.js';
import type { RunModel } from './run-model.js';
import { nameText, stateText, timeText } from './words.js';

interface ScrubberProps {
  readonly model: RunModel;
  readonly count: number;
  readonly isNow: boolean;
  readonly travel: Travel;
}

/** All of a run is played in about so many steps, each so long. */
const STEPS = 240;
const STEP_MS = 50;

/** Goes through the history: everything else on the page shows the moment that this chooses. */
export function Scrubber({ model, count, isNow, travel }: ScrubberProps) {
  const { entries } = model.history;
  const [isPlaying, setPlaying] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    const step = Math.max(1, Math.round(entries.length / STEPS));
    const wait = Math.max(STEP_MS, Math.min(600, 8000 / Math.max(1, entries.length)));
    const timer = setTimeout(() => {
      if (count + step >= entries.length) setPlaying(false);
      travel.to(count + step);
    }, wait);
    return () => clearTimeout(timer);
  }, [isPlaying, count, entries.length]);

  const entry = entries[count - 1];
  const subject = entry?.part === null ? model.picture.name : (model.picture.parts[entry?.part ?? -1]?.name ?? '');
  const words =
    entry === undefined
      ? 'before anything happened'
      : `${nameText(subject, 28)} → ${entry.to === null ? 'removed' : stateText(entry.to)}`;
  const go = (to: number) => {
    setPlaying(false);
    travel.to(to);
  };
  const play = () => {
    if (!isPlaying && isNow) travel.to(0);
    setPlaying(!isPlaying);
  };
  const isEmpty = entries.length === 0;
  return (
    <div class="scrubber" role="group" aria-label="Time travel">
      <button type="button" aria-label="One entry back" disabled={count === 0} onClick={() => go(count - 1)}>
        <Icon path="M11 3 5 8l6 5z" />
      </button>
      <button type="button" aria-label={isPlaying ? 'Pause' : 'Play'} disabled={isEmpty} onClick={play}>
        <Icon path={isPlaying ? 'M4 3h3v10H4zM9 3h3v10H9z' : 'M4 2.5 13 8l-9 5.5z'} />
      </button>
      <button type="button" aria-label="One entry on" disabled={isNow} onClick={() => go(count + 1)}>
        <Icon path="M5 3l6 5-6 5z" />
      </button>
      <input
        type="range"
        min={0}
        max={entries.length}
        step={1}
        value={count}
        disabled={isEmpty}
        aria-label="Moment of the run"
        aria-valuetext={`entry ${count} of ${entries.length}, ${words}`}
        onInput={(event) => go(Number(event.currentTarget.value))}
      />
      <span class="moment" aria-hidden="true">
        <b>
          {count} / {entries.length}
        </b>
        <span class="moment-words">
          {entry === undefined ? '' : `${timeText(entry.at)} · `}
          {words}
        </span>
      </span>
      <button type="button" class={`now ${isNow ? 'on' : ''}`} aria-pressed={isNow} onClick={() => go(entries.length)}>
        {model.connection === 'saved' ? 'End' : 'Now'}
      </button>
    </div>
  );
}

function Icon({ path }: { readonly path: string }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  );
}
