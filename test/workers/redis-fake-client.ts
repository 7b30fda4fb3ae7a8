import { EventEmitter } from 'node:events';
import type { RedisClient } from '../../src/workers/transports/redis/connection.js';

/** A client without a server: what becomes of its commands is for those who extend it to say. */
export abstract class FakeClient implements RedisClient {
  readonly #events = new EventEmitter();

  abstract callBuffer(command: string): Promise<unknown>;

  on(event: string, listener: (...args: never[]) => void): unknown {
    return this.#events.on(event, () => listener());
  }

  connect(): Promise<void> {
    this.#events.emit('ready');
    return Promise.resolve();
  }

  disconnect(): void {
    this.#events.emit('end');
  }
}
