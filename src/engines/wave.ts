/** Atoms that were found to run next: each once, in the order in which they were found. */
export class Wave {
  readonly #isIn: Uint8Array;
  #nodes: number[] = [];

  constructor(count: number) {
    this.#isIn = new Uint8Array(count);
  }

  get size(): number {
    return this.#nodes.length;
  }

  add(node: number): void {
    if (this.#isIn[node] === 1) return;
    this.#isIn[node] = 1;
    this.#nodes.push(node);
  }

  /** Gives all, and is empty afterwards. */
  take(): number[] {
    const nodes = this.#nodes;
    for (const node of nodes) this.#isIn[node] = 0;
    this.#nodes = [];
    return nodes;
  }
}
