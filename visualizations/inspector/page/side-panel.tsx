import { useState } from 'preact/hooks';
import { stageAt } from '../engine-stage.js';
import type { Moment } from '../history.js';
import type { PictureEntry, PictureReason } from '../run-picture.js';
import type { Travel } from './app.js';
import { AtomDetails, Section } from './atom-details.js';
import { Chart } from './chart-view.js';
import type { RunModel } from './run-model.js';
import { StatePill } from './state-pill.js';
import { dateText, lengthText, nameText } from './words.js';

interface SidePanelProps {
  readonly model: RunModel;
  readonly moment: Moment;
  readonly selected: number | null;
  readonly reasons: readonly PictureReason[];
  readonly travel: Travel;
  readonly onSelect: (part: number | null) => void;
}

/** What is selected: an atom, or the run itself; and its statechart. */
export function SidePanel(props: SidePanelProps) {
  const { model, moment, selected, onSelect } = props;
  const part = selected === null ? undefined : model.picture.parts[selected];
  const isAtom = selected !== null && part !== undefined && part.kind !== 'flow';
  return (
    <div class="side-scroll">
      <header class="side-head">
        <div>
          <small>{part === undefined ? 'run' : part.kind === 'flow' ? `${part.pattern ?? ''} flow` : part.kind}</small>
          <h2>{nameText(part?.name ?? model.picture.name)}</h2>
        </div>
        {isAtom ? <StatePill state={moment.states[selected] ?? 'PENDING'} /> : <StatePill state={moment.flowState} />}
        {selected === null ? null : (
          <button type="button" class="close" aria-label="Show the run" onClick={() => onSelect(null)}>
            ×
          </button>
        )}
      </header>
      {isAtom ? <AtomDetails {...props} part={selected} /> : <RunDetails model={model} moment={moment} />}
      <Charts model={model} moment={moment} selected={isAtom ? selected : null} />
    </div>
  );
}

const VALUES_IN_WORDS = {
  shown: 'shown, shortened',
  hidden: 'hidden; `showValues: true` shows them',
  secret: 'secrets of the store',
} as const;

const HISTORY_IN_WORDS = {
  journal: 'the journal of the run',
  heard: 'heard since the page was first served; `journal: true` keeps all of it',
  none: 'none was kept; `journal: true` keeps it',
} as const;

function RunDetails({ model, moment }: { readonly model: RunModel; readonly moment: Moment }) {
  const { entries } = model.history;
  const { picture } = model;
  const [first] = entries;
  const last = entries[moment.count - 1];
  const atoms = picture.parts.filter(({ kind }) => kind !== 'flow');
  return (
    <Section title="Run">
      <dl class="facts">
        <dt>Id</dt>
        <dd class="mono">{nameText(picture.uuid)}</dd>
        <dt>Parts</dt>
        <dd>
          {counted(atoms.length, 'atom')} in {counted(picture.parts.length - atoms.length, 'flow')}
        </dd>
        {first === undefined || last === undefined ? null : (
          <>
            <dt>Began</dt>
            <dd>{dateText(first.at)}</dd>
            <dt>Took</dt>
            <dd>{lengthText(last.at - first.at)} up to here</dd>
          </>
        )}
        <dt>Values</dt>
        <dd>{VALUES_IN_WORDS[picture.values]}</dd>
        <dt>History</dt>
        <dd>{HISTORY_IN_WORDS[picture.history]}</dd>
      </dl>
    </Section>
  );
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}

interface ChartsProps {
  readonly model: RunModel;
  readonly moment: Moment;
  /** The atom whose chart is shown; null: the engine's, or the flow's. */
  readonly selected: number | null;
}

function Charts({ model, moment, selected }: ChartsProps) {
  const [ofRun, setOfRun] = useState<'engine' | 'flow'>('engine');
  const { picture, history } = model;
  const kind = selected === null ? ofRun : (picture.parts[selected]?.kind ?? ofRun);
  const chart = picture.charts.find(({ id }) => id === kind);
  const stage = stageAt(history.entries, moment.count, picture.news.stage);
  const state = selected !== null ? moment.states[selected] : ofRun === 'flow' ? moment.flowState : stage;
  return (
    <Section title="Statechart">
      {selected === null ? (
        <div class="switch" role="group" aria-label="Whose statechart">
          {(['engine', 'flow'] as const).map((each) => (
            <button key={each} type="button" aria-pressed={ofRun === each} onClick={() => setOfRun(each)}>
              {each}
            </button>
          ))}
        </div>
      ) : null}
      {chart === undefined ? null : (
        <Chart chart={chart} state={state ?? 'PENDING'} last={lastEntry(model, moment, selected, ofRun)} />
      )}
    </Section>
  );
}

/** What led to the state that is shown. The stages of an engine are not in the history. */
function lastEntry(
  { history: { entries } }: RunModel,
  { lastEntries, count }: Moment,
  selected: number | null,
  ofRun: 'engine' | 'flow',
): PictureEntry | null {
  if (selected !== null) return entries[lastEntries[selected] ?? -1] ?? null;
  if (ofRun === 'engine') return null;
  return entries.slice(0, count).findLast(({ part }) => part === null) ?? null;
}
