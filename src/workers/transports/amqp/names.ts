import { plainName } from '../../../safe-name.js';
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

  room(name: string): string {
    return plainName(name);
  }
}
