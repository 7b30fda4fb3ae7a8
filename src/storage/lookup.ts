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
  /** Where the arguments of an atom come from, in the order of their bindings; the same list whenever it is asked for. */
  wires(place: number, mapping: ArgumentMapping): readonly Wire[];
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

/** One argument of an atom. */
export interface Wire {
  readonly argument: string;
  readonly symbol: string;
  readonly isOptional: boolean;
  /** The one atom that the symbol can come from: the atom can see it, and nobody else provides the symbol. */
  readonly source: { readonly detail: AtomDetail } | null;
  /** The part of the source's result. */
  readonly part: Provider['part'];
}

/** The arguments of a mapping, in the order of its bindings. `sourceOf` finds the only provider of a symbol. */
export function wiresOf(
  { bindings, optional }: ArgumentMapping,
  sourceOf: (symbol: string) => Pick<Wire, 'source' | 'part'>,
): Wire[] {
  const wires = new Array<Wire>(bindings.size);
  let at = 0;
  bindings.forEach((symbol, argument) => {
    const { source, part } = sourceOf(symbol);
    wires[at++] = { argument, symbol, isOptional: optional.has(symbol), source, part };
  });
  return wires;
}

export const NO_SOURCE: Pick<Wire, 'source' | 'part'> = { source: null, part: null };

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

export const EMPTY_SURROUNDINGS: Surroundings = {
  symbols: () => [],
  providers: () => [],
  wires: (_, mapping) => wiresOf(mapping, () => NO_SOURCE),
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
  if (mapping.bindings.size === 0) return found;
  for (const wire of surroundings.wires(asker.place, mapping)) {
    const answer = lookUp(values, surroundings, asker, wire, options);
    if (isFound(answer)) setOwn(found, wire.argument, answer.value);
    else if (!wire.isOptional) {
      throw new NotFoundError(
        `The argument ${wire.argument} of ${asker.detail.name} cannot be found: ${answer.missing}`,
      );
    }
  }
  return found;
}

/** Looks up one argument: its value, or what stands in its way. */
export function lookUp(
  values: Values,
  surroundings: Surroundings,
  { detail, place }: Asker,
  wire: Wire,
  options: ArgumentOptions,
): Answer {
  const { symbol } = wire;
  return (
    values.argumentOf(detail, symbol) ??
    values.flowValue(symbol) ??
    onlyValue(wire) ??
    nearestValue(surroundings, place, symbol, options) ??
    whyMissing(surroundings, detail.name, symbol)
  );
}

/** The value of a symbol that can come from one atom only; undefined where there are several, or it has none. */
function onlyValue({ source, part }: Wire): Found | undefined {
  if (source === null) return undefined;
  const reading = readLast(source.detail);
  return reading.kind === 'value' ? extract(reading.value, part) : undefined;
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
  { detail, place }: Asker,
  mapping: ArgumentMapping,
): readonly string[] {
  let missing = NONE;
  for (const { argument, symbol, isOptional, source } of surroundings.wires(place, mapping)) {
    if (source !== null || isOptional || isVisible(surroundings, place, symbol)) continue;
    if (values.argumentOf(detail, symbol) !== undefined || values.flowValue(symbol) !== undefined) continue;
    missing = [...missing, argument].sort();
  }
  return missing;
}

function isVisible(surroundings: Surroundings, place: number, symbol: string): boolean {
  const seen: AtomDetail[] = [];
  surroundings.visit(place, symbol, (detail) => seen.push(detail) > 0);
  return seen.length > 0;
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
