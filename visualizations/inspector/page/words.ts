import { shortened, visible } from '../../text.js';

/** A name as it is shown: what cannot be seen in it is written out. */
export function nameText(name: string, columns = Infinity): string {
  const shown = visible(name);
  return columns === Infinity ? shown : shortened(shown, columns);
}

/** A time of day with milliseconds, where the reader is. */
export function timeText(at: number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return 'an unknown time';
  const pad = (value: number, digits = 2) => String(value).padStart(digits, '0');
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}.${pad(date.getMilliseconds(), 3)}`;
}

export function dateText(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'an unknown time' : date.toLocaleString();
}

/** A length of time: `12 ms`, `3.4 s`, `2 min 5 s`, `3 h 20 min`. */
export function lengthText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A state as one says it: `revert failure`. */
export function stateText(state: string): string {
  return state.toLowerCase().replaceAll('_', ' ');
}
