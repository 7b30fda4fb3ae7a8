import type { Argument, RedisConnection } from './connection.js';
import { isUnknownScript } from './connection.js';
import type { Script } from './scripts.js';

/**
 * What is put into streams, in order. A reader that has got something is about to read again: what is put meanwhile goes
 * with its next read, over its connection, in one call to the system. Everything else goes over the connection to ask.
 */
export class Outlet {
  readonly #main: RedisConnection;
  /** Of readers that are about to read. */
  readonly #leaving = new Set<RedisConnection>();
  /** The one of these that has taken something along, which has no answer yet. */
  #carrier: RedisConnection | null = null;
  #carried = 0;
  /** How much has no answer that did not go along. */
  #asked = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(main: RedisConnection) {
    this.#main = main;
  }

  /** A reader is about to read: what is put now is sent with that. */
  open(connection: RedisConnection): void {
    connection.hold();
    this.#leaving.add(connection);
  }

  /** It reads now, or not at all. */
  close(connection: RedisConnection): void {
    this.#leaving.delete(connection);
    connection.letGo();
  }

  /** The connection that takes along what is put now; null: nothing does. */
  get carrier(): RedisConnection | null {
    if (this.#asked > 0) return null;
    if (this.#carrier !== null) return this.#leaving.has(this.#carrier) ? this.#carrier : null;
    for (const connection of this.#leaving) if (connection.isUp) return connection;
    return null;
  }

  /** @throws {Unanswered} */
  add(args: readonly Argument[]): Promise<unknown> {
    return this.#put((connection) => connection.ask('XADD', args));
  }

  /** @throws {Unanswered} */
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    return this.#put((connection) =>
      // Where a reader waits nothing can be asked once more.
      connection === this.#main
        ? connection.run(script, keys, args)
        : connection.ask('EVALSHA', [script.sha, keys.length, ...keys, ...args]),
    );
  }

  async #put(question: (connection: RedisConnection) => Promise<unknown>): Promise<unknown> {
    const { carrier } = this;
    if (carrier !== null) {
      this.#carrier = carrier;
      this.#carried += 1;
      try {
        return await question(carrier);
      } catch (error) {
        if (!isUnknownScript(error)) throw error;
      } finally {
        this.#carried -= 1;
        if (this.#carried === 0) this.#arrived();
      }
    }
    this.#asked += 1;
    try {
      // Two connections have no order.
      if (this.#carried > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
      return await question(this.#main);
    } finally {
      this.#asked -= 1;
    }
  }

  #arrived(): void {
    this.#carrier = null;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
