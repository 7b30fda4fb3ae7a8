import type { Failure, FailureType } from '../failure.js';

/** One time that a retry's `execute` succeeded: what it gave, and who failed afterwards, by atom name. */
export interface Attempt<Provided = unknown> {
  readonly provided: Provided;
  readonly failures: ReadonlyMap<string, Failure>;
}

/**
 * What a retry has tried so far, the oldest attempt first.
 *
 * @see TaskFlow `retry.py`, `History`.
 */
export class History<Provided = unknown> implements Iterable<Attempt<Provided>> {
  /** Why the retry's own `execute` failed, or null. */
  readonly failure: Failure | null;
  readonly #attempts: readonly Attempt<Provided>[];

  constructor(attempts: readonly Attempt<Provided>[] = [], failure: Failure | null = null) {
    this.#attempts = attempts;
    this.failure = failure;
  }

  get length(): number {
    return this.#attempts.length;
  }

  /** An attempt by number, from 0; a negative one counts from the end. */
  at(index: number): Attempt<Provided> | undefined {
    return this.#attempts.at(index);
  }

  [Symbol.iterator](): Iterator<Attempt<Provided>> {
    return this.#attempts[Symbol.iterator]();
  }

  /** What was provided, in order. */
  *provided(): IterableIterator<Provided> {
    for (const { provided } of this.#attempts) yield provided;
  }

  /**
   * Who failed and how, in all attempts or in one; not the retry itself.
   *
   * @throws {RangeError} when there is no attempt with that number.
   */
  *outcomes(index?: number): IterableIterator<[atom: string, failure: Failure]> {
    for (const { failures } of this.#selected(index)) yield* failures;
  }

  /**
   * Whether an atom failed with an error of this type.
   *
   * @param type - A class, or its name.
   * @param options.index - Look at one attempt only.
   * @param options.includeRetry - Look at the failure of the retry itself, too. Default: false.
   */
  causedBy(type: FailureType, options: { readonly index?: number; readonly includeRetry?: boolean } = {}): boolean {
    for (const [, failure] of this.outcomes(options.index)) {
      if (failure.check(type) !== null) return true;
    }
    return options.includeRetry === true && this.failure !== null && this.failure.check(type) !== null;
  }

  #selected(index: number | undefined): readonly Attempt<Provided>[] {
    if (index === undefined) return this.#attempts;
    const attempt = this.#attempts.at(index);
    if (attempt === undefined) {
      throw new RangeError(`index takes the number of one of ${this.#attempts.length} attempts, got ${index}`);
    }
    return [attempt];
  }
}
