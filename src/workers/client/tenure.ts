import type { Body, RequestBody } from '../protocol/messages.js';
import type { KnownWorker } from './finder.js';

/** A worker that may run a request. */
interface Holder {
  readonly workerId: string;
  /** null: it has not asked. */
  readonly claim: string | null;
  readonly delivery: number;
}

/** Who may run a request that was sent, where requests are signed: the worker that it was made for, or whoever asks first. */
export class Tenure {
  /** The worker that it was made for, as the request says. */
  readonly sole: RequestBody['sole'];
  /** Whether the request came to another worker than it was made for. */
  isAstray = false;
  #holder: Holder | null;

  /** @param worker - One that is the only one need not ask whether it may run it; null: whoever gets it has to. */
  constructor(worker: KnownWorker | null) {
    this.sole = worker === null ? undefined : { workerId: worker.id, startedAt: worker.startedAt };
    this.#holder = worker === null ? null : { workerId: worker.id, claim: null, delivery: 1 };
  }

  /**
   * A worker has it, and asks whether it may run it. What a broker gives out once more may be run once more: whoever had
   * it is gone.
   *
   * @returns whether it may.
   */
  grant({ claim, workerId, delivery }: Body<'CLAIM'>): boolean {
    const holder = this.#holder;
    if (holder !== null && holder.claim !== claim && delivery <= holder.delivery) {
      this.isAstray ||= holder.claim === null && holder.workerId !== workerId;
      return false;
    }
    this.#holder = { workerId, claim, delivery };
    return true;
  }

  /** Whether a worker may have it, as far as anybody has said. */
  mayBeWith(workerId: string): boolean {
    return this.#holder === null || this.#holder.workerId === workerId;
  }
}
