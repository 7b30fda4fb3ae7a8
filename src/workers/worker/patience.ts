import type { Clock } from '../../environment.js';

/** Calls what has waited for so long, with one timer for all that waits: most of it does not wait to the end. */
export class Patience {
  /** When each began, in this order. */
  readonly #waiting = new Map<() => void, number>();
  #isTimed = false;

  constructor(
    private readonly clock: Clock,
    private readonly delayMs: number,
  ) {}

  /** @param call - Another for each that waits. */
  add(call: () => void): void {
    this.#waiting.set(call, this.clock.now());
    if (!this.#isTimed) this.#wait(this.delayMs);
  }

  remove(call: () => void): void {
    this.#waiting.delete(call);
  }

  #wait(delayMs: number): void {
    this.#isTimed = true;
    this.clock.setTimer(delayMs, () => {
      this.#isTimed = false;
      const now = this.clock.now();
      for (const [call, since] of this.#waiting) {
        const leftMs = since + this.delayMs - now;
        if (leftMs > 0) {
          this.#wait(Math.min(leftMs, this.delayMs));
          return;
        }
        this.#waiting.delete(call);
        call();
      }
    });
  }
}
