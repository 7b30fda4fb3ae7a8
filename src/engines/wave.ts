const NOBODY: number[] = [];

/** Atoms that were found to run next: each once, in the order in which they were found. */
export class Wave {
  readonly #isIn: Uint8Array;
  #nodes: number[] = NOBODY;

  constructor(count: number) {
    this.#isIn = new Uint8Array(count);
  }

  get size(): number {
    return this.#nodes.length;
  }

  add(node: number): void {
    if (this.#isIn[node] === 1) return;
    this.#isIn[node] = 1;
    // A wave of one, the usual one of a chain, takes no more room than it needs.
    if (this.#nodes.length === 0) this.#nodes = [node];
    else this.#nodes.push(node);
  }

  /** Gives all, and is empty afterwards. */
  take(): number[] {
    const nodes = this.#nodes;
    for (const node of nodes) this.#isIn[node] = 0;
    this.#nodes = NOBODY;
    return nodes;
  }
}
