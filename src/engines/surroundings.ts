import type { Compilation } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Provider, Surroundings } from '../storage/lookup.js';
import type { Storage } from '../storage/storage.js';

/** What an atom was found to get a symbol from: one other atom. */
class Only {
  constructor(
    readonly symbol: string,
    readonly slot: AtomSlot,
    readonly part: Provider['part'],
  ) {}

  get detail() {
    return this.slot.detail;
  }
}

/** What symbols mean in a compiled flow whose atoms are registered, as storage asks for it. */
export function surroundingsOf(compilation: Compilation, storage: Storage): Surroundings {
  const scopes = new Scopes(compilation);
  const slots: (AtomSlot | undefined)[] = compilation.nodes.map(() => undefined);
  for (const { index, name } of compilation.atoms) slots[index] = storage.slot(name);
  /** By place, of the symbol that was asked for last. */
  const known: (Only | undefined)[] = compilation.nodes.map(() => undefined);
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    only(place, symbol) {
      const last = known[place];
      if (last?.symbol === symbol) return last;
      const [provider, another] = compilation.providersOf(symbol);
      if (provider === undefined || another !== undefined) return undefined;
      const slot = slots[provider.node.index];
      if (slot === undefined || !scopes.canSee(compilation.node(place), provider.node)) return undefined;
      return (known[place] = new Only(symbol, slot, provider.part));
    },
    visit(place, symbol, visit) {
      scopes.visitProviders(compilation.node(place), symbol, ({ node, part }, level) => {
        const slot = slots[node.index];
        return slot !== undefined && visit(slot.detail, part, level);
      });
    },
  };
}
