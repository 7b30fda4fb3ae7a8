import type { Timer } from '../../environment.js';
import { UPDATE_PROGRESS } from '../../atoms/task.js';
import type { RequestKey, ResponseBody } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import type { Ending } from './result-store.js';

/** What is said of a request, without the facts that all replies have. */
export type Say =
  | { readonly state: 'RUNNING'; readonly data: Record<string, never> }
  | { readonly state: 'EVENT'; readonly data: { readonly event_type: string; readonly details: string } }
  | { readonly state: 'SUCCESS'; readonly data: { readonly result: string } }
  | Pick<Extract<Ending, { state: 'FAILURE' }>, 'state' | 'data'>;

export interface OutboxParts {
  readonly workerId: string;
  /** The request that is answered; another asker of the same attempt may take its place. */
  readonly key: () => RequestKey & { readonly delivery: number };
  /** Sends a reply. What it returns never rejects. */
  readonly post: (body: ResponseBody) => Promise<void>;
  readonly later: (delayMs: number, call: () => void) => Timer;
}

/** A task tells of its progress ten times a second at most: the latest counts. */
const PROGRESS_EVERY_MS = 100;

/**
 * The replies of one request, in order. Progress that comes faster than it is sent is replaced by what comes after it;
 * everything else is sent, and whatever is still held back goes before it.
 */
export class Outbox {
  #number = 0;
  #held: string | null = null;
  #pause: Timer | null = null;
  #isRunningSaid = false;
  #isOver = false;

  constructor(private readonly parts: OutboxParts) {}

  /** Says that the task runs, where that has not been said. */
  running(): void {
    if (!this.#isRunningSaid && !this.#isOver) this.runningAgain();
  }

  runningAgain(): void {
    this.#isRunningSaid = true;
    void this.#say({ state: 'RUNNING', data: {} });
  }

  event(event: string, details: string): void {
    if (this.#isOver) return;
    this.running();
    if (event !== UPDATE_PROGRESS) {
      this.#flush();
      void this.#say({ state: 'EVENT', data: { event_type: event, details } });
      return;
    }
    this.#held = details;
    if (this.#pause === null) this.#sendHeld();
  }

  /** Says how it ended. Resolves when the broker keeps it. */
  end(say: Say & { readonly state: 'SUCCESS' | 'FAILURE' }): { readonly ending: Ending; readonly sent: Promise<void> } {
    this.#flush();
    this.#isOver = true;
    const ending = this.#bodyOf(say) as Ending;
    return { ending, sent: this.parts.post(ending) };
  }

  /** Says nothing any more. */
  close(): void {
    this.#isOver = true;
    this.#held = null;
    this.#endPause();
  }

  #endPause(): void {
    this.#pause?.cancel();
    this.#pause = null;
  }

  #flush(): void {
    this.#endPause();
    this.#sendHeld();
    this.#endPause();
  }

  #sendHeld(): void {
    const details = this.#held;
    this.#held = null;
    if (details === null) return;
    void this.#say({ state: 'EVENT', data: { event_type: UPDATE_PROGRESS, details } });
    this.#pause = this.parts.later(PROGRESS_EVERY_MS, () => {
      this.#pause = null;
      this.#sendHeld();
    });
  }

  #say(say: Say): Promise<void> {
    return this.parts.post(this.#bodyOf(say));
  }

  #bodyOf(say: Say): ResponseBody {
    this.#number += 1;
    const { workerId, key } = this.parts;
    return { version: PROTOCOL_VERSION, ...key(), workerId, number: this.#number, ...say };
  }
}
