import type { Message } from '../../transport.js';

/** A message in a place. */
export interface Entry {
  /** Those of a place are given in the order of their numbers. */
  readonly number: number;
  readonly message: Message;
  /** How often it was given to somebody. */
  deliveries: number;
}

/** One who takes messages of a place, for as long as its connection lasts. */
export interface Seat {
  readonly prefetch: number;
  readonly take: (entry: Entry) => void;
  /** What it has without an answer. */
  readonly held: Set<Entry>;
  /** It takes more. */
  isOpen: boolean;
}

/** A queue or a mailbox: what is in it, and who takes from it. */
export class Place {
  readonly #later: () => Promise<void>;
  readonly #seats: Seat[] = [];
  readonly #fresh = new Set<Entry>();
  /** Given before, and given back. They were here before all fresh ones. */
  #returned: Entry[] = [];
  #last = 0;
  #isGiving = false;

  /** @param later - Resolves in a later turn: nobody is given a message while another is being put. */
  constructor(later: () => Promise<void>) {
    this.#later = later;
  }

  /** How many messages are here, those that somebody has included. */
  get size(): number {
    let held = 0;
    for (const seat of this.#seats) held += seat.held.size;
    return this.#fresh.size + this.#returned.length + held;
  }

  /** Whether somebody takes from it. */
  get isRead(): boolean {
    return this.#seats.some((seat) => seat.isOpen);
  }

  put(message: Message): void {
    this.#fresh.add({ number: (this.#last += 1), message, deliveries: 0 });
    this.#give();
  }

  sit(prefetch: number, take: Seat['take']): Seat {
    const seat: Seat = { prefetch, take, held: new Set(), isOpen: true };
    this.#seats.push(seat);
    this.#give();
    return seat;
  }

  /** Gives it no more. What it has stays its own. */
  close(seat: Seat): void {
    seat.isOpen = false;
    this.#clear(seat);
  }

  /** It is gone. What it has goes to others. */
  leave(seat: Seat): void {
    seat.isOpen = false;
    const held = [...seat.held];
    seat.held.clear();
    this.#clear(seat);
    for (const entry of held) this.#giveBack(entry);
  }

  /** Takes a message away from whoever has it. @returns whether it had it still. */
  settle(seat: Seat, entry: Entry): boolean {
    if (!seat.held.delete(entry)) return false;
    this.#clear(seat);
    this.#give();
    return true;
  }

  release(seat: Seat, entry: Entry): void {
    if (this.settle(seat, entry)) this.#giveBack(entry);
  }

  empty(): void {
    this.#fresh.clear();
    this.#returned = [];
    for (const seat of this.#seats) seat.held.clear();
  }

  #clear(seat: Seat): void {
    const index = this.#seats.indexOf(seat);
    if (index >= 0 && !seat.isOpen && seat.held.size === 0) this.#seats.splice(index, 1);
  }

  #giveBack(entry: Entry): void {
    const at = this.#returned.findIndex((other) => other.number > entry.number);
    this.#returned.splice(at < 0 ? this.#returned.length : at, 0, entry);
    this.#give();
  }

  #give(): void {
    if (this.#isGiving) return;
    this.#isGiving = true;
    void this.#later().then(() => {
      this.#isGiving = false;
      this.#giveNow();
    });
  }

  #giveNow(): void {
    for (;;) {
      const seat = this.#seats.find(({ isOpen, held, prefetch }) => isOpen && held.size < prefetch);
      const entry = seat === undefined ? undefined : this.#next();
      if (seat === undefined || entry === undefined) return;
      // Whoever was served waits behind the others.
      this.#seats.splice(this.#seats.indexOf(seat), 1);
      this.#seats.push(seat);
      seat.held.add(entry);
      entry.deliveries += 1;
      seat.take(entry);
    }
  }

  #next(): Entry | undefined {
    const returned = this.#returned.shift();
    if (returned !== undefined) return returned;
    const [fresh] = this.#fresh;
    if (fresh !== undefined) this.#fresh.delete(fresh);
    return fresh;
  }
}
