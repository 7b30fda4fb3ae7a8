import type { Clock } from '../environment.js';
import type { RetryPolicy } from './retry-policy.js';

/** Tries again what failed for want of a connection, until its owner is closed. */
export class Retrier {
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #error: Error | null = null;

  constructor(policy: RetryPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  /**
   * @param attempt - Is made again when it rejects with an error that `isWorthRetrying`.
   * @param giveUp - Makes the error of the last attempt one for the caller.
   */
  async run<Result>(
    attempt: () => Promise<Result>,
    isWorthRetrying: (error: unknown) => boolean,
    giveUp: (error: unknown, attempts: number) => Error,
  ): Promise<Result> {
    for (let retry = 0; ; retry++) {
      this.assertOpen();
      try {
        return await attempt();
      } catch (error) {
        // What was asked of a closed connection fails in many ways; that it was closed is the reason.
        this.assertOpen();
        if (!isWorthRetrying(error)) throw error;
        if (retry >= this.#policy.maxRetries) throw giveUp(error, retry + 1);
        await this.#pause(this.#policy.delayMs(retry));
      }
    }
  }

  /** The connection is back: whoever waits tries at once. */
  hurry(): void {
    for (const resume of [...this.#waiting]) resume();
  }

  /** Ends all that waits, and all that is asked later, with an error. */
  close(error: Error): void {
    this.#error ??= error;
    this.hurry();
  }

  /** @throws what it was closed with. */
  assertOpen(): void {
    if (this.#error !== null) throw this.#error;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const resume = () => {
        timer.cancel();
        this.#waiting.delete(resume);
        resolve();
      };
      const timer = this.#clock.setTimer(ms, resume);
      this.#waiting.add(resume);
    });
  }
}
