import type { Clock, Timer } from '../../../environment.js';
import type { Message } from '../../transport.js';

/** Something on its way to a broker: a message, or the answer to one. */
export interface Passage {
  readonly kind: 'send' | 'post' | 'announce' | 'ack' | 'release' | 'reject';
  readonly exchange: string;
  /** The queue, mailbox or room. */
  readonly place: string;
  /** The message, or the one that is answered. */
  readonly message: Message;
}

/**
 * What becomes of it.
 *
 * - `deliver`: nothing happens to it.
 * - `drop`: whoever sent it believes that it came, but it did not.
 * - `duplicate`: it comes twice.
 * - `reorder`: it comes behind the next one of its kind for its place, or after 100 ms if none comes.
 * - `cutBefore`: the connection is cut before the broker has it; a message is sent again.
 * - `cutAfter`: the connection is cut when the broker has it, before it has said so; a message is sent again.
 * - `delayMs`: it comes so much later; what was sent after it does not wait.
 * - `instead`: another message comes in its place.
 */
export type Fate =
  | 'deliver'
  | 'drop'
  | 'duplicate'
  | 'reorder'
  | 'cutBefore'
  | 'cutAfter'
  | { readonly delayMs: number }
  | { readonly instead: Message };

/** Decides on what becomes of things; undefined leaves it to others. */
export type FaultRule = (passage: Passage) => Fate | undefined;

/** How long, in milliseconds, something waits for the next one to pass it: the last of all passes too. */
const LONGEST_HOLD_MS = 100;

/** Something that waits for the next one of its kind for its place. */
interface Held {
  readonly timer: Timer;
  readonly arrive: () => void;
}

/** The faults that somebody asked for. */
export class Faults {
  readonly #clock: Clock;
  readonly #rules: { readonly rule: FaultRule }[] = [];
  /** By exchange, kind and place. */
  readonly #held = new Map<string, Set<Held>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @returns what takes the rule away. */
  add(rule: FaultRule): () => void {
    const own = { rule };
    this.#rules.push(own);
    return () => {
      const index = this.#rules.indexOf(own);
      if (index >= 0) this.#rules.splice(index, 1);
    };
  }

  /**
   * Lets something through, or not.
   *
   * @param arrive - Is called when it comes. @returns what the broker says to it.
   * @param cut - Cuts the connection on which it is; throws.
   * @returns what whoever sent it believes.
   */
  pass(passage: Passage, arrive: (message: Message) => boolean, cut: () => never): boolean {
    const { message } = passage;
    const key = JSON.stringify([passage.exchange, passage.kind, passage.place]);
    const fate = this.#fateOf(passage);
    if (fate === 'drop') return true;
    if (fate === 'cutBefore') return cut();
    if (fate === 'reorder') {
      this.#hold(key, () => void arrive(message));
      return true;
    }
    if (typeof fate === 'object' && 'delayMs' in fate) {
      this.#clock.setTimer(fate.delayMs, () => void arrive(message)).unref?.();
      return true;
    }
    const answer = arrive(typeof fate === 'object' ? fate.instead : message);
    if (fate === 'duplicate') arrive(message);
    for (const each of this.#held.get(key) ?? []) this.#release(key, each);
    return fate === 'cutAfter' ? cut() : answer;
  }

  #hold(key: string, arrive: () => void): void {
    const timer = this.#clock.setTimer(LONGEST_HOLD_MS, () => this.#release(key, held));
    timer.unref?.();
    const held = { timer, arrive };
    this.#held.set(key, (this.#held.get(key) ?? new Set()).add(held));
  }

  #release(key: string, held: Held): void {
    const others = this.#held.get(key);
    if (others?.delete(held) !== true) return;
    if (others.size === 0) this.#held.delete(key);
    held.timer.cancel();
    held.arrive();
  }

  #fateOf(passage: Passage): Fate {
    for (const { rule } of this.#rules) {
      const fate = rule(passage);
      if (fate !== undefined) return fate;
    }
    return 'deliver';
  }
}
