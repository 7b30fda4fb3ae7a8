import { Connection } from 'rabbitmq-client';
import type { Channel } from 'rabbitmq-client';
import { afterAll } from 'vitest';

/** Looks at a broker past flowstate. */
export class AmqpAdmin {
  readonly #connection: Connection;

  private constructor(url: string) {
    // As large as the broker lets frames be. Each question is small, and held back for the last one's acknowledgement else.
    this.#connection = new Connection({ url, frameMax: 131_072, noDelay: true });
    this.#connection.on('error', () => undefined);
  }

  /** For the tests of a file. */
  static to(url: string): AmqpAdmin {
    const admin = new AmqpAdmin(url);
    afterAll(() => admin.#connection.close());
    return admin;
  }

  /**
   * Asks on a channel of its own, which the broker closes when it refuses.
   *
   * @returns the answer, or the code of why it is refused.
   */
  async ask<Answer>(question: (channel: Channel) => Promise<Answer>): Promise<Answer | string> {
    const channel = await this.#connection.acquire();
    channel.on('error', () => undefined);
    try {
      return await question(channel);
    } catch (error) {
      return error instanceof Error && 'code' in error ? String(error.code) : String(error);
    } finally {
      await channel.close();
    }
  }

  /** @returns how many there are, or the code of why there is no such queue. */
  async messagesIn(queue: string): Promise<number | string> {
    const answer = await this.ask((channel) => channel.queueDeclare({ queue, passive: true }));
    return typeof answer === 'string' ? answer : answer.messageCount;
  }

  async hasExchange(exchange: string): Promise<boolean> {
    return (await this.ask((channel) => channel.exchangeDeclare({ exchange, passive: true }))) === undefined;
  }

  /** Puts something into a queue, as others may. */
  async put(queue: string, body: unknown, fields: object = {}): Promise<void> {
    const refused = await this.ask(async (channel) => {
      await channel.confirmSelect();
      await channel.basicPublish({ exchange: '', routingKey: queue, mandatory: true, ...fields }, body);
    });
    if (refused !== undefined) throw new Error(`It could not be put into ${queue}: ${refused}`);
  }
}
