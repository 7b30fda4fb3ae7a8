import { KEPT_OF_LONG, nameOfPlain, plainName } from '../../../safe-name.js';
import type { DeadLetter } from '../../transport.js';

/** Names take 255 bytes. */
const LONGEST = 200;

/** What an exchange has at a broker. */
export class Names {
  /** Direct: the routing key is the name of the queue. */
  readonly exchange: string;
  /** Direct: the routing key is the name of the room. */
  readonly rooms: string;
  /** An exchange, and the queue that gets all from it. */
  readonly dead: string;
  /** A queue with the names of the queues that were made: nobody can ask a broker for them. */
  readonly made: string;

  constructor(exchange: string) {
    this.exchange = `flowstate.${plainName(exchange)}`;
    this.rooms = `${this.exchange}.rooms`;
    this.dead = `${this.exchange}.dead`;
    this.made = `${this.exchange}.made`;
  }

  place(kind: DeadLetter['kind'], name: string): string {
    const full = `${this.exchange}.${kind}.${plainName(name)}`;
    return full.length <= LONGEST ? full : plainName(full);
  }

  /** Which place a queue is; null for one that is none, or whose name was shortened. */
  placeOf(queue: string): { readonly kind: DeadLetter['kind']; readonly name: string } | null {
    for (const kind of ['queue', 'mailbox'] as const) {
      const prefix = `${this.exchange}.${kind}.`;
      const name = nameOfPlain(queue.slice(prefix.length));
      if (queue.startsWith(prefix) && this.place(kind, name) === queue) return { kind, name };
    }
    return null;
  }

  /** Whether a queue may be one of this exchange. */
  has(queue: string): boolean {
    return queue.startsWith(`${this.exchange}.`.slice(0, KEPT_OF_LONG));
  }

  room(name: string): string {
    return plainName(name);
  }
}
