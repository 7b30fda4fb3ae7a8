import type { AmqpChannel } from './driver.js';
import { codeOf } from './driver.js';
import type { Names } from './names.js';
import type { PublishOptions } from './publisher.js';

export interface QueueSettings {
  /** Of topics. */
  readonly queueType: 'quorum' | 'classic';
  /** After how many deliveries the broker gives a message up. Quorum queues only. */
  readonly deliveryLimit: number;
  /** How long, in milliseconds, a consumer may take for an answer; undefined: as the broker is set up. */
  readonly consumerTimeoutMs: number | undefined;
}

/** Makes what an exchange has at a broker, and removes it. */
export class Topology {
  readonly names: Names;
  readonly #settings: QueueSettings;

  constructor(names: Names, settings: QueueSettings) {
    this.names = names;
    this.#settings = settings;
  }

  /** All but the queues of topics and mailboxes. It is done before each of these is made: somebody may have removed them. */
  async declareExchanges(channel: AmqpChannel): Promise<void> {
    const { exchange, rooms, dead, made } = this.names;
    await channel.exchangeDeclare({ exchange, type: 'direct', durable: true });
    await channel.exchangeDeclare({ exchange: rooms, type: 'direct', durable: true });
    await channel.exchangeDeclare({ exchange: dead, type: 'fanout', durable: true });
    await channel.queueDeclare({ queue: dead, durable: true });
    await channel.queueBind({ queue: dead, exchange: dead, routingKey: '' });
    await channel.queueDeclare({ queue: made, durable: true });
  }

  /** By which a queue of a topic is found when all is removed. */
  noteOf(queue: string): PublishOptions {
    const message = { properties: { type: 'QUEUE' }, body: Buffer.from(queue) };
    return { exchange: '', routingKey: this.names.made, message };
  }

  async declareTopic(channel: AmqpChannel, queue: string): Promise<void> {
    const { queueType, deliveryLimit, consumerTimeoutMs } = this.#settings;
    // What the broker limits is how often a message may come back.
    await channel.queueDeclare({
      queue,
      durable: true,
      arguments: {
        'x-queue-type': queueType,
        'x-dead-letter-exchange': this.names.dead,
        ...(queueType === 'quorum' ? { 'x-delivery-limit': deliveryLimit - 1 } : {}),
        ...(consumerTimeoutMs === undefined ? {} : { 'x-consumer-timeout': consumerTimeoutMs }),
      },
    });
    await channel.queueBind({ queue, exchange: this.names.exchange, routingKey: queue });
  }

  async declareMailbox(channel: AmqpChannel, queue: string, expiryMs: number): Promise<void> {
    await channel.queueDeclare({ queue, durable: true, arguments: { 'x-expires': expiryMs } });
  }

  /** @returns false when there is no such queue, or something in it, or somebody who consumes from it. */
  async removeEmpty(
    withChannel: (does: (channel: AmqpChannel) => Promise<unknown>) => Promise<unknown>,
    queue: string,
  ): Promise<boolean> {
    try {
      // To delete what is not there is no error.
      await withChannel(async (channel) => {
        await channel.queueDeclare({ queue, passive: true });
        await channel.queueDelete({ queue, ifEmpty: true, ifUnused: true });
      });
      return true;
    } catch (error) {
      if (['NOT_FOUND', 'PRECONDITION_FAILED'].includes(codeOf(error) ?? '')) return false;
      throw error;
    }
  }

  /** @param acquire - Opens a channel: the broker closes the one on which it was asked for what is not there. */
  async exists(acquire: () => Promise<AmqpChannel>, queue: string): Promise<boolean> {
    const channel = await acquire();
    try {
      await channel.queueDeclare({ queue, passive: true });
      return true;
    } catch (error) {
      if (codeOf(error) === 'NOT_FOUND') return false;
      throw error;
    } finally {
      await channel.close();
    }
  }

  /**
   * Mailboxes of other links stay where they are, and expire when nobody reads them.
   *
   * @param withChannel - Opens a channel: the broker closes the one on which it refuses something.
   * @param others - Queues that are not known to the broker by name.
   */
  async removeAll(
    withChannel: (does: (channel: AmqpChannel) => Promise<unknown>) => Promise<unknown>,
    others: Iterable<string>,
  ): Promise<void> {
    const { exchange, rooms, dead, made } = this.names;
    for (let isDone = false; !isDone;) {
      await withChannel((channel) => this.#removeQueues(channel, others));
      try {
        await withChannel((channel) => channel.queueDelete({ queue: made, ifEmpty: true }));
        isDone = true;
      } catch (error) {
        // More was made meanwhile.
        if (codeOf(error) !== 'PRECONDITION_FAILED') throw error;
      }
    }
    await withChannel(async (channel) => {
      for (const each of [exchange, rooms, dead]) await channel.exchangeDelete({ exchange: each });
    });
  }

  async #removeQueues(channel: AmqpChannel, others: Iterable<string>): Promise<void> {
    const { dead, made } = this.names;
    await this.declareExchanges(channel);
    const queues = new Set([...others, dead]);
    for (let found = await channel.basicGet({ queue: made, noAck: true }); found !== undefined;) {
      const queue = found.body instanceof Uint8Array ? Buffer.from(found.body).toString() : '';
      // Whoever may write notes may not have others remove what is not of this exchange.
      if (this.names.has(queue)) queues.add(queue);
      found = await channel.basicGet({ queue: made, noAck: true });
    }
    for (const queue of queues) await channel.queueDelete(queue);
  }
}
