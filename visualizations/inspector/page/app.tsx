import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { GraphView } from './graph-view.js';
import { JournalList } from './journal-list.js';
import type { RunModel } from './run-model.js';
import { Scrubber } from './scrubber.js';
import { SidePanel } from './side-panel.js';
import { Timeline } from './timeline.js';
import { TopBar } from './top-bar.js';
import { WhyList } from './why-list.js';
import { nameText } from './words.js';

/** Goes to the moment after so many entries; the last one is now, and stays so when more happens. */
export interface Travel {
  readonly to: (count: number) => void;
}

const TABS = { timeline: 'Timeline', journal: 'Journal', why: 'Why' } as const;
type Tab = keyof typeof TABS;
/** On a narrow screen one of these is seen. */
type Pane = 'graph' | 'side' | Tab;
const PANES: Readonly<Record<Pane, string>> = { graph: 'Flow', side: 'Details', ...TABS };

export function App({ model }: { readonly model: RunModel }) {
  const [, redraw] = useState(0);
  useEffect(() => model.subscribe(() => redraw(model.version)), [model]);
  const [position, setPosition] = useState<number | null>(null);
  const [selected, setSelected] = useState<number | null>(null);
  const [search, setSearch] = useState('');
  const [pane, setPane] = useState<Pane>('graph');
  const tab = useRef<Tab>('timeline');
  if (pane !== 'graph' && pane !== 'side') tab.current = pane;

  const { entries } = model.history;
  const { parts } = model.picture;
  const moment = useMemo(() => model.momentAt(position), [position, model, model.version]);
  const isNow = moment.count === entries.length;
  const reasons = useMemo(() => model.whyAt(moment), [moment, model]);
  const found = useMemo(() => {
    const wanted = search.trim().toLowerCase();
    if (wanted === '') return new Set<number>();
    return new Set(parts.flatMap(({ name }, part) => (nameText(name).toLowerCase().includes(wanted) ? [part] : [])));
  }, [parts, search]);
  const travel: Travel = {
    to: (count) => setPosition(count >= model.history.entries.length ? null : Math.max(0, count)),
  };
  const select = (part: number | null) => {
    setSelected(part);
    if (part !== null && pane !== 'graph' && pane !== 'side') setPane(pane);
  };
  const selectNextFound = () => {
    const list = [...found];
    const next = list.find((part) => part > (selected ?? -1)) ?? list[0];
    if (next !== undefined) setSelected(next);
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const isWriting = event.target instanceof HTMLInputElement && event.target.type === 'search';
      if (event.key === '/' && !isWriting) {
        document.querySelector<HTMLInputElement>('input[type=search]')?.focus();
        event.preventDefault();
      } else if (event.key === 'Escape' && !isWriting) setSelected(null);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);

  return (
    <div class={`app pane-${pane} ${isNow ? '' : 'past'}`}>
      <TopBar
        model={model}
        moment={moment}
        search={search}
        found={found.size}
        onSearch={setSearch}
        onNext={selectNextFound}
      />
      <main class="graph-pane" aria-label="Flow">
        <GraphView model={model} moment={moment} isNow={isNow} selected={selected} found={found} onSelect={select} />
      </main>
      <aside class="side-pane" aria-label="Details">
        <SidePanel
          model={model}
          moment={moment}
          selected={selected}
          reasons={reasons}
          travel={travel}
          onSelect={select}
        />
      </aside>
      <Scrubber model={model} count={moment.count} isNow={isNow} travel={travel} />
      <section class="lower-pane" aria-label={TABS[tab.current]}>
        <div class="tabs" role="tablist">
          {(Object.keys(TABS) as Tab[]).map((each) => (
            <button
              key={each}
              type="button"
              role="tab"
              aria-selected={tab.current === each}
              onClick={() => setPane(each)}
            >
              {TABS[each]}
              {each === 'why' && reasons.length > 0 ? <span class="count">{reasons.length}</span> : null}
              {each === 'journal' && entries.length > 0 ? <span class="count">{entries.length}</span> : null}
            </button>
          ))}
        </div>
        {tab.current === 'timeline' ? (
          <Timeline
            model={model}
            version={model.version}
            count={moment.count}
            selected={selected}
            travel={travel}
            onSelect={select}
          />
        ) : null}
        {tab.current === 'journal' ? (
          <JournalList model={model} count={moment.count} travel={travel} onSelect={select} />
        ) : null}
        {tab.current === 'why' ? <WhyList reasons={reasons} flowState={moment.flowState} onSelect={select} /> : null}
      </section>
      <nav class="pane-switch" aria-label="Parts of the page">
        {(Object.keys(PANES) as Pane[]).map((each) => (
          <button key={each} type="button" aria-pressed={pane === each} onClick={() => setPane(each)}>
            {PANES[each]}
          </button>
        ))}
      </nav>
    </div>
  );
}
