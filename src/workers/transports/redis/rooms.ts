import type { RedisClient, RedisConnection } from './connection.js';
import { Unanswered } from './connection.js';

type Hear = (bytes: Buffer) => void;

interface ConnectionParts {
  readonly onReady: (client: RedisClient) => Promise<unknown>;
}

/** The rooms that a link listens to, over one connection, which is made for the first of them. */
export class Rooms {
  readonly #newConnection: (parts: ConnectionParts) => RedisConnection;
  readonly #listeners = new Map<string, Set<Hear>>();
  #connection: RedisConnection | null = null;

  constructor(newConnection: (parts: ConnectionParts) => RedisConnection) {
    this.#newConnection = newConnection;
  }

  get isUp(): boolean {
    return this.#connection?.isUp ?? true;
  }

  /** @returns what makes the listener leave. */
  async enter(channel: string, hear: Hear): Promise<() => Promise<void>> {
    const connection = (this.#connection ??= this.#connect());
    await connection.attempt();
    await connection.ask('SUBSCRIBE', [channel]);
    const listeners = this.#listeners.get(channel) ?? new Set();
    const own: Hear = (bytes) => hear(bytes);
    this.#listeners.set(channel, listeners.add(own));
    return async () => {
      if (!listeners.delete(own) || listeners.size > 0) return;
      this.#listeners.delete(channel);
      // Nobody is told any more; without a connection there is nothing to end.
      await connection.ask('UNSUBSCRIBE', [channel]).catch((error: unknown) => {
        if (!(error instanceof Unanswered)) throw error;
      });
    };
  }

  close(): void {
    this.#connection?.close();
  }

  #connect(): RedisConnection {
    const connection = this.#newConnection({
      onReady: async (client) => {
        const channels = [...this.#listeners.keys()];
        if (channels.length > 0) await client.callBuffer('subscribe', ...channels);
      },
    });
    connection.client.on('messageBuffer', (channel: Buffer, bytes: Buffer) => {
      for (const hear of this.#listeners.get(channel.toString()) ?? []) hear(bytes);
    });
    connection.start();
    return connection;
  }
}
