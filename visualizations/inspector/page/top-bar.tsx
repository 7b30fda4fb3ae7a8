import { useState } from 'preact/hooks';
import type { Moment } from '../history.js';
import type { Connection, RunModel } from './run-model.js';
import { StatePill } from './state-pill.js';
import type { Theme } from './theme.js';
import { showTheme } from './theme.js';
import { nameText } from './words.js';

interface TopBarProps {
  readonly model: RunModel;
  readonly moment: Moment;
  readonly search: string;
  readonly found: number;
  readonly onSearch: (text: string) => void;
  readonly onNext: () => void;
}

const CONNECTIONS: Readonly<Record<Connection, { readonly word: string; readonly title: string }>> = {
  saved: { word: 'saved', title: 'A run as it was when this page was saved' },
  live: { word: 'live', title: 'News comes from the server of this page' },
  lost: { word: 'not connected', title: 'The server does not answer. What is shown is what was heard last' },
};

const THEMES: Readonly<Record<Theme, { readonly sign: string; readonly next: Theme }>> = {
  system: { sign: '◐', next: 'light' },
  light: { sign: '☀', next: 'dark' },
  dark: { sign: '☾', next: 'system' },
};

/** States in the order in which they are counted. */
const ORDER = [
  'RUNNING',
  'REVERTING',
  'RETRYING',
  'FAILURE',
  'REVERT_FAILURE',
  'SUCCESS',
  'REVERTED',
  'IGNORE',
  'PENDING',
];

export function TopBar({ model, moment, search, found, onSearch, onNext }: TopBarProps) {
  const [theme, setTheme] = useState<Theme>('system');
  const counts = new Map<string, number>();
  for (const state of moment.states) if (state !== null) counts.set(state, (counts.get(state) ?? 0) + 1);
  const { word, title } = CONNECTIONS[model.connection];
  const changeTheme = () => {
    const { next } = THEMES[theme];
    showTheme(next);
    setTheme(next);
  };
  return (
    <header class="top">
      <h1 title={nameText(model.picture.name)}>{nameText(model.picture.name)}</h1>
      <StatePill state={moment.flowState} />
      <div class="counts" role="status" aria-label="Atoms by state">
        {ORDER.filter((state) => counts.has(state)).map((state) => (
          <StatePill key={state} state={state} count={counts.get(state) ?? 0} />
        ))}
      </div>
      <form
        class="search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          onNext();
        }}
      >
        <input
          type="search"
          placeholder="Find an atom  /"
          aria-label="Find an atom. Enter goes to the next."
          value={search}
          onInput={(event) => onSearch(event.currentTarget.value)}
        />
        <span class="found" role="status">
          {search.trim() === '' ? '' : found}
        </span>
      </form>
      <span class={`connection is-${model.connection}`} title={title} role="status">
        {word}
      </span>
      <button
        type="button"
        class="theme"
        aria-label={`Colours: ${theme}`}
        title={`Colours: ${theme}`}
        onClick={changeTheme}
      >
        {THEMES[theme].sign}
      </button>
    </header>
  );
}
