import type { Failure } from '../../failure.js';
import type { Body, RequestBody } from '../protocol/messages.js';

/** Requests that were cancelled before they came here: so many, the latest. */
export class Refused {
  readonly #reasons = new Map<string, Failure>();

  constructor(private readonly most: number) {}

  add({ requestId, submission }: Body<'CANCEL'>, reason: Failure): void {
    this.#reasons.set(`${requestId} ${submission}`, reason);
    if (this.#reasons.size <= this.most) return;
    const [oldest] = this.#reasons.keys();
    if (oldest !== undefined) this.#reasons.delete(oldest);
  }

  reasonFor({ requestId, submission }: RequestBody): Failure | null {
    return this.#reasons.get(`${requestId} ${submission}`) ?? null;
  }
}
