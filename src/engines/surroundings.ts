import type { Compilation, Provider } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Surroundings } from '../storage/lookup.js';

/**
 * What symbols mean in a compiled flow whose atoms are registered, as storage asks for it.
 *
 * @param slots - The places of the atoms' records, by node.
 */
export function surroundingsOf(compilation: Compilation, slots: readonly (AtomSlot | undefined)[]): Surroundings {
  const scopes = new Scopes(compilation);
  const onlyProvider = (place: number, symbol: string): Provider | null => {
    const providers = compilation.providersOf(symbol);
    const provider = providers[0];
    if (provider === undefined || providers.length > 1) return null;
    return scopes.canSee(compilation.node(place), provider.node) ? provider : null;
  };
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    isProvided(place, symbol) {
      let isSeen = onlyProvider(place, symbol) !== null;
      if (!isSeen) scopes.visitProviders(compilation.node(place), symbol, () => (isSeen = true));
      return isSeen;
    },
    only(place, symbol) {
      const provider = onlyProvider(place, symbol);
      const slot = provider === null ? undefined : slots[provider.node.index];
      return provider === null || slot === undefined ? null : { detail: slot.detail, part: provider.part };
    },
    visit(place, symbol, visit) {
      scopes.visitProviders(compilation.node(place), symbol, ({ node, part }, level) => {
        const slot = slots[node.index];
        return slot !== undefined && visit(slot.detail, part, level);
      });
    },
  };
}
