import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

export interface VirtualRowsProps {
  readonly count: number;
  /** In pixels. */
  readonly rowHeight: number;
  readonly row: (index: number) => ComponentChildren;
  /** A row that has to be seen. */
  readonly shown: number | null;
  readonly label: string;
  readonly role?: 'list' | 'listbox';
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  /** What stands above the rows and stays there. */
  readonly head?: ComponentChildren;
}

const SPARE = 6;

/** Any number of rows of one height, of which only those that are seen are there. */
export function VirtualRows({ count, rowHeight, row, shown, label, role = 'list', onKeyDown, head }: VirtualRowsProps) {
  const frame = useRef<HTMLDivElement>(null);
  const [window, setWindow] = useState({ top: 0, height: 400 });
  const look = () => {
    const { scrollTop: top = 0, clientHeight: height = 0 } = frame.current ?? {};
    setWindow((last) => (last.top === top && last.height === height ? last : { top, height }));
  };
  useLayoutEffect(look, []);
  useEffect(() => {
    if (frame.current === null) return;
    const observer = new ResizeObserver(look);
    observer.observe(frame.current);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = frame.current;
    if (element === null || shown === null) return;
    const top = shown * rowHeight;
    const border = rowHeight * 2;
    if (top < element.scrollTop) element.scrollTop = Math.max(0, top - border);
    else if (top + rowHeight > element.scrollTop + element.clientHeight - border) {
      element.scrollTop = top + rowHeight + border - element.clientHeight;
    }
    look();
  }, [shown, rowHeight]);
  const first = Math.max(0, Math.floor(window.top / rowHeight) - SPARE);
  const last = Math.min(count, Math.ceil((window.top + window.height) / rowHeight) + SPARE);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, at) => row(first + at));
  return (
    <div class="rows" ref={frame} onScroll={look} tabIndex={0} role={role} aria-label={label} onKeyDown={onKeyDown}>
      {head}
      <div class="rows-all" style={{ height: `${count * rowHeight}px` }}>
        <div class="rows-seen" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  );
}
