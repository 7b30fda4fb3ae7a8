import { InvalidArgumentError } from 'commander';
import { nearestName } from '../nearest-name.js';

/* Readers of what stands behind an option. They throw what commander shows with the name of the option. */

/** One of some names; the error names the nearest. */
export function oneOf<const Name extends string>(names: readonly Name[]): (given: string) => Name {
  return (given) => {
    const found = names.find((name) => name === given);
    if (found !== undefined) return found;
    const meant = nearestName(given, names);
    const hint = meant === null ? '' : ` Did you mean ${meant}?`;
    throw new InvalidArgumentError(`It takes one of ${names.join(', ')}.${hint}`);
  };
}

/** The same, for an option that may be given several times or with a comma in between. */
export function someOf<const Name extends string>(names: readonly Name[]) {
  const read = oneOf(names);
  return (given: string, before: readonly Name[] = []): readonly Name[] => [
    ...before,
    ...given.split(',').map((name) => read(name.trim())),
  ];
}

export function wholeNumber(given: string): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value >= 1 && Number.isSafeInteger(value)) return value;
  throw new InvalidArgumentError('It takes a whole number from 1.');
}

/** The number of a port; 0 stands for one that is free. */
export function portNumber(given: string): number {
  if (/^\d{1,5}$/.test(given) && Number(given) <= 65_535) return Number(given);
  throw new InvalidArgumentError('It takes the number of a port, from 0 to 65535.');
}

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration such as `90s`, `1.5h` or `30d`, in milliseconds. */
export function duration(given: string): number {
  const { amount, unit } = /^(?<amount>\d+(?:\.\d+)?)(?<unit>ms|s|m|h|d)$/.exec(given)?.groups ?? {};
  const ms = Number(amount) * UNITS[unit as keyof typeof UNITS];
  if (ms > 0 || Number(amount) === 0) return ms;
  throw new InvalidArgumentError('It takes a duration such as 500ms, 90s, 15m, 12h or 30d.');
}

/** A date such as `2026-11-22` or `2026-11-22T18:00:00Z`, in milliseconds since 1970. */
export function date(given: string): number {
  const time = Date.parse(given);
  if (Number.isFinite(time)) return time;
  throw new InvalidArgumentError('It takes a date such as 2026-11-22 or 2026-11-22T18:00:00Z.');
}

/** For an option that may be given several times. */
export function several(given: string, before: readonly string[] = []): readonly string[] {
  return [...before, given];
}

/** A value that is JSON, or text where it is not. */
function jsonOrText(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    return given;
  }
}

/** The same, for an option that may be given several times. */
export function severalValues(given: string, before: readonly unknown[] = []): readonly unknown[] {
  return [...before, jsonOrText(given)];
}

/** `NAME=VALUE`, for an option that may be given several times. */
export function namedValue(given: string, before: ReadonlyMap<string, unknown> = new Map()): Map<string, unknown> {
  const at = given.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('It takes NAME=VALUE.');
  const name = given.slice(0, at);
  if (before.has(name)) throw new InvalidArgumentError(`It takes each name once, got ${name} twice.`);
  return new Map(before).set(name, jsonOrText(given.slice(at + 1)));
}
