import type { Compilation } from '../compiler/compilation.js';
import type { Scopes } from '../compiler/scopes.js';
import type { Surroundings } from '../storage/lookup.js';

/** What symbols mean in a compiled flow, as storage asks for it. */
export function surroundingsOf(compilation: Compilation, scopes: Scopes): Surroundings {
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    visit(atom, symbol, visit) {
      scopes.visitProviders(compilation.atom(atom), symbol, ({ node: { name }, part }, level) => visit(name, part, level));
    },
  };
}
