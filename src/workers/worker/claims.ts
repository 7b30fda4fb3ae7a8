import type { Clock, Timer } from '../../environment.js';
import type { Body, RequestBody } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import type { SignatureMark } from '../protocol/signing.js';
import type { Delivery } from '../transport.js';

/** How many requests are remembered. */
const MOST_MARKS = 50_000;
/** How often, in milliseconds, an engine that does not answer is asked. */
const ASK_EVERY_MS = 3000;

/** What an engine says to a claim. */
export type Verdict =
  | { readonly kind: 'granted' }
  /** It is not to be run: it was run before, or another worker has it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** The engine is away. */
  | { readonly kind: 'unanswered' }
  /** The worker is being stopped. */
  | { readonly kind: 'closed' };

export interface ClaimsParts {
  readonly workerId: string;
  /** When the worker began, as it says in its notices. */
  readonly startedAt: number;
  readonly clock: Clock;
  readonly newId: () => string;
  /** For how long, in milliseconds, an engine that does not answer is asked. */
  readonly patienceMs: number;
  /** @returns false when there is no such mailbox. */
  readonly post: (mailbox: string, claim: Body<'CLAIM'>) => Promise<boolean>;
}

/**
 * Asks engines whether requests may be run. A request with a valid signature may be one that somebody has recorded and
 * sends again: only the engine that made it knows whether somebody has it, or has had it.
 *
 * It need not be asked about one that it made for this worker alone, which was never here before.
 */
export class Claims {
  /** When those were signed that were here, by their signatures. */
  readonly #marks = new Map<string, number>();
  /** The latest of those that are not remembered any more. */
  #forgotten = -Infinity;
  readonly #open = new Map<string, (verdict: Verdict) => void>();

  constructor(private readonly parts: ClaimsParts) {}

  /** Whether it can be no other than the one that its engine has sent. To be asked once for each delivery. */
  isPlain({ sole }: RequestBody, { deliveries }: Delivery, { signature, at }: SignatureMark): boolean {
    const isNew = !this.#marks.has(signature) && at > this.#forgotten;
    this.#remember(signature, at);
    const { workerId, startedAt } = this.parts;
    return isNew && deliveries === 1 && sole?.workerId === workerId && sole.startedAt === startedAt;
  }

  /** Asks the engine, again from time to time. */
  ask(body: RequestBody, { deliveries }: Delivery, mailbox: string): Promise<Verdict> {
    const { workerId, clock, newId, patienceMs, post } = this.parts;
    const { requestId, submission, dispatch } = body;
    const key = { requestId, submission, dispatch };
    const claim = { version: PROTOCOL_VERSION, ...key, workerId, delivery: deliveries, claim: newId() } as const;
    const until = clock.now() + patienceMs;
    return new Promise((resolve) => {
      let timer: Timer | null = null;
      const end = (verdict: Verdict) => {
        timer?.cancel();
        if (this.#open.delete(claim.claim)) resolve(verdict);
      };
      this.#open.set(claim.claim, end);
      const attempt = () => {
        if (clock.now() >= until) {
          end({ kind: 'unanswered' });
          return;
        }
        timer = clock.setTimer(Math.min(ASK_EVERY_MS, patienceMs), attempt);
        post(mailbox, claim).then(
          (isThere) => {
            if (!isThere) end({ kind: 'refused', reason: 'its run has ended' });
          },
          // The broker may be back the next time.
          () => undefined,
        );
      };
      attempt();
    });
  }

  hear({ claim, refusal }: Body<'GRANT'>): void {
    this.#open.get(claim)?.(refusal === null ? { kind: 'granted' } : { kind: 'refused', reason: refusal });
  }

  close(): void {
    for (const end of [...this.#open.values()]) end({ kind: 'closed' });
  }

  #remember(signature: string, at: number): void {
    this.#marks.set(signature, at);
    if (this.#marks.size <= MOST_MARKS) return;
    const [oldest] = this.#marks;
    if (oldest === undefined) return;
    this.#marks.delete(oldest[0]);
    this.#forgotten = Math.max(this.#forgotten, oldest[1]);
  }
}
