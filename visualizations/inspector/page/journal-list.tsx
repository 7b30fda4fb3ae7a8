import type { Travel } from './app.js';
import { NoHistory } from './no-history.js';
import type { RunModel } from './run-model.js';
import { StatePill } from './state-pill.js';
import { nameText, timeText } from './words.js';
import { VirtualRows } from './virtual-rows.js';

interface JournalListProps {
  readonly model: RunModel;
  readonly count: number;
  readonly travel: Travel;
  readonly onSelect: (part: number) => void;
}

const ROW = 30;

/** Every entry of the history. One of them is the moment that is shown. */
export function JournalList({ model, count, travel, onSelect }: JournalListProps) {
  const { entries } = model.history;
  const { parts, name } = model.picture;
  if (entries.length === 0) return <NoHistory model={model} />;
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -10, PageDown: 10, Home: -count, End: entries.length }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    travel.to(Math.max(1, count + step));
  };
  return (
    <VirtualRows
      count={entries.length}
      rowHeight={ROW}
      shown={count - 1}
      label="Entries of the history. Arrow keys go from one to the next."
      role="listbox"
      onKeyDown={onKeyDown}
      row={(at) => {
        const entry = entries[at];
        if (entry === undefined) return null;
        const subject = entry.part === null ? name : (parts[entry.part]?.name ?? '');
        const time = at < count ? '' : 'later';
        return (
          <div
            key={entry.sequence}
            class={`entry ${at === count - 1 ? 'current' : ''} ${time}`}
            role="option"
            aria-selected={at === count - 1}
            onClick={() => {
              travel.to(at + 1);
              if (entry.part !== null) onSelect(entry.part);
            }}
          >
            <span class="number">{entry.sequence}</span>
            <time>{timeText(entry.at)}</time>
            <span class="subject">{nameText(subject, 40)}</span>
            <span class="change">
              {entry.to === null ? <i>removed</i> : <StatePill state={entry.to} />}
              {entry.event === null ? null : <code>{entry.event}</code>}
            </span>
            <span class="cause">{entry.cause === null ? '' : nameText(entry.cause)}</span>
          </div>
        );
      }}
    />
  );
}
