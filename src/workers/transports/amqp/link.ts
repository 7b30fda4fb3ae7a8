import type { Environment, Timer } from '../../../environment.js';
import { TransportError } from '../../../errors.js';
import { ConnectionNews } from '../../connection-news.js';
import { checkConsume, checkMailbox, tell } from '../../delivering.js';
import { Retrier } from '../../retrier.js';
import type { RetryPolicy } from '../../retry-policy.js';
import type { ConsumeOptions, Consumer, DeadLetter, Delivery, Link, MailboxOptions, Message } from '../../transport.js';
import { deadLetterIn, messageIn } from './carried.js';
import type { AmqpChannel, AmqpConnection } from './driver.js';
import { codeOf, isPassing } from './driver.js';
import { Names } from './names.js';
import { Publisher } from './publisher.js';
import { QueueConsumer } from './queue-consumer.js';
import type { QueueConsumerOptions } from './queue-consumer.js';
import { StandingChannel } from './standing-channel.js';
import { Topology } from './topology.js';
import type { QueueSettings } from './topology.js';
import { WriteTurn } from './write-turn.js';

/** How long, in milliseconds, what was made counts as being there, if nothing says otherwise. */
const SURE_MS = 1000;
/** How long a connection may take to be closed in order. */
const CLOSING_MS = 2000;

export interface AmqpLinkOptions extends QueueSettings {
  readonly name: string;
  readonly exchange: string;
  readonly policy: RetryPolicy;
  readonly environment: Environment;
  readonly connect: () => AmqpConnection;
}

/** A link to a broker: one connection, with a channel to publish, one to ask, and one for each consumer. */
export class AmqpLink implements Link {
  readonly #options: AmqpLinkOptions;
  readonly #environment: Environment;
  readonly #names: Names;
  readonly #topology: Topology;
  readonly #retrier: Retrier;
  readonly #news = new ConnectionNews(false);
  readonly #connection: AmqpConnection;
  readonly #publisher: Publisher;
  readonly #publishing: StandingChannel;
  readonly #standing = new Set<StandingChannel>();
  readonly #consumers = new Map<QueueConsumer, StandingChannel>();
  /** Queues of topics that are known to be there. */
  readonly #known = new Set<string>();
  /** Queues of topics that are being made. */
  readonly #making = new Map<string, Promise<void>>();
  /** Queues of mailboxes that this link made. */
  readonly #mailboxes = new Set<string>();
  readonly #pauses = new Map<Timer, () => void>();
  /** Until when all but the queues of topics and mailboxes is surely there. */
  #sureUntil = -Infinity;
  #lastError: unknown = null;
  #isClosed = false;

  constructor(options: AmqpLinkOptions) {
    this.#options = options;
    this.#environment = options.environment;
    this.#names = new Names(options.exchange);
    this.#topology = new Topology(this.#names, options);
    this.#retrier = new Retrier(options.policy, options.environment.clock);
    this.#connection = options.connect();
    this.#connection.on('error', (error) => {
      this.#lastError = error;
    });
    const turn = new WriteTurn(this.#connection, options.environment.clock);
    this.#publisher = new Publisher(options.environment, turn, () => this.#publishing.now);
    this.#publishing = this.#newChannel(async (channel) => {
      await Promise.all([this.#topology.declareExchanges(channel), this.#publisher.setUp(channel)]);
      this.#sureUntil = this.#environment.clock.now() + SURE_MS;
    });
  }

  async start(): Promise<void> {
    const opening = this.#publishing.keepOpening();
    const failing = new Promise<void>((resolve) => {
      this.#connection.on('error', () => resolve());
    });
    await Promise.race([opening, failing]);
    try {
      await this.#run(async () => {
        if (this.#publishing.now === null) throw this.#noConnection();
      });
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  async send(topic: string, message: Message): Promise<void> {
    await this.#run(() => this.#send(topic, message));
  }

  async prepare(topic: string): Promise<void> {
    await this.#run(() => this.#declareTopic(this.#names.place('queue', topic)));
  }

  async consume(topic: string, options: ConsumeOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkConsume(options);
    const queue = this.#names.place('queue', topic);
    const isCounted = this.#options.queueType === 'quorum';
    return this.#take('queue', topic, options, handle, {
      declare: async (_channel, wasRemoved) => {
        this.#known.delete(queue);
        if (wasRemoved) this.#sureUntil = -Infinity;
        await (wasRemoved ? this.#makeTopic(queue, true) : this.#declareTopic(queue));
      },
      sendAgain: isCounted ? null : (message, deliveries) => this.#run(() => this.#send(topic, message, deliveries)),
    });
  }

  post(mailbox: string, message: Message): Promise<boolean> {
    const routingKey = this.#names.place('mailbox', mailbox);
    const place = { kind: 'mailbox', name: mailbox } as const;
    // The broker's own exchange knows all queues: they are found whatever becomes of others.
    return this.#run(() => this.#publisher.publish({ exchange: '', routingKey, message, place }));
  }

  async receive(mailbox: string, options: MailboxOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkMailbox(options);
    const queue = this.#names.place('mailbox', mailbox);
    this.#mailboxes.add(queue);
    return this.#take('mailbox', mailbox, options, handle, {
      declare: () => this.#declareMailbox(queue, options.expiryMs),
      sendAgain: null,
    });
  }

  async removeMailbox(mailbox: string): Promise<boolean> {
    const queue = this.#names.place('mailbox', mailbox);
    // What one of its consumers has not answered is not counted by the broker.
    if ([...this.#consumers.keys()].some((consumer) => consumer.queue === queue)) return false;
    const isRemoved = await this.#run(() => this.#topology.removeEmpty((does) => this.#withChannel(does), queue));
    if (isRemoved) this.#mailboxes.delete(queue);
    return isRemoved;
  }

  async announce(room: string, message: Message): Promise<void> {
    const [exchange, routingKey] = [this.#names.rooms, this.#names.room(room)];
    const isMandatory = false;
    await this.#run(() => this.#publisher.publish({ exchange, routingKey, message, isMandatory, isDurable: false }));
  }

  async listen(room: string, handle: (message: Message) => void): Promise<Consumer> {
    const standing = this.#newChannel(async (channel) => {
      if (!this.#isSure) await this.#topology.declareExchanges(channel);
      const { queue } = await channel.queueDeclare({ queue: '', exclusive: true, autoDelete: true });
      await channel.queueBind({ queue, exchange: this.#names.rooms, routingKey: this.#names.room(room) });
      await channel.basicConsume({ queue, noAck: true }, (carried) => {
        const message = messageIn(carried);
        if (channel.active && typeof message !== 'string') tell(message, handle);
      });
    });
    await this.#open(standing);
    return { stop: () => this.#end(standing) };
  }

  deadLetters({ limit = Infinity }: { readonly limit?: number } = {}): Promise<readonly DeadLetter[]> {
    return this.#run(async () => {
      const found: DeadLetter[] = [];
      await this.#visitDead(async (letter) => {
        found.push(letter);
        return found.length < limit;
      });
      return found.slice(0, limit);
    });
  }

  async requeueDeadLetters(ids: readonly string[]): Promise<number> {
    let count = 0;
    await this.#run(() =>
      this.#visitDead(async ({ id, kind, place, message }, ack) => {
        if (!ids.includes(id)) return true;
        if (kind === 'queue') await this.#send(place, message);
        else if (!(await this.post(place, message))) return true;
        ack();
        count += 1;
        return true;
      }),
    );
    return count;
  }

  async removeAll(): Promise<void> {
    for (const [consumer, standing] of this.#consumers) {
      await consumer.stop();
      await this.#endConsumer(consumer);
      // It may be making again what another has removed.
      await standing.settled();
    }
    this.#sureUntil = -Infinity;
    await this.#run(() => this.#topology.removeAll((does) => this.#withChannel(does), this.#mailboxes));
    this.#known.clear();
  }

  onConnection(listener: (isConnected: boolean, cause: unknown) => void): () => void {
    return this.#news.add(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retrier.close(new TransportError(`The connection to ${this.#options.name} is closed`));
    for (const [timer, resolve] of this.#pauses) {
      timer.cancel();
      resolve();
    }
    const isInOrder = this.#publishing.now !== null;
    const closing = (async () => {
      await Promise.allSettled([...this.#standing, this.#publishing].map((standing) => standing.close()));
      await this.#connection.close();
    })();
    // What does not answer is left alone.
    if (isInOrder) await Promise.race([closing.catch(() => undefined), this.#pause(CLOSING_MS)]);
    else closing.catch(() => undefined);
    this.#connection.unsafeDestroy();
    this.#endPauses();
  }

  async #take(
    kind: DeadLetter['kind'],
    name: string,
    { prefetch }: ConsumeOptions,
    handle: (delivery: Delivery) => void,
    parts: {
      readonly declare: QueueConsumerOptions['declare'];
      readonly sendAgain: ((message: Message, deliveries: number) => Promise<void>) | null;
    },
  ): Promise<Consumer> {
    const consumer: QueueConsumer = new QueueConsumer({
      ...parts,
      onDone: () => this.#endConsumer(consumer),
      yield: () => this.#environment.clock.yield(),
      kind,
      queue: this.#names.place(kind, name),
      prefetch,
      handle,
      bury: (message, reason, deliveries) =>
        this.#run(async () => {
          const death = { reason, deliveries, at: this.#environment.clock.now() };
          const place = { kind, name };
          await this.#publisher.publish({ exchange: this.#names.dead, routingKey: '', message, place, death });
        }),
    });
    const standing = this.#newChannel((channel) => consumer.start(channel));
    await this.#open(standing);
    this.#consumers.set(consumer, standing);
    return { stop: () => consumer.stop() };
  }

  async #endConsumer(consumer: QueueConsumer): Promise<void> {
    const standing = this.#consumers.get(consumer);
    this.#consumers.delete(consumer);
    if (standing !== undefined) await this.#end(standing);
  }

  async #send(topic: string, message: Message, deliveries?: number): Promise<void> {
    const [exchange, routingKey] = [this.#names.exchange, this.#names.place('queue', topic)];
    const { queueType, deliveryLimit } = this.#options;
    const place = { kind: 'queue', name: topic, ...(queueType === 'quorum' ? { deliveryLimit } : {}) } as const;
    for (let time = 0; time < 2; time++) {
      await this.#declareTopic(routingKey);
      if (await this.#publisher.publish({ exchange, routingKey, message, place, deliveries })) return;
      // Somebody removed the queue.
      this.#known.delete(routingKey);
      this.#sureUntil = -Infinity;
    }
    throw new TransportError(`${this.#options.name} has no queue for the topic '${topic}', though it was made`);
  }

  /** Those who need a queue at the same time make it once. */
  async #declareTopic(queue: string): Promise<void> {
    if (this.#known.has(queue)) return;
    const underWay = this.#making.get(queue);
    if (underWay !== undefined) return underWay;
    const making = this.#makeTopic(queue).finally(() => this.#making.delete(queue));
    this.#making.set(queue, making);
    return making;
  }

  /** @param wasRemoved - Somebody is removing queues: one that is there may be gone before it is declared. */
  async #makeTopic(queue: string, wasRemoved = false): Promise<void> {
    const declareExchanges = () => this.#withChannel((channel) => this.#topology.declareExchanges(channel));
    const exists = () => this.#topology.exists(() => this.#acquireNow(), queue);
    const [, isThere] = await Promise.all([this.#isSure ? null : declareExchanges(), wasRemoved ? false : exists()]);
    const isNew = !isThere;
    const note = async () => {
      while (isNew && !(await this.#publisher.publish(this.#topology.noteOf(queue)))) await declareExchanges();
    };
    // Before, as this process may end in between, and after, as another may have removed all that was noted.
    await note();
    await this.#withChannel((channel) => this.#topology.declareTopic(channel, queue));
    await note();
    this.#known.add(queue);
  }

  /** One that is there is taken up as it is. */
  async #declareMailbox(queue: string, expiryMs: number): Promise<void> {
    try {
      await Promise.all([
        this.#isSure ? null : this.#withChannel((channel) => this.#topology.declareExchanges(channel)),
        this.#withChannel((channel) => this.#topology.declareMailbox(channel, queue, expiryMs)),
      ]);
    } catch (error) {
      if (codeOf(error) !== 'PRECONDITION_FAILED') throw error;
    }
  }

  /** Shows the dead letters to a visitor, until it has seen enough. Those that it does not take stay where they are. */
  #visitDead(visit: (letter: DeadLetter, ack: () => void) => Promise<boolean>): Promise<void> {
    return this.#withChannel(async (channel) => {
      for (;;) {
        const carried = await channel.basicGet({ queue: this.#names.dead });
        if (carried === undefined) return;
        const letter = deadLetterIn(carried, this.#names, this.#environment.clock.now());
        const { deliveryTag } = carried;
        if (letter !== null && !(await visit(letter, () => channel.basicAck({ deliveryTag })))) return;
      }
    });
  }

  /** Somebody may have removed what this link has made, and that is not told. */
  get #isSure(): boolean {
    return this.#environment.clock.now() < this.#sureUntil;
  }

  #newChannel(setUp: (channel: AmqpChannel) => Promise<unknown>): StandingChannel {
    return new StandingChannel({
      acquire: () => this.#acquire(),
      setUp: async (channel) => {
        try {
          await setUp(channel);
        } catch (error) {
          this.#sureUntil = -Infinity;
          throw error;
        }
      },
      pause: () => this.#pause(this.#options.policy.delayMs(0)),
      onChange: (cause) => this.#tell(cause),
    });
  }

  async #open(standing: StandingChannel): Promise<void> {
    await this.#run(async () => {
      if (this.#publishing.now === null) throw this.#noConnection();
      await standing.open();
    });
    this.#standing.add(standing);
    if (this.#isClosed) await this.#end(standing);
  }

  async #end(standing: StandingChannel): Promise<void> {
    this.#standing.delete(standing);
    await standing.close();
  }

  #acquire(): Promise<AmqpChannel> {
    return this.#connection.acquire({ emitErrorsFromChannel: true });
  }

  /** Without a connection the driver would wait for one. */
  async #acquireNow(): Promise<AmqpChannel> {
    if (this.#publishing.now === null) throw this.#noConnection();
    return this.#acquire();
  }

  /** Does something on a channel of its own: what the broker refuses closes the channel. */
  async #withChannel<Result>(does: (channel: AmqpChannel) => Promise<Result>): Promise<Result> {
    const channel = await this.#acquireNow();
    channel.on('error', () => undefined);
    try {
      return await does(channel);
    } catch (error) {
      this.#sureUntil = -Infinity;
      throw error;
    } finally {
      await channel.close();
    }
  }

  /** It is connected when all of its channels are open. */
  #tell(cause: unknown): void {
    if (this.#isClosed) return;
    const isUp = this.#publishing.isUp && [...this.#standing].every((standing) => standing.isUp);
    this.#news.tell(isUp, cause);
    if (isUp) this.#retrier.hurry();
  }

  #noConnection(): Error {
    const error = new TransportError('there is no connection', { cause: this.#lastError });
    return Object.assign(error, { code: 'NO_CONNECTION' });
  }

  async #run<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    const { name } = this.#options;
    try {
      return await this.#retrier.run(
        question,
        isPassing,
        (cause, attempts) => new TransportError(`${name} cannot be reached, after ${attempts} attempts`, { cause }),
      );
    } catch (error) {
      if (error instanceof TransportError || codeOf(error) === null || !(error instanceof Error)) throw error;
      throw new TransportError(`${name} refused: ${error.message}`, { cause: error });
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#environment.clock.setTimer(ms, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }

  #endPauses(): void {
    for (const [timer, resolve] of this.#pauses) {
      timer.cancel();
      resolve();
    }
    this.#pauses.clear();
  }
}
