import type { ArgumentMapping } from '../atoms/arguments.js';
import type { Compilation, Provider } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { Scopes } from '../compiler/scopes.js';
import type { AtomSlot } from '../storage/ledger.js';
import { NO_WIRE } from '../storage/lookup.js';
import type { Surroundings } from '../storage/lookup.js';

/**
 * What symbols mean in a compiled flow whose atoms are registered, as storage asks for it.
 *
 * @param slots - The places of the atoms' records, by node.
 */
export function surroundingsOf(compilation: Compilation, slots: readonly (AtomSlot | undefined)[]): Surroundings {
  const scopes = new Scopes(compilation);
  const wires = new Wires(compilation, scopes);
  return {
    symbols: () => compilation.symbols(),
    providers: (symbol) =>
      compilation
        .providersOf(symbol)
        .toSorted((a, b) => a.node.index - b.node.index)
        .map(({ node: { name }, part }) => ({ name, part })),
    firstWire: (place, mapping) => wires.first(place, mapping),
    isProvided(place, symbol, wire) {
      let isSeen = wires.provider(place, symbol, wire) !== null;
      if (!isSeen) scopes.visitProviders(compilation.node(place), symbol, () => (isSeen = true));
      return isSeen;
    },
    only(place, symbol, wire) {
      const provider = wires.provider(place, symbol, wire);
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

/** The one atom that each argument of an `execute` can come from, where there is only one. */
class Wires {
  readonly #compilation: Compilation;
  readonly #scopes: Scopes;
  /** The first wire of each atom, by node. */
  readonly #first: Int32Array;
  /** Undefined before it is looked for. */
  readonly #providers: (Provider | null | undefined)[];

  constructor(compilation: Compilation, scopes: Scopes) {
    this.#compilation = compilation;
    this.#scopes = scopes;
    this.#first = new Int32Array(compilation.nodes.length);
    let count = 0;
    for (const { index, item } of compilation.atoms) {
      this.#first[index] = count;
      count += item.executeMapping.bindings.size;
    }
    this.#providers = new Array<undefined>(count).fill(undefined);
  }

  first(place: number, mapping: ArgumentMapping): number {
    const node = this.#compilation.node(place);
    return isAtom(node) && node.item.executeMapping === mapping ? (this.#first[place] ?? NO_WIRE) : NO_WIRE;
  }

  provider(place: number, symbol: string, wire: number): Provider | null {
    if (wire === NO_WIRE) return this.#look(place, symbol);
    const known = this.#providers[wire];
    if (known !== undefined) return known;
    const found = this.#look(place, symbol);
    this.#providers[wire] = found;
    return found;
  }

  #look(place: number, symbol: string): Provider | null {
    const provider = this.#compilation.onlyProviderOf(symbol);
    return provider !== null && this.#scopes.canSee(this.#compilation.node(place), provider.node) ? provider : null;
  }
}
