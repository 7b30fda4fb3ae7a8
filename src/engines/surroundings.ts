import type { ArgumentMapping } from '../atoms/arguments.js';
import type { Compilation } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Surroundings, Wire } from '../storage/lookup.js';
import { NO_SOURCE, wiresOf } from '../storage/lookup.js';

/** The arguments of an atom, as they were found for a mapping. */
interface Wiring {
  readonly mapping: ArgumentMapping;
  readonly wires: readonly Wire[];
}

/**
 * What symbols mean in a compiled flow whose atoms are registered, as storage asks for it.
 *
 * @param slots - The places of the atoms' records, by node.
 */
export function surroundingsOf(compilation: Compilation, slots: readonly (AtomSlot | undefined)[]): Surroundings {
  const scopes = new Scopes(compilation);
  /** By place, for the mapping that was asked for last. Most atoms have one only. */
  const known: (Wiring | undefined)[] = compilation.nodes.map(() => undefined);
  const sourceFor = (place: number, symbol: string) => {
    const [provider, another] = compilation.providersOf(symbol);
    if (provider === undefined || another !== undefined) return NO_SOURCE;
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
      const last = known[place];
      if (last?.mapping === mapping) return last.wires;
      const wires = wiresOf(mapping, (symbol) => sourceFor(place, symbol));
      known[place] = { mapping, wires };
      return wires;
    },
    visit(place, symbol, visit) {
      scopes.visitProviders(compilation.node(place), symbol, ({ node, part }, level) => {
        const slot = slots[node.index];
        return slot !== undefined && visit(slot.detail, part, level);
      });
    },
  };
}
