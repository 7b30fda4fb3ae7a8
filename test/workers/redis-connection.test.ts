import { EventEmitter, once } from 'node:events';
import { expect, it } from 'vitest';
import { systemEnvironment } from '../../src/environment.js';
import { RedisConnection, Unanswered } from '../../src/workers/transports/redis/connection.js';
import { FakeClient } from './redis-fake-client.js';

class Answering extends FakeClient {
  callBuffer(): Promise<unknown> {
    return Promise.resolve(1);
  }
}

/** As the driver refuses what is asked before it has told that its wire is gone. */
class Refusing extends FakeClient {
  callBuffer(): Promise<unknown> {
    return Promise.reject(new Error("Stream isn't writeable and enableOfflineQueue options is false"));
  }
}

it('a question to one server of several that cannot be asked has no answer, and is asked again', async () => {
  const news = new EventEmitter();
  const { clock } = systemEnvironment;
  const client = new Answering();
  const connection = new RedisConnection({ client, clock, timeoutMs: 60_000, onChange: () => news.emit('change') });
  const up = once(news, 'change');
  connection.start();
  await up;
  expect(await connection.ask('SCAN', ['0'], 0, new Answering())).toBe(1);
  await expect(connection.ask('SCAN', ['0'], 0, new Refusing())).rejects.toBeInstanceOf(Unanswered);
  connection.close();
});
