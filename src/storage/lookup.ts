import type { ArgumentMapping } from '../atoms/arguments.js';
import { NotFoundError } from '../errors.js';
import { setOwn } from '../own-property.js';
import type { AtomDetail } from '../persistence/details.js';
import type { Found } from './values.js';
import { extract, readLast } from './values.js';

/** An atom that provides a symbol, and which part of its result that is. */
export interface Provider {
  readonly name: string;
  readonly part: number | string | null;
}

/** What storage has to know of the compiled flow to look symbols up. Its engine tells it. */
export interface Surroundings {
  /** Every symbol that an atom provides. */
  symbols(): Iterable<string>;
  /** Who provides a symbol, in the order of the graph. */
  providers(symbol: string): readonly Provider[];
  /**
   * The wire of an atom's first argument; the others follow in their order. A wire leads to the one atom that an argument
   * can come from, which is looked for once.
   *
   * @returns NO_WIRE for a method whose arguments have none.
   */
  firstWire(place: number, mapping: ArgumentMapping): number;
  /** Whether an atom can see anybody who provides a symbol. */
  isProvided(place: number, symbol: string, wire: number): boolean;
  /** The one atom that a symbol can come from: this one can see it, and nobody else provides the symbol. */
  only(place: number, symbol: string, wire: number): Source | null;
  /**
   * Visits the records of those that an atom can see, nearest first.
   *
   * @param place - The atom's number in the compiled flow.
   * @param visit - Called with a provider's record, its part, and how many flows are between it and the atom; true ends
   * the visit.
   */
  visit(
    place: number,
    symbol: string,
    visit: (detail: AtomDetail, part: Provider['part'], level: number) => boolean,
  ): void;
}

/** The record of an atom that provides a symbol, and which part of its result that is. */
export interface Source {
  readonly detail: AtomDetail;
  readonly part: Provider['part'];
}

/** An atom that looks symbols up: its record, and its number in the compiled flow. */
export interface Asker {
  readonly detail: AtomDetail;
  readonly place: number;
}

/** The values of one run, as `Storage` holds them. */
export interface Values {
  detail(name: string): AtomDetail;
  /** A value that was injected for one atom. */
  argumentOf(detail: AtomDetail, symbol: string): Found | undefined;
  /** The value that was injected for the whole flow and counts. */
  flowValue(symbol: string): Found | undefined;
  /** All values that were injected for the whole flow, in the order in which they count. */
  flowValues(symbol: string): readonly Found[];
}

/** Of an argument that is looked for each time. */
export const NO_WIRE = -1;

export const EMPTY_SURROUNDINGS: Surroundings = {
  symbols: () => [],
  providers: () => [],
  firstWire: () => NO_WIRE,
  isProvided: () => false,
  only: () => null,
  visit: () => undefined,
};

export type Answer = Found | { readonly missing: string };

export function isFound(answer: Answer): answer is Found {
  return 'value' in answer;
}

export interface ArgumentOptions {
  /**
   * Whether all atoms that precede this one are known to have a result or to be ignored: then the first value found
   * is the answer, and the rest of its level is not looked at.
   */
  readonly predecessorsAreDone: boolean;
}

/**
 * Looks up what an atom is to be called with.
 *
 * Values injected for the atom come first, then those injected for the flow, then what the nearest flow's atoms
 * provide, latest first. An optional argument that cannot be found is left out (D9).
 *
 * @throws {NotFoundError} naming the argument and what stands in its way.
 */
export function argumentsFor(
  values: Values,
  surroundings: Surroundings,
  asker: Asker,
  mapping: ArgumentMapping,
  options: ArgumentOptions,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  eachArgument(surroundings, asker, mapping, (argument, symbol, wire) => {
    const answer = lookUp(values, surroundings, asker, symbol, options, wire);
    if (isFound(answer)) setOwn(found, argument, answer.value);
    else if (!mapping.optional.has(symbol)) {
      throw new NotFoundError(`The argument ${argument} of ${asker.detail.name} cannot be found: ${answer.missing}`);
    }
  });
  return found;
}

function eachArgument(
  surroundings: Surroundings,
  { place }: Asker,
  mapping: ArgumentMapping,
  visit: (argument: string, symbol: string, wire: number) => void,
): void {
  const first = surroundings.firstWire(place, mapping);
  let count = 0;
  mapping.bindings.forEach((symbol, argument) =>
    visit(argument, symbol, first === NO_WIRE ? NO_WIRE : first + count++),
  );
}

/** Looks up a symbol: its value, or what stands in its way. */
export function lookUp(
  values: Values,
  surroundings: Surroundings,
  { detail, place }: Asker,
  symbol: string,
  options: ArgumentOptions,
  wire = NO_WIRE,
): Answer {
  return (
    values.argumentOf(detail, symbol) ??
    values.flowValue(symbol) ??
    onlyValue(surroundings.only(place, symbol, wire)) ??
    nearestValue(surroundings, place, symbol, options) ??
    whyMissing(surroundings, detail.name, symbol)
  );
}

/** The value of a symbol that can come from one atom only; undefined where there are several, or it has none. */
function onlyValue(source: Source | null): Found | undefined {
  if (source === null) return undefined;
  const reading = readLast(source.detail);
  return reading.kind === 'value' ? extract(reading.value, source.part) : undefined;
}

/** The first value in the nearest flow in which not all providers were ignored; null when there is no such flow. */
function nearestValue(
  surroundings: Surroundings,
  place: number,
  symbol: string,
  { predecessorsAreDone }: ArgumentOptions,
): Answer | null {
  let answer: Answer | null = null;
  let readableLevel: number | null = null;
  surroundings.visit(place, symbol, (detail, part, level) => {
    if (readableLevel !== null && level !== readableLevel) return true;
    const reading = readLast(detail);
    if (reading.kind === 'ignored') return false;
    if (reading.kind === 'none') {
      answer = { missing: `${detail.name}, which provides it, has no result in the state ${String(reading.state)}` };
      return true;
    }
    readableLevel = level;
    if (answer === null || !isFound(answer)) {
      answer = extract(reading.value, part) ?? {
        missing: `no result at hand has a value for ${JSON.stringify(symbol)}`,
      };
    }
    return predecessorsAreDone && isFound(answer);
  });
  return answer;
}

function whyMissing(surroundings: Surroundings, atom: string, symbol: string): Answer {
  const providers = surroundings.providers(symbol);
  if (providers.length === 0) return { missing: `nothing provides ${JSON.stringify(symbol)}` };
  const names = providers.map(({ name }) => name).join(', ');
  return { missing: `${JSON.stringify(symbol)} comes from ${names}, which ${atom} cannot see or which was ignored` };
}

const NONE: readonly string[] = [];

/** The arguments, not optional, that nothing could ever provide; sorted. */
export function unsatisfiedArguments(
  values: Values,
  surroundings: Surroundings,
  asker: Asker,
  mapping: ArgumentMapping,
): readonly string[] {
  const { detail, place } = asker;
  let missing = NONE;
  eachArgument(surroundings, asker, mapping, (argument, symbol, wire) => {
    if (surroundings.isProvided(place, symbol, wire) || mapping.optional.has(symbol)) return;
    if (values.argumentOf(detail, symbol) !== undefined || values.flowValue(symbol) !== undefined) return;
    missing = [...missing, argument].sort();
  });
  return missing;
}

/**
 * All values of a symbol: injected ones first, then those of atoms in the order of the graph.
 *
 * @throws {NotFoundError} when nothing provides it, or a provider that was not ignored has no value for it.
 */
export function fetchValues(values: Values, surroundings: Surroundings, symbol: string): unknown[] {
  const found = values.flowValues(symbol).map(({ value }) => value);
  const providers = surroundings.providers(symbol);
  if (found.length === 0 && providers.length === 0) {
    throw new NotFoundError(`Nothing provides ${JSON.stringify(symbol)}`);
  }
  for (const { name, part } of providers) {
    const reading = readLast(values.detail(name));
    if (reading.kind === 'ignored') continue;
    const value = reading.kind === 'value' ? extract(reading.value, part) : undefined;
    if (value === undefined)
      throw new NotFoundError(`${name} provides ${JSON.stringify(symbol)}, and has no value for it`);
    found.push(value.value);
  }
  if (found.length === 0) throw new NotFoundError(`All that provide ${JSON.stringify(symbol)} were ignored`);
  return found;
}

/**
 * Every symbol that has a value; the list of values where several provide it.
 *
 * @param injected - The symbols of the values that were injected for the whole flow.
 */
export function fetchAllValues(
  values: Values,
  surroundings: Surroundings,
  injected: Iterable<string>,
): Record<string, unknown> {
  const all: Record<string, unknown> = {};
  for (const symbol of new Set([...injected, ...surroundings.symbols()])) {
    try {
      const found = fetchValues(values, surroundings, symbol);
      setOwn(all, symbol, found.length === 1 ? found[0] : found);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
  }
  return all;
}
