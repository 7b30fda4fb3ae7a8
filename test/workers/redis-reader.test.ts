import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { systemEnvironment } from '../../src/environment.js';
import { RedisConnection } from '../../src/workers/transports/redis/connection.js';
import { Keys } from '../../src/workers/transports/redis/keys.js';
import { StreamReader } from '../../src/workers/transports/redis/stream-reader.js';
import { FakeClient } from './redis-fake-client.js';

/** More than a reader asks in a few turns of the event loop. */
const MANY = 1000;

/** A client whose wire is gone, which it tells in the next turn of the event loop, as that of ioredis does. */
class BrokenClient extends FakeClient {
  refused = 0;

  callBuffer(command: string): Promise<unknown> {
    if (command === 'client') return Promise.resolve(1);
    if (this.refused === 0) setImmediate(() => this.disconnect());
    this.refused += 1;
    // So that who asks in one turn without an end is heard of.
    if (this.refused === MANY) this.disconnect();
    return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
  }
}

it('a reader of Redis leaves it to the event loop to tell that its connection is lost', async () => {
  const client = new BrokenClient();
  const { clock } = systemEnvironment;
  const lost = new EventEmitter();
  const isLost = once(lost, 'lost');
  const connection = new RedisConnection({
    client,
    clock,
    timeoutMs: 60_000,
    onChange: (cause) => {
      reader.connectionChanged();
      if (cause !== null) lost.emit('lost');
    },
  });
  const reader: StreamReader = new StreamReader(
    {
      ...{ kind: 'queue', name: 'q', keys: new Keys('x'), consumer: 'c', prefetch: 1, expiryMs: null },
      ...{ leaseMs: 1000, blockMs: 1000, outlet: null, now: () => clock.now() },
      handle: () => undefined,
      ask: () => Promise.resolve('OK'),
      run: () => Promise.resolve(1),
      put: () => Promise.resolve(1),
      later: (delayMs, call) => clock.setTimer(delayMs, call),
      pause: () => clock.yield(),
      yield: () => clock.yield(),
    },
    connection,
  );
  await reader.start();
  await isLost;
  expect(client.refused).toBeLessThan(MANY);
  await reader.stop(() => Promise.resolve(false));
});
