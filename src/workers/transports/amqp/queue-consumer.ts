import { deliveryOf, handOver } from '../../delivering.js';
import type { DeadLetter, Delivery, Message } from '../../transport.js';
import { deliveriesIn, messageIn, remainsOf } from './carried.js';
import type { AmqpChannel, AmqpMessage } from './driver.js';

export interface QueueConsumerOptions {
  readonly kind: DeadLetter['kind'];
  readonly queue: string;
  readonly prefetch: number;
  readonly handle: (delivery: Delivery) => void;
  /** Makes the queue where it is not there. @param wasRemoved - It was taken away from under the consumer. */
  readonly declare: (channel: AmqpChannel, wasRemoved: boolean) => Promise<unknown>;
  /** It is stopped, and all is answered that it had. */
  readonly onDone: () => Promise<void>;
  readonly bury: (message: Message, reason: string, deliveries: number) => Promise<void>;
  /** Puts it into the queue again, with what is known; null where the broker counts by itself. */
  readonly sendAgain: ((message: Message, deliveries: number) => Promise<void>) | null;
  /** Lets what waits in the event loop go first. */
  readonly yield: () => Promise<void>;
}

const nextTick = () => new Promise<void>((resolve) => process.nextTick(resolve));

/** Takes the messages of a queue over one channel after another. */
export class QueueConsumer {
  readonly #options: QueueConsumerOptions;
  #channel: AmqpChannel | null = null;
  #consumerTag: string | null = null;
  /** The tags of what has no answer yet, as they came. */
  #held = new Set<number>();
  /** Those that are about to be acknowledged. */
  #acks = new Set<number>();
  #acking: Promise<void> = Promise.resolve();
  #wasRemoved = false;
  #isStopped = false;
  #ending: Promise<void> | null = null;

  constructor(options: QueueConsumerOptions) {
    this.#options = options;
  }

  get queue(): string {
    return this.#options.queue;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Begins to take, over a channel. */
  async start(channel: AmqpChannel): Promise<void> {
    if (this.#isStopped) return;
    const { queue, prefetch, declare } = this.#options;
    await declare(channel, this.#wasRemoved);
    await channel.basicQos({ prefetchCount: prefetch });
    this.#channel = channel;
    this.#held = new Set();
    this.#acks = new Set();
    // The queue was removed under it, or its node is gone: another channel makes it again.
    channel.on('basic.cancel', () => {
      this.#wasRemoved = true;
      void channel.close();
    });
    const { consumerTag } = await channel.basicConsume({ queue }, (carried) => this.#take(channel, carried));
    this.#wasRemoved = false;
    this.#consumerTag = consumerTag;
  }

  /** Takes no more. The channel is closed when all is answered that it has. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const consumerTag = this.#consumerTag;
    this.#consumerTag = null;
    const channel = this.#channel;
    if (channel?.active !== true) {
      this.#held.clear();
    } else {
      // Whoever stops it may remove its queue next: that has to be empty then.
      this.#ackAll(channel);
      // Without its channel it takes no more either.
      if (consumerTag !== null) await channel.basicCancel(consumerTag).catch(() => undefined);
    }
    await this.#endWhenDone();
  }

  #take(channel: AmqpChannel, carried: AmqpMessage): void {
    if (!channel.active) return;
    const { deliveryTag } = carried;
    if (this.#isStopped) {
      channel.basicNack({ deliveryTag, requeue: true });
      return;
    }
    this.#held.add(deliveryTag);
    const whole = messageIn(carried);
    const message = typeof whole === 'string' ? remainsOf(carried) : whole;
    const deliveries = deliveriesIn(carried);
    const { bury, sendAgain, handle } = this.#options;
    // A tag means something on its own channel alone.
    const answer = async (does: () => unknown, first?: () => Promise<void>) => {
      const isLost = () => !channel.active;
      if (isLost()) return;
      await first?.();
      if (isLost()) return;
      does();
      this.#held.delete(deliveryTag);
      if (this.#isStopped) await this.#endWhenDone();
    };
    const ack = () => channel.basicAck({ deliveryTag });
    const delivery = deliveryOf(message, deliveries, {
      ack: () => this.#ack(channel, deliveryTag),
      release: () =>
        sendAgain === null
          ? answer(() => channel.basicNack({ deliveryTag, requeue: true }))
          : answer(ack, () => sendAgain(message, deliveries)),
      reject: (reason) => answer(ack, () => bury(message, reason, deliveries)),
    });
    if (typeof whole === 'string') delivery.reject(whole).catch(() => undefined);
    else handOver(delivery, handle);
  }

  /**
   * What is sent in this turn of the event loop is more urgent than that something is dealt with. What is acknowledged in
   * one turn is so together, where nothing before it has to wait.
   */
  #ack(channel: AmqpChannel, deliveryTag: number): Promise<void> {
    if (!channel.active || channel !== this.#channel) return Promise.resolve();
    const isFirst = this.#acks.size === 0;
    this.#acks.add(deliveryTag);
    if (this.#isStopped) {
      this.#ackAll(channel);
      return Promise.resolve();
    }
    if (isFirst) {
      // The driver tells of each message, and of what became of it, in a turn of its own.
      const soon = this.#held.size > 1 ? this.#options.yield() : nextTick();
      this.#acking = soon.then(() => this.#ackAll(channel));
    }
    return this.#acking;
  }

  #ackAll(channel: AmqpChannel): void {
    // On a new channel these tags are those of others.
    if (channel !== this.#channel || !channel.active) return;
    const acks = this.#acks;
    this.#acks = new Set();
    let upTo = 0;
    for (const tag of this.#held) {
      if (!acks.delete(tag)) break;
      upTo = tag;
      this.#held.delete(tag);
    }
    if (upTo > 0) channel.basicAck({ deliveryTag: upTo, multiple: true });
    for (const deliveryTag of acks) {
      channel.basicAck({ deliveryTag });
      this.#held.delete(deliveryTag);
    }
    if (this.#isStopped) void this.#endWhenDone().catch(() => undefined);
  }

  async #endWhenDone(): Promise<void> {
    if (this.#held.size === 0) await (this.#ending ??= this.#options.onDone());
  }
}
