import type { PictureReason } from '../run-picture.js';
import { VirtualRows } from './virtual-rows.js';
import { nameText, timeText } from './words.js';

interface WhyListProps {
  readonly reasons: readonly PictureReason[];
  readonly flowState: string;
  readonly onSelect: (part: number) => void;
}

/** What the run waits for. */
export function WhyList({ reasons, flowState, onSelect }: WhyListProps) {
  if (reasons.length === 0) {
    return <p class="nothing">Nothing waits: the flow has ended {flowState.toLowerCase().replaceAll('_', ' ')}.</p>;
  }
  return (
    <VirtualRows
      count={reasons.length}
      rowHeight={30}
      shown={null}
      label="What the run waits for"
      row={(at) => {
        const reason = reasons[at];
        if (reason === undefined) return null;
        const { part, waitsFor, message, until } = reason;
        return (
          <div key={at} role="listitem" class="reason">
            <span class={`tag waits-${waitsFor}`}>{waitsFor}</span>
            {part === null ? (
              <span>{nameText(message)}</span>
            ) : (
              <button type="button" class="plain" onClick={() => onSelect(part)}>
                {nameText(message)}
              </button>
            )}
            {until === null ? null : <time>until {timeText(until)}</time>}
          </div>
        );
      }}
    />
  );
}
