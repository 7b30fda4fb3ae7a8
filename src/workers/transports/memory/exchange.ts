import type { Environment, Timer } from '../../../environment.js';
import type { DeadLetter, Message } from '../../transport.js';
import { Place } from './place.js';

interface Mailbox {
  readonly place: Place;
  expiryMs: number;
  expiry: Timer | null;
}

export type RoomListener = (message: Message) => void;

/** What one exchange has at a broker. */
export class Exchange {
  readonly #environment: Environment;
  readonly #queues = new Map<string, Place>();
  readonly #mailboxes = new Map<string, Mailbox>();
  readonly #rooms = new Map<string, Set<RoomListener>>();
  readonly #dead = new Map<string, DeadLetter>();

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** Whether there is anything that would be missed. */
  get isEmpty(): boolean {
    if (this.#dead.size > 0 || this.#mailboxes.size > 0) return false;
    return [...this.#queues.values()].every((queue) => queue.size === 0);
  }

  queue(topic: string): Place {
    const queue = this.#queues.get(topic) ?? this.#newPlace();
    this.#queues.set(topic, queue);
    return queue;
  }

  mailbox(name: string, expiryMs: number): Place {
    const mailbox = this.#mailboxes.get(name) ?? { place: this.#newPlace(), expiryMs, expiry: null };
    mailbox.expiryMs = expiryMs;
    this.#mailboxes.set(name, mailbox);
    this.watch(name);
    return mailbox.place;
  }

  /** Lets a mailbox expire if nobody reads it. To be called when that may have changed. */
  watch(name: string): void {
    const mailbox = this.#mailboxes.get(name);
    if (mailbox === undefined) return;
    mailbox.expiry?.cancel();
    mailbox.expiry = null;
    if (mailbox.place.isRead) return;
    mailbox.expiry = this.#environment.clock.setTimer(mailbox.expiryMs, () => {
      mailbox.place.empty();
      this.#mailboxes.delete(name);
    });
    mailbox.expiry.unref?.();
  }

  /** @returns false when there is no such mailbox. */
  post(name: string, message: Message): boolean {
    const mailbox = this.#mailboxes.get(name);
    mailbox?.place.put(message);
    return mailbox !== undefined;
  }

  /** @returns false when there is no such mailbox, or something in it, or somebody who reads it. */
  removeMailbox(name: string): boolean {
    const mailbox = this.#mailboxes.get(name);
    if (mailbox === undefined || mailbox.place.isRead || mailbox.place.size > 0) return false;
    mailbox.expiry?.cancel();
    return this.#mailboxes.delete(name);
  }

  /** @returns what makes the listener leave. */
  enter(room: string, listener: RoomListener): () => void {
    const listeners = this.#rooms.get(room) ?? new Set();
    this.#rooms.set(room, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#rooms.get(room) === listeners) this.#rooms.delete(room);
    };
  }

  announce(room: string, message: Message): void {
    for (const listener of [...(this.#rooms.get(room) ?? [])]) {
      void this.#environment.clock.yield().then(() => {
        if (this.#rooms.get(room)?.has(listener) === true) listener(message);
      });
    }
  }

  bury(letter: Omit<DeadLetter, 'id' | 'at'>): void {
    const id = this.#environment.newId();
    this.#dead.set(id, { ...letter, id, at: this.#environment.clock.now() });
  }

  get deadLetters(): readonly DeadLetter[] {
    return [...this.#dead.values()];
  }

  /** @returns whether it was sent. One whose mailbox is gone stays what it is. */
  revive(id: string): boolean {
    const letter = this.#dead.get(id);
    if (letter === undefined) return false;
    if (letter.kind === 'queue') this.queue(letter.place).put(letter.message);
    else if (!this.post(letter.place, letter.message)) return false;
    return this.#dead.delete(id);
  }

  clear(): void {
    for (const queue of this.#queues.values()) queue.empty();
    for (const [name, { place, expiry }] of this.#mailboxes) {
      place.empty();
      expiry?.cancel();
      if (!place.isRead) this.#mailboxes.delete(name);
    }
    this.#dead.clear();
  }

  #newPlace(): Place {
    return new Place(() => this.#environment.clock.yield());
  }
}
