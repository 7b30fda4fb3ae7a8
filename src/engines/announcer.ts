export const NO_NEWS: readonly (() => void)[] = [];

/**
 * Brings news to listeners, now or when what it is about is durable.
 *
 * Where every change is a commit of its own, news waits until `settle` has committed it. What a listener causes is told
 * before what was still to be told, as if it had been told at once.
 */
export class Announcer {
  #isHolding: boolean;
  #held: (() => void)[] = [];
  #settling: Promise<void> | null = null;

  constructor(
    readonly perChange: boolean,
    private readonly commit: () => Promise<void> | undefined,
  ) {
    this.#isHolding = perChange;
  }

  announce(tell: () => void): void {
    if (this.#isHolding) this.#held.push(tell);
    else tell();
  }

  /** Keeps news back until it is taken. */
  hold(): void {
    this.#isHolding = true;
  }

  /** Gives what was held back since it was last taken. */
  take(): readonly (() => void)[] {
    const held = this.#held;
    if (held.length === 0) return NO_NEWS;
    this.#held = [];
    return held;
  }

  /** Holds nothing back any more; what was held back is not told: it did not come to be. */
  drop(): void {
    this.#held = [];
    this.#isHolding = this.perChange;
  }

  /** Holds nothing back any more; what was not taken is told now. */
  letGo(): void {
    const left = this.take();
    this.#isHolding = this.perChange;
    for (const tell of left) tell();
  }

  /** With a commit for each change: commits, then tells what was held back. Otherwise there is nothing to do. */
  settle(): Promise<void> | undefined {
    if (!this.perChange) return undefined;
    const before = this.#settling ?? Promise.resolve();
    this.#settling = before.catch(() => undefined).then(() => this.#tellAll());
    return this.#settling;
  }

  async #tellAll(): Promise<void> {
    do {
      const isDurable = this.#held.length > 0;
      await this.commit();
      // What came meanwhile is about something that this commit may not have.
      if (!isDurable) continue;
      const [next, ...rest] = this.#held;
      this.#held = [];
      next?.();
      this.#held.push(...rest);
    } while (this.#held.length > 0);
    await this.commit();
  }
}
