import type { Body, RequestBody } from '../protocol/messages.js';

type Reason = Body<'CANCEL'>['reason'];

/** Requests that were cancelled before they came here: so many, the latest. */
export class Refused {
  readonly #reasons = new Map<string, Reason>();

  constructor(private readonly most: number) {}

  add({ requestId, submission, reason }: Body<'CANCEL'>): void {
    this.#reasons.set(`${requestId} ${submission}`, reason);
    if (this.#reasons.size <= this.most) return;
    const [oldest] = this.#reasons.keys();
    if (oldest !== undefined) this.#reasons.delete(oldest);
  }

  reasonFor({ requestId, submission }: RequestBody): Reason | null {
    return this.#reasons.get(`${requestId} ${submission}`) ?? null;
  }
}
