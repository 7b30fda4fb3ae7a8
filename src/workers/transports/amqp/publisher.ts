import type { Environment } from '../../../environment.js';
import { fieldsOf } from './carried.js';
import type { CarriedParts } from './carried.js';
import type { AmqpChannel } from './driver.js';
import { ChannelClosed } from './standing-channel.js';
import type { WriteTurn } from './write-turn.js';

export interface PublishOptions extends Omit<CarriedParts, 'messageId'> {
  readonly exchange: string;
  readonly routingKey: string;
  /** Whether there has to be somebody who gets it. @default true */
  readonly isMandatory?: boolean;
  /** Whether it has to outlive the broker. @default true */
  readonly isDurable?: boolean;
}

/** Publishes messages, and hears what the broker says to them. */
export class Publisher {
  readonly #environment: Environment;
  readonly #current: () => AmqpChannel | null;
  readonly #turn: WriteTurn;
  readonly #returned = new Set<string>();
  /** How many have no confirmation yet. */
  #underWay = 0;

  /** @param current - The channel with confirms; null while there is none. */
  constructor(environment: Environment, turn: WriteTurn, current: () => AmqpChannel | null) {
    this.#environment = environment;
    this.#turn = turn;
    this.#current = current;
  }

  async setUp(channel: AmqpChannel): Promise<void> {
    await channel.confirmSelect();
    channel.on('basic.return', ({ messageId }) => {
      if (messageId !== undefined) this.#returned.add(messageId);
    });
  }

  /** @returns whether somebody gets it. @throws {ChannelClosed} */
  async publish(parts: PublishOptions): Promise<boolean> {
    const { message, exchange, routingKey, isMandatory = true, isDurable = true } = parts;
    const channel = this.#current();
    if (channel === null) throw new ChannelClosed('there is no channel to publish on');
    const messageId = this.#environment.newId();
    const bytes = Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength);
    this.#turn.begin(this.#underWay > 0);
    this.#underWay += 1;
    try {
      await channel.basicPublish(
        {
          ...fieldsOf({ ...parts, messageId }),
          exchange,
          routingKey,
          mandatory: isMandatory,
          durable: isDurable,
          contentType: 'application/octet-stream',
        },
        bytes,
      );
    } finally {
      this.#underWay -= 1;
    }
    if (!isMandatory) return true;
    // What comes back comes before the confirmation, but the driver tells of it a turn later.
    await this.#environment.clock.yield();
    return !this.#returned.delete(messageId);
  }
}
