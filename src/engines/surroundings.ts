import type { ArgumentMapping } from '../atoms/arguments.js';
import type { Compilation } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Surroundings, Wire } from '../storage/lookup.js';
import { NO_SOURCE, wiresOf } from '../storage/lookup.js';

const NO_WIRES: readonly Wire[] = [];

/**
 * What symbols mean in a compiled flow whose atoms are registered, as storage asks for it.
 *
 * @param slots - The places of the atoms' records, by node.
 */
export function surroundingsOf(compilation: Compilation, slots: readonly (AtomSlot | undefined)[]): Surroundings {
  const scopes = new Scopes(compilation);
  /** By place, the mapping that was asked for last, and its wires. Most atoms have one only. */
  const mappings: (ArgumentMapping | undefined)[] = compilation.nodes.map(() => undefined);
  const wires: (readonly Wire[])[] = compilation.nodes.map(() => NO_WIRES);
  const sourceFor = (place: number, symbol: string) => {
    const providers = compilation.providersOf(symbol);
    const provider = providers[0];
    if (provider === undefined || providers.length > 1) return NO_SOURCE;
    const source = slots[provider.node.index];
    const isSeen = source !== undefined && scopes.canSee(compilation.node(place), provider.node);
    return isSeen ? { source, part: provider.part } : NO_SOURCE;
  };
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    wires(place, mapping) {
      const known = wires[place];
      if (known !== undefined && mappings[place] === mapping) return known;
      const found = wiresOf(mapping, (symbol) => sourceFor(place, symbol));
      mappings[place] = mapping;
      wires[place] = found;
      return found;
    },
    visit(place, symbol, visit) {
      scopes.visitProviders(compilation.node(place), symbol, ({ node, part }, level) => {
        const slot = slots[node.index];
        return slot !== undefined && visit(slot.detail, part, level);
      });
    },
  };
}
