import type { Clock, Timer } from '../../../environment.js';
import { TransportError } from '../../../errors.js';
import { ConnectionNews } from '../../connection-news.js';
import { checkConsume, checkMailbox, deliveryOf, handOver, tell } from '../../delivering.js';
import { Retrier } from '../../retrier.js';
import type { RetryPolicy } from '../../retry-policy.js';
import type { ConsumeOptions, Consumer, DeadLetter, Delivery, Link, MailboxOptions, Message } from '../../transport.js';
import { ConnectionCut } from './broker.js';
import type { MemoryBroker } from './broker.js';
import type { Exchange } from './exchange.js';
import type { Passage } from './faults.js';
import type { Entry, Place, Seat } from './place.js';

/** What a link does at a broker for as long as it is connected. */
interface Standing {
  readonly enter: () => void;
  /** The connection is gone. */
  readonly leave: () => void;
  /** Nothing more comes of it. */
  readonly isOver: () => boolean;
}

export interface MemoryLinkOptions {
  readonly name: string;
  readonly broker: MemoryBroker;
  readonly exchange: string;
  readonly policy: RetryPolicy;
}

/** A connection to a broker in memory. */
export class MemoryLink implements Link {
  readonly #name: string;
  readonly #broker: MemoryBroker;
  readonly #exchangeName: string;
  readonly #policy: RetryPolicy;
  readonly #clock: Clock;
  readonly #retrier: Retrier;
  readonly #news = new ConnectionNews(true);
  readonly #standing = new Set<Standing>();
  #reconnection: Timer | null = null;
  #isClosed = false;

  constructor({ name, broker, exchange, policy }: MemoryLinkOptions) {
    this.#name = name;
    this.#broker = broker;
    this.#exchangeName = exchange;
    this.#policy = policy;
    this.#clock = broker.environment.clock;
    this.#retrier = new Retrier(policy, this.#clock);
    broker.admit(this, { cut: (cause, isForGood) => this.#cut(cause, isForGood) });
  }

  async send(topic: string, message: Message): Promise<void> {
    await this.#deliver('send', topic, message, (copy) => {
      this.#exchange.queue(topic).put(copy);
      return true;
    });
  }

  async consume(topic: string, options: ConsumeOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkConsume(options);
    return this.#sit('queue', topic, options, handle, () => this.#exchange.queue(topic));
  }

  post(mailbox: string, message: Message): Promise<boolean> {
    return this.#deliver('post', mailbox, message, (copy) => this.#exchange.post(mailbox, copy));
  }

  async receive(mailbox: string, options: MailboxOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkMailbox(options);
    return this.#sit('mailbox', mailbox, options, handle, () => this.#exchange.mailbox(mailbox, options.expiryMs));
  }

  removeMailbox(mailbox: string): Promise<boolean> {
    return this.#ask(() => this.#exchange.removeMailbox(mailbox));
  }

  async announce(room: string, message: Message): Promise<void> {
    await this.#deliver('announce', room, message, (copy) => {
      this.#exchange.announce(room, copy);
      return true;
    });
  }

  async listen(room: string, handle: (message: Message) => void): Promise<Consumer> {
    let leave: (() => void) | null = null;
    return this.#stand({
      enter: () => {
        leave = this.#exchange.enter(room, (message) => tell(message, handle));
      },
      leave: () => leave?.(),
      isOver: () => false,
    });
  }

  deadLetters({ limit = Infinity }: { readonly limit?: number } = {}): Promise<readonly DeadLetter[]> {
    return this.#ask(() => this.#exchange.deadLetters.slice(0, limit));
  }

  requeueDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#ask(() => ids.filter((id) => this.#exchange.revive(id)).length);
  }

  removeAll(): Promise<void> {
    return this.#ask(() => this.#exchange.clear());
  }

  onConnection(listener: (isConnected: boolean, cause: unknown) => void): () => void {
    return this.#news.add(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#end();
    this.#broker.dismiss(this);
  }

  get #exchange(): Exchange {
    return this.#broker.exchange(this.#exchangeName);
  }

  /** Takes messages of a place for as long as nobody says otherwise, over one connection after another. */
  async #sit(
    kind: DeadLetter['kind'],
    name: string,
    { prefetch }: ConsumeOptions,
    handle: (delivery: Delivery) => void,
    find: () => Place,
  ): Promise<Consumer> {
    let now: { readonly place: Place; readonly seat: Seat } | null = null;
    let isStopped = false;
    const watch = () => {
      if (kind === 'mailbox') this.#exchange.watch(name);
    };
    const standing: Standing = {
      enter: () => {
        if (isStopped) return;
        const place = find();
        const seat = place.sit(prefetch, (entry) => handOver(this.#delivery(kind, name, place, seat, entry), handle));
        now = { place, seat };
        watch();
      },
      leave: () => {
        now?.place.leave(now.seat);
        watch();
      },
      isOver: () => isStopped && now?.seat.held.size === 0,
    };
    await this.#stand(standing);
    return {
      stop: async () => {
        if (isStopped) return;
        isStopped = true;
        now?.place.close(now.seat);
        watch();
      },
    };
  }

  async #stand(standing: Standing): Promise<Consumer> {
    await this.#ask(() => {
      for (const other of this.#standing) if (other.isOver()) this.#standing.delete(other);
      this.#standing.add(standing);
      standing.enter();
    });
    return {
      stop: async () => {
        if (this.#standing.delete(standing)) standing.leave();
      },
    };
  }

  #delivery(kind: DeadLetter['kind'], name: string, place: Place, seat: Seat, entry: Entry): Delivery {
    const { message, deliveries } = entry;
    const answer = (answered: Passage['kind'], does: () => void) => async () => {
      if (!seat.held.has(entry)) return;
      const passage = { kind: answered, exchange: this.#exchangeName, place: name, message };
      try {
        this.#broker.pass(this, passage, () => {
          does();
          return true;
        });
      } catch (error) {
        // The message is on its way to somebody else, or settled.
        if (!(error instanceof ConnectionCut)) throw error;
      }
    };
    return deliveryOf(message, deliveries, {
      ack: answer('ack', () => void place.settle(seat, entry)),
      release: answer('release', () => place.release(seat, entry)),
      reject: (reason) =>
        answer('reject', () => {
          if (place.settle(seat, entry)) this.#exchange.bury({ message, kind, place: name, reason, deliveries });
        })(),
    });
  }

  #deliver(
    kind: Passage['kind'],
    place: string,
    { properties, body }: Message,
    arrive: (message: Message) => boolean,
  ): Promise<boolean> {
    const message = { properties: structuredClone(properties), body: new Uint8Array(body) };
    const passage = { kind, exchange: this.#exchangeName, place, message };
    return this.#ask(() => this.#broker.pass(this, passage, arrive));
  }

  /** Asks something of the broker, again after a connection that is gone. */
  #ask<Answer>(question: () => Answer): Promise<Answer> {
    return this.#retrier.run(
      async () => {
        if (!this.#news.isConnected) throw new ConnectionCut('there is no connection');
        return question();
      },
      (error) => error instanceof ConnectionCut,
      (error, attempts) =>
        new TransportError(`${this.#name} cannot be reached, after ${attempts} attempts`, { cause: error }),
    );
  }

  #cut(cause: Error, isForGood: boolean): void {
    if (!this.#news.isConnected && !isForGood) return;
    if (isForGood) {
      this.#end();
      return;
    }
    for (const standing of this.#standing) standing.leave();
    this.#news.tell(false, cause);
    this.#reconnect(0);
  }

  #reconnect(retry: number): void {
    if (this.#isClosed) return;
    this.#reconnection = this.#clock.setTimer(this.#policy.delayMs(retry), () => {
      if (!this.#broker.isUp) {
        this.#reconnect(retry + 1);
        return;
      }
      for (const standing of this.#standing) standing.enter();
      this.#news.tell(true);
      this.#retrier.hurry();
    });
  }

  #end(): void {
    this.#isClosed = true;
    this.#reconnection?.cancel();
    if (this.#news.isConnected) for (const standing of this.#standing) standing.leave();
    this.#standing.clear();
    this.#retrier.close(new TransportError(`The connection to ${this.#name} is closed`));
  }
}
