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
  /** Those that an atom can see: a list for each enclosing flow that has any, nearest first. */
  visible(atom: string, symbol: string): Iterable<readonly Provider[]>;
}

/** The values of one run, as `Storage` holds them. */
export interface Values {
  detail(name: string): AtomDetail;
  /** A value that was injected for one atom. */
  argumentOf(detail: AtomDetail, symbol: string): Found | undefined;
  /** Values that were injected for the whole flow, in the order in which they count. */
  flowValues(symbol: string): readonly Found[];
}

export const EMPTY_SURROUNDINGS: Surroundings = { symbols: () => [], providers: () => [], visible: () => [] };

type Answer = Found | { readonly missing: string };

function isFound(answer: Answer): answer is Found {
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
  name: string,
  mapping: ArgumentMapping,
  options: ArgumentOptions,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (mapping.bindings.size === 0) return found;
  const detail = values.detail(name);
  for (const [argument, symbol] of mapping.bindings) {
    const answer = lookUp(values, surroundings, detail, symbol, options);
    if (isFound(answer)) setOwn(found, argument, answer.value);
    else if (!mapping.optional.has(symbol)) {
      throw new NotFoundError(`The argument ${argument} of ${name} cannot be found: ${answer.missing}`);
    }
  }
  return found;
}

function lookUp(
  values: Values,
  surroundings: Surroundings,
  detail: AtomDetail,
  symbol: string,
  options: ArgumentOptions,
): Answer {
  const injected = values.argumentOf(detail, symbol) ?? values.flowValues(symbol)[0];
  if (injected !== undefined) return injected;
  for (const level of surroundings.visible(detail.name, symbol)) {
    const answer = firstOf(values, level, symbol, options);
    if (answer !== null) return answer;
  }
  const providers = surroundings.providers(symbol);
  if (providers.length === 0) return { missing: `nothing provides ${JSON.stringify(symbol)}` };
  const names = providers.map((provider) => provider.name).join(', ');
  return { missing: `${JSON.stringify(symbol)} comes from ${names}, which ${detail.name} cannot see or which was ignored` };
}

/** The first value at one level; null when all its providers were ignored, so that the next level is to be asked. */
function firstOf(values: Values, level: readonly Provider[], symbol: string, options: ArgumentOptions): Answer | null {
  let readable = false;
  let found: Found | undefined;
  for (const { name, part } of level) {
    const reading = readLast(values.detail(name));
    if (reading.kind === 'ignored') continue;
    if (reading.kind === 'none') return { missing: `${name}, which provides it, has no result in the state ${String(reading.state)}` };
    readable = true;
    found ??= extract(reading.value, part);
    if (found !== undefined && options.predecessorsAreDone) return found;
  }
  if (!readable) return null;
  return found ?? { missing: `no result at hand has a value for ${JSON.stringify(symbol)}` };
}

/** The arguments, not optional, that nothing could ever provide. */
export function unsatisfiedArguments(
  values: Values,
  surroundings: Surroundings,
  name: string,
  mapping: ArgumentMapping,
): string[] {
  const missing: string[] = [];
  if (mapping.bindings.size === 0) return missing;
  const detail = values.detail(name);
  for (const [argument, symbol] of mapping.bindings) {
    if (mapping.optional.has(symbol)) continue;
    if (values.argumentOf(detail, symbol) !== undefined || values.flowValues(symbol).length > 0) continue;
    if (isEmpty(surroundings.visible(name, symbol))) missing.push(argument);
  }
  return missing;
}

function isEmpty(levels: Iterable<unknown>): boolean {
  for (const _ of levels) return false;
  return true;
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
    if (value === undefined) throw new NotFoundError(`${name} provides ${JSON.stringify(symbol)}, and has no value for it`);
    found.push(value.value);
  }
  if (found.length === 0) throw new NotFoundError(`All that provide ${JSON.stringify(symbol)} were ignored`);
  return found;
}
