import type { Compilation } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Surroundings } from '../storage/lookup.js';
import type { Storage } from '../storage/storage.js';

/** What symbols mean in a compiled flow whose atoms are registered, as storage asks for it. */
export function surroundingsOf(compilation: Compilation, storage: Storage): Surroundings {
  const scopes = new Scopes(compilation);
  const slots: (AtomSlot | undefined)[] = [];
  for (const { index, name } of compilation.atoms) slots[index] = storage.slot(name);
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    visit(place, symbol, visit) {
      scopes.visitProviders(compilation.node(place), symbol, ({ node, part }, level) => {
        const slot = slots[node.index];
        return slot !== undefined && visit(slot.detail, part, level);
      });
    },
  };
}
