import type { AtomNode, Compilation } from '../compiler/compilation.js';
import type { Scopes } from '../compiler/scopes.js';
import type { Provider, Surroundings } from '../storage/lookup.js';

/** What symbols mean in a compiled flow, as storage asks for it. */
export function surroundingsOf(compilation: Compilation, scopes: Scopes): Surroundings {
  const providers = new Map<string, Provider[]>();
  const asProvider = ({ name, item }: AtomNode, symbol: string): Provider => ({
    name,
    part: item.saveAs.get(symbol) ?? null,
  });
  for (const node of compilation.atoms) {
    for (const symbol of node.item.saveAs.keys()) {
      const known = providers.get(symbol);
      if (known === undefined) providers.set(symbol, [asProvider(node, symbol)]);
      else known.push(asProvider(node, symbol));
    }
  }
  return {
    symbols: () => providers.keys(),
    providers: (symbol) => providers.get(symbol) ?? [],
    *visible(atom, symbol) {
      for (const level of scopes.providers(compilation.atom(atom), symbol)) {
        yield level.map((node) => asProvider(node, symbol));
      }
    },
  };
}
