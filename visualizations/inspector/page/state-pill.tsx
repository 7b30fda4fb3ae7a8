import { stateText } from './words.js';

/** A state, in its colour. */
export function StatePill({ state, count }: { readonly state: string; readonly count?: number }) {
  return (
    <span class={`pill is-${state}`}>
      <span class="pill-dot" />
      {stateText(state)}
      {count === undefined ? null : <b>{count}</b>}
    </span>
  );
}
