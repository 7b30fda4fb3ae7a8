/** Something that waits for its turn. */
export interface Waiting {
  /** Who asked for it: only its own entries may overtake one another. undefined: nobody, and it is never overtaken. */
  readonly owner: object | undefined;
  /** Among entries of one owner the highest is first. */
  readonly priority: number;
}

/**
 * Who is next: turns are given in the order of arrival, and an owner uses each of its turns for the entry that is most
 * urgent to it. So no owner waits longer because another calls its own work urgent.
 */
export class WaitingLine<Entry extends Waiting> {
  /** In the order of arrival. A turn is known by the entry that brought it, and belongs to that entry's owner. */
  readonly #turns = new Set<Entry>();
  readonly #byOwner = new Map<object, Map<number, Set<Entry>>>();

  get size(): number {
    return this.#turns.size;
  }

  add(entry: Entry): void {
    this.#turns.add(entry);
    const owner = ownerOf(entry);
    const priorities = this.#byOwner.get(owner) ?? new Map<number, Set<Entry>>();
    const entries = priorities.get(entry.priority) ?? new Set();
    this.#byOwner.set(owner, priorities.set(entry.priority, entries.add(entry)));
  }

  has(entry: Entry): boolean {
    return this.#byOwner.get(ownerOf(entry))?.get(entry.priority)?.has(entry) === true;
  }

  /** @returns whether it was waiting. */
  remove(entry: Entry): boolean {
    if (!this.#forget(entry)) return false;
    if (!this.#turns.delete(entry)) {
      // Its turn was used by a more urgent one, which left its own.
      const left = [...this.#turns].findLast((turn) => ownerOf(turn) === ownerOf(entry));
      if (left !== undefined) this.#turns.delete(left);
    }
    return true;
  }

  /** The next, which waits no longer. */
  take(): Entry | undefined {
    const [turn] = this.#turns;
    if (turn === undefined) return undefined;
    this.#turns.delete(turn);
    const priorities = this.#byOwner.get(ownerOf(turn)) ?? new Map<number, Set<Entry>>();
    let highest = -Infinity;
    for (const priority of priorities.keys()) highest = Math.max(highest, priority);
    const [next] = priorities.get(highest) ?? [];
    if (next !== undefined) this.#forget(next);
    return next;
  }

  #forget(entry: Entry): boolean {
    const owner = ownerOf(entry);
    const priorities = this.#byOwner.get(owner);
    const entries = priorities?.get(entry.priority);
    if (priorities === undefined || entries?.delete(entry) !== true) return false;
    if (entries.size === 0) priorities.delete(entry.priority);
    if (priorities.size === 0) this.#byOwner.delete(owner);
    return true;
  }
}

/** What nobody owns stands for itself. */
function ownerOf(entry: Waiting): object {
  return entry.owner ?? entry;
}
