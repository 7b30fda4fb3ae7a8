import { EventEmitter, once } from 'node:events';
import { beforeEach, describe, expect, it } from 'vitest';
import { systemEnvironment } from '../../src/environment.js';
import { RedisConnection } from '../../src/workers/transports/redis/connection.js';
import { Outlet } from '../../src/workers/transports/redis/outlet.js';
import { REPLY } from '../../src/workers/transports/redis/scripts.js';
import { FakeClient } from './redis-fake-client.js';

type Answer = (answer: unknown) => void;

/** A client whose server answers when it is told to. */
class Client extends FakeClient {
  /** What it sent, each call to the system a list of commands. */
  readonly sent: string[][] = [];
  readonly answers: Answer[] = [];
  #now: string[] = [];
  readonly stream = {
    cork: () => undefined,
    uncork: () => {
      this.sent.push(this.#now);
      this.#now = [];
    },
  };

  callBuffer(command: string): Promise<unknown> {
    if (command === 'client') return Promise.resolve(1);
    this.#now.push(command);
    return new Promise((resolve) => this.answers.push(resolve));
  }
}

async function connected(client: Client): Promise<RedisConnection> {
  const news = new EventEmitter();
  const connection = new RedisConnection({
    client,
    clock: systemEnvironment.clock,
    timeoutMs: 60_000,
    onChange: () => news.emit('change'),
  });
  const up = once(news, 'change');
  connection.start();
  await up;
  return connection;
}

const turn = () => systemEnvironment.clock.yield();

describe('what is put into streams', () => {
  let main: Client;
  let reading: Client;
  let reader: RedisConnection;
  let outlet: Outlet;

  beforeEach(async () => {
    [main, reading] = [new Client(), new Client()];
    outlet = new Outlet(await connected(main));
    reader = await connected(reading);
  });

  it('goes over the connection to ask, while nobody is about to read', async () => {
    void outlet.add(['key']);
    await turn();
    expect([main.sent, reading.sent]).toEqual([[['xadd']], []]);
  });

  it('goes with the next read of a reader that is about to read', async () => {
    outlet.open(reader);
    void outlet.add(['key']);
    await turn();
    void outlet.run(REPLY, ['queue', 'mailbox'], []);
    await turn();
    expect([main.sent, reading.sent]).toEqual([[], []]);
    void reader.ask('XREADGROUP', []);
    outlet.close(reader);
    await turn();
    expect([main.sent, reading.sent]).toEqual([[], [['xadd', 'evalsha', 'xreadgroup']]]);
  });

  it('waits for what went before it over another connection', async () => {
    outlet.open(reader);
    void outlet.add(['first']);
    outlet.close(reader);
    void outlet.add(['second']);
    await turn();
    expect([main.sent, reading.sent]).toEqual([[], [['xadd']]]);
    outlet.open(reader);
    void outlet.add(['third']);
    reading.answers[0]?.('1-0');
    await turn();
    expect(main.sent.flat()).toEqual(['xadd', 'xadd']);
    expect(reading.sent.flat()).toEqual(['xadd']);
  });

  it('goes over the connection to ask when the server does not know the script', async () => {
    outlet.open(reader);
    const put = outlet.run(REPLY, ['queue', 'mailbox'], []);
    outlet.close(reader);
    await turn();
    const unknown = Object.assign(new Error('NOSCRIPT No matching script'), { name: 'ReplyError' });
    reading.answers[0]?.(Promise.reject(unknown));
    await turn();
    expect(main.sent.flat()).toEqual(['evalsha']);
    main.answers[0]?.('1-0');
    await expect(put).resolves.toBe('1-0');
  });
});
