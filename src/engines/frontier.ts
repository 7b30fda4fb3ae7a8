import type { Adjacency } from '../compiler/adjacency.js';

/**
 * How far something has come through a graph, in one direction.
 *
 * A node is *passed* when it fulfils a condition of its own and everything before it is passed, and *reached* when
 * everything before it is passed. Each node counts those directly before it that are not: a change of one touches its
 * neighbours, and goes on only where a count comes to zero or leaves it.
 */
export class Frontier {
  readonly #fulfils: Uint8Array;
  readonly #passed: Uint8Array;
  readonly #missing: Int32Array;
  readonly #stack: number[] = [];

  /**
   * @param before - What comes directly before each node.
   * @param after - What comes directly after it.
   * @param onReached - Told of a node that was reached and does not fulfil the condition.
   */
  constructor(
    private readonly before: Adjacency,
    private readonly after: Adjacency,
    private readonly onReached: (node: number) => void,
  ) {
    const count = before.start.length - 1;
    this.#fulfils = new Uint8Array(count);
    this.#passed = new Uint8Array(count);
    this.#missing = new Int32Array(count);
  }

  isPassed(node: number): boolean {
    return this.#passed[node] === 1;
  }

  isReached(node: number): boolean {
    return this.#missing[node] === 0;
  }

  /** Whether a node fulfils the condition, whatever comes before it. */
  fulfils(node: number): boolean {
    return this.#fulfils[node] === 1;
  }

  /** Counts from the beginning. Each node has to come after all that are before it. */
  rebuild(order: Iterable<number>, fulfils: (node: number) => boolean): void {
    const { start, nodes } = this.before;
    for (const node of order) {
      let missing = 0;
      const end = start[node + 1] ?? 0;
      for (let i = start[node] ?? 0; i < end; i++) if (this.#passed[nodes[i] ?? 0] !== 1) missing += 1;
      const own = fulfils(node);
      this.#missing[node] = missing;
      this.#fulfils[node] = own ? 1 : 0;
      this.#passed[node] = own && missing === 0 ? 1 : 0;
      if (missing === 0 && !own) this.onReached(node);
    }
  }

  /** Takes note of whether a node fulfils the condition now. */
  set(node: number, fulfils: boolean): void {
    if (this.fulfils(node) === fulfils) return;
    this.#fulfils[node] = fulfils ? 1 : 0;
    if (this.#missing[node] !== 0) return;
    this.#passed[node] = fulfils ? 1 : 0;
    this.#stack.push(node);
    if (fulfils) this.#advance();
    else this.#retreat();
  }

  #advance(): void {
    const { start, nodes } = this.after;
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      const end = start[node + 1] ?? 0;
      for (let i = start[node] ?? 0; i < end; i++) {
        const next = nodes[i] ?? 0;
        const missing = (this.#missing[next] ?? 0) - 1;
        this.#missing[next] = missing;
        if (missing > 0) continue;
        if (this.#fulfils[next] === 0) this.onReached(next);
        else {
          this.#passed[next] = 1;
          this.#stack.push(next);
        }
      }
    }
  }

  #retreat(): void {
    const { start, nodes } = this.after;
    for (let node = this.#stack.pop(); node !== undefined; node = this.#stack.pop()) {
      const end = start[node + 1] ?? 0;
      for (let i = start[node] ?? 0; i < end; i++) {
        const next = nodes[i] ?? 0;
        this.#missing[next] = (this.#missing[next] ?? 0) + 1;
        if (this.#passed[next] === 0) continue;
        this.#passed[next] = 0;
        this.#stack.push(next);
      }
    }
  }
}
