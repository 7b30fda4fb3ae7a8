import type { AtomDetail } from '../persistence/details.js';
import type { AtomSlot } from './ledger.js';
import type { Found } from './values.js';
import { asRecord, extract } from './values.js';

/** The key of an atom's metadata under which the values are that are injected for it and kept with the run. */
export const INJECTED = 'injected';

/** Values that no atom provides: given to the whole flow or to one atom, kept with the run or in memory only. */
export class InjectedValues {
  /** The record that holds those of the whole flow that are kept with the run. */
  slot: AtomSlot | null = null;

  readonly #transient = new Map<string, unknown>();
  readonly #transientArguments = new Map<string, Map<string, unknown>>();

  // Of the whole flow ------------------------------------------------------------------------------------------------

  addTransient(values: Readonly<Record<string, unknown>>): void {
    for (const [name, value] of Object.entries(values)) this.#transient.set(name, value);
  }

  /** Those that are kept with the run. */
  get persistent(): Readonly<Record<string, unknown>> {
    return this.slot === null ? {} : (asRecord(this.slot.detail.results) ?? {});
  }

  transientValue(symbol: string): Found | undefined {
    const { size } = this.#transient;
    return size > 0 && this.#transient.has(symbol) ? { value: this.#transient.get(symbol) } : undefined;
  }

  persistentValue(symbol: string): Found | undefined {
    return this.slot === null ? undefined : extract(this.persistent, symbol);
  }

  symbols(): Set<string> {
    return new Set([...this.#transient.keys(), ...Object.keys(this.persistent)]);
  }

  // Of one atom ------------------------------------------------------------------------------------------------------

  addTransientArguments(name: string, values: Readonly<Record<string, unknown>>): void {
    const known = this.#transientArguments.get(name) ?? new Map<string, unknown>();
    for (const [key, value] of Object.entries(values)) known.set(key, value);
    this.#transientArguments.set(name, known);
  }

  persistentArguments({ meta }: AtomDetail): Readonly<Record<string, unknown>> | undefined {
    return asRecord(meta[INJECTED]);
  }

  argumentOf(detail: AtomDetail, symbol: string): Found | undefined {
    const transient = this.#transientArguments.size === 0 ? undefined : this.#transientArguments.get(detail.name);
    if (transient?.has(symbol) === true) return { value: transient.get(symbol) };
    const persistent = this.persistentArguments(detail);
    return persistent === undefined ? undefined : extract(persistent, symbol);
  }

  /** @param newName - What an atom is called from now on. */
  rename(newName: (name: string) => string): void {
    const injected = [...this.#transientArguments];
    this.#transientArguments.clear();
    for (const [name, values] of injected) this.#transientArguments.set(newName(name), values);
  }
}
