import type { ArgumentMapping } from '../atoms/arguments.js';
import { MissingDependenciesError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import { unsatisfiedArguments } from '../storage/lookup.js';
import type { Storage } from '../storage/storage.js';
import type { Runtime } from './runtime.js';

const METHODS = ['execute', 'revert'] as const;

/** How many symbols a message lists at most. */
const MOST_LISTED = 20;

/** Of a shorter name any other is a slip of the finger away. */
const SHORTEST_TYPO = 3;

/**
 * Checks that every argument of every atom can come from somewhere.
 *
 * @throws {MissingDependenciesError} naming what is missing and who or what could be meant; the errors of single atoms
 * are its chain of causes, the last one first. Where the only atom is the root, that atom's error.
 */
export function validateArguments(runtime: Runtime): void {
  const { compilation, storage } = runtime;
  const errors: MissingDependenciesError[] = [];
  const symbols = new Set<string>();
  for (const { item, index } of compilation.atoms) {
    let satisfied: ArgumentMapping | null = null;
    for (const method of METHODS) {
      const mapping = method === 'execute' ? item.executeMapping : item.revertMapping;
      if (mapping.bindings.size === 0 || mapping === satisfied) continue;
      const asker = { place: index, detail: runtime.slot(index).detail };
      const missing = unsatisfiedArguments(storage, storage.surroundings, asker, mapping);
      if (missing.length === 0) {
        satisfied = mapping;
        continue;
      }
      const own = missing.map((argument) => mapping.bindings.get(argument) ?? argument);
      for (const symbol of own) symbols.add(symbol);
      const hint = hintAt(storage, own);
      errors.push(new MissingDependenciesError(item.toString(), missing, { method, hint, cause: errors.at(-1) }));
    }
  }
  const last = errors.at(-1);
  if (last === undefined) return;
  const isRoot = compilation.nodes.length === 1;
  if (isRoot && errors.length === 1) throw last;
  const all = [...new Set(errors.flatMap(({ missing }) => missing))].sort();
  const hint = hintAt(storage, [...symbols]);
  throw new MissingDependenciesError(compilation.root.toString(), all, { hint, cause: last });
}

/** Who would provide a symbol, if it could be seen; else what may have been meant. */
function hintAt(storage: Storage, symbols: readonly string[]): string {
  const { surroundings } = storage;
  const known = [...new Set([...storage.flowSymbols(), ...surroundings.symbols()])];
  return symbols
    .slice(0, MOST_LISTED)
    .map((symbol) => {
      const providers = surroundings.providers(symbol).map(({ name }) => name);
      if (providers.length > 0)
        return `${symbol} is provided by ${providers.join(', ')}, which does not come before it`;
      const meant = symbol.length < SHORTEST_TYPO ? null : nearestName(symbol, known);
      if (meant !== null) return `for ${symbol}, did you mean ${meant}?`;
      return known.length === 0
        ? 'no symbols are provided at all'
        : `symbols that are provided: ${known.slice(0, MOST_LISTED).join(', ')}`;
    })
    .join('; ');
}
