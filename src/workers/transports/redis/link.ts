import type { Environment, Timer } from '../../../environment.js';
import { TransportError } from '../../../errors.js';
import { ConnectionNews } from '../../connection-news.js';
import { checkConsume, checkMailbox, tell } from '../../delivering.js';
import { decodeMessage, encodeMessage } from '../../message-bytes.js';
import { Retrier } from '../../retrier.js';
import type { RetryPolicy } from '../../retry-policy.js';
import type { ConsumeOptions, Consumer, DeadLetter, Delivery, Link, MailboxOptions, Message } from '../../transport.js';
import { RedisConnection, Unanswered } from './connection.js';
import type { Argument, RedisClient } from './connection.js';
import { deadLetterIn, entriesIn, fieldsOf, isList } from './entries.js';
import { Keys } from './keys.js';
import { Outlet } from './outlet.js';
import { Rooms } from './rooms.js';
import { REMOVE_EMPTY, REVIVE } from './scripts.js';
import { StreamReader } from './stream-reader.js';

const SCAN_AT_ONCE = 1000;

export interface RedisLinkOptions {
  readonly name: string;
  readonly exchange: string;
  readonly policy: RetryPolicy;
  readonly environment: Environment;
  readonly leaseMs: number;
  readonly blockMs: number;
  readonly answerTimeoutMs: number;
  /** Whether the clients are those of a cluster. */
  readonly isCluster: boolean;
  /** A client that is not connected yet. */
  readonly newClient: () => RedisClient;
  /** The clients of all servers that have keys. */
  readonly nodesOf: (client: RedisClient) => readonly RedisClient[];
}

/** A link to a Redis server: one connection to ask, one for each place that is read, and one to listen. */
export class RedisLink implements Link {
  readonly #options: RedisLinkOptions;
  readonly #environment: Environment;
  readonly #keys: Keys;
  readonly #retrier: Retrier;
  readonly #news = new ConnectionNews(false);
  readonly #main: RedisConnection;
  readonly #outlet: Outlet;
  readonly #rooms: Rooms;
  readonly #readers = new Set<StreamReader>();
  readonly #timers = new Set<Timer>();
  /** The last that was posted to each mailbox of a cluster, and is not there yet. */
  readonly #last = new Map<string, Promise<unknown>>();
  #consumers = 0;
  #isClosed = false;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#environment = options.environment;
    this.#keys = new Keys(options.exchange);
    this.#retrier = new Retrier(options.policy, options.environment.clock);
    this.#main = this.#newConnection();
    this.#outlet = new Outlet(this.#main);
    this.#rooms = new Rooms((parts) => this.#newConnection(parts));
  }

  async start(): Promise<void> {
    this.#main.start();
    try {
      await this.#run(async () => {
        await this.#main.attempt();
        await this.#main.ask('PING', []);
      });
      if (!this.#options.isCluster) await this.#assertAlone();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#every(this.#options.leaseMs / 3, async () => {
      for (const reader of this.#readers) {
        await reader.keep();
        await reader.sweep();
      }
    });
  }

  async send(topic: string, message: Message): Promise<void> {
    await this.#add(this.#keys.stream('queue', topic), '*', ...fieldsOf(message));
  }

  async consume(topic: string, options: ConsumeOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkConsume(options);
    return this.#read('queue', topic, options.prefetch, null, handle);
  }

  async post(mailbox: string, message: Message): Promise<boolean> {
    const key = this.#keys.stream('mailbox', mailbox);
    const fields = fieldsOf(message);
    const post = () => this.#add(key, 'NOMKSTREAM', '*', ...fields);
    return (await (this.#options.isCluster ? this.#inTurn(key, post) : post())) !== null;
  }

  async receive(mailbox: string, options: MailboxOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkMailbox(options);
    return this.#read('mailbox', mailbox, options.prefetch, options.expiryMs, handle);
  }

  async removeMailbox(mailbox: string): Promise<boolean> {
    return (
      Number(await this.#run(() => this.#main.run(REMOVE_EMPTY, [this.#keys.stream('mailbox', mailbox)], []))) === 1
    );
  }

  async announce(room: string, message: Message): Promise<void> {
    await this.#ask('PUBLISH', this.#keys.room(room), encodeMessage(message));
  }

  async listen(room: string, handle: (message: Message) => void): Promise<Consumer> {
    const hear = (bytes: Buffer) => {
      try {
        tell(decodeMessage(bytes).message, handle);
      } catch {
        // What is no message is told to nobody: rooms keep nothing.
      }
    };
    const leave = await this.#run(() => this.#rooms.enter(this.#keys.room(room), hear));
    return { stop: () => leave() };
  }

  async deadLetters({ limit }: { readonly limit?: number } = {}): Promise<readonly DeadLetter[]> {
    const count = limit === undefined ? [] : ['COUNT', limit];
    const entries = entriesIn(await this.#ask('XRANGE', this.#keys.dead, '-', '+', ...count));
    return entries.flatMap((entry) => deadLetterIn(entry) ?? []);
  }

  async requeueDeadLetters(ids: readonly string[]): Promise<number> {
    let count = 0;
    for (const id of ids.filter((each) => /^\d+-\d+$/.test(each))) {
      const [entry] = entriesIn(await this.#ask('XRANGE', this.#keys.dead, id, id));
      const letter = entry === undefined ? null : deadLetterIn(entry);
      if (letter === null) continue;
      const { kind, place, message } = letter;
      const stream = this.#keys.stream(kind, place);
      const args = [id, kind === 'mailbox' ? 1 : 0, ...fieldsOf(message)];
      count += Number(await this.#run(() => this.#main.run(REVIVE, [this.#keys.dead, stream], args)));
    }
    return count;
  }

  async removeAll(): Promise<void> {
    for (const reader of this.#readers) await this.#stop(reader);
    await this.#run(async () => {
      for (const node of this.#options.nodesOf(this.#main.client)) {
        let cursor = '0';
        do {
          const args = [cursor, 'MATCH', this.#keys.pattern, 'COUNT', SCAN_AT_ONCE];
          const [next, keys] = pairIn(await this.#main.ask('SCAN', args, 0, node));
          for (const key of keys) await this.#main.ask('UNLINK', [key]);
          cursor = next;
        } while (cursor !== '0');
      }
    });
  }

  onConnection(listener: (isConnected: boolean, cause: unknown) => void): () => void {
    return this.#news.add(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const timer of this.#timers) timer.cancel();
    this.#retrier.close(new TransportError(`The connection to ${this.#options.name} is closed`));
    // Over the connection alone: who cannot be told now finds out by the lease.
    await Promise.all([...this.#readers].map((reader) => this.#stop(reader)));
    for (const reader of this.#readers) await reader.release().catch(() => undefined);
    this.#rooms.close();
    this.#main.close();
  }

  async #read(
    kind: DeadLetter['kind'],
    name: string,
    prefetch: number,
    expiryMs: number | null,
    handle: (delivery: Delivery) => void,
  ): Promise<Consumer> {
    this.#retrier.assertOpen();
    const { leaseMs, blockMs, environment } = this.#options;
    const reader: StreamReader = new StreamReader(
      {
        ...{ kind, name, prefetch, expiryMs, leaseMs, blockMs, handle },
        keys: this.#keys,
        consumer: `${environment.newId()}-${(this.#consumers += 1)}`,
        now: () => environment.clock.now(),
        ask: (command, ...args) =>
          this.#isClosed ? this.#main.ask(command, args) : this.#retried(() => this.#main.ask(command, args)),
        run: (...given) => (this.#isClosed ? this.#main.run(...given) : this.#run(() => this.#main.run(...given))),
        put: (...given) => this.#run(() => this.#outlet.run(...given)),
        // The client of a cluster has several connections.
        outlet: this.#options.isCluster ? null : this.#outlet,
        later: (delayMs, call) => environment.clock.setTimer(delayMs, call),
        yield: () => environment.clock.yield(),
        pause: () => this.#pause(),
      },
      this.#newConnection({ onChange: () => reader.connectionChanged() }),
    );
    for (const other of this.#readers) if (other.isOver) this.#readers.delete(other);
    this.#readers.add(reader);
    try {
      await this.#converted(() => reader.start());
      this.#retrier.assertOpen();
    } catch (error) {
      await this.#stop(reader);
      throw error;
    }
    this.#tell(null);
    if (expiryMs !== null)
      this.#every(
        expiryMs / 3,
        () => reader.keep(),
        () => !reader.isOver,
      );
    return { stop: () => this.#stop(reader) };
  }

  #stop(reader: StreamReader): Promise<void> {
    return reader.stop(async (connection) => {
      const id = connection.serverId;
      return id !== null && Number(await this.#main.ask('CLIENT', ['UNBLOCK', id])) === 1;
    });
  }

  #newConnection({
    onChange,
    onReady,
  }: { readonly onChange?: () => void; readonly onReady?: (client: RedisClient) => Promise<unknown> } = {}) {
    const { newClient, environment, answerTimeoutMs } = this.#options;
    return new RedisConnection({
      client: newClient(),
      clock: environment.clock,
      timeoutMs: answerTimeoutMs,
      onReady,
      onChange: (cause) => {
        onChange?.();
        this.#tell(cause);
      },
    });
  }

  /** It is connected when all of its connections are. */
  #tell(cause: unknown): void {
    if (this.#isClosed) return;
    const isUp = this.#main.isUp && this.#rooms.isUp && [...this.#readers].every((reader) => reader.isUp);
    this.#news.tell(isUp, cause);
    if (isUp) this.#retrier.hurry();
  }

  /** The client of a cluster sends each command again by itself, and so not in order: the next waits for the one before. */
  async #inTurn<Answer>(key: string, post: () => Promise<Answer>): Promise<Answer> {
    const before = this.#last.get(key);
    const posted = Promise.allSettled([before]).then(post);
    this.#last.set(key, posted);
    try {
      return await posted;
    } finally {
      if (this.#last.get(key) === posted) this.#last.delete(key);
    }
  }

  /** @throws {TransportError} for a server of a cluster, which has only some of the keys. */
  async #assertAlone(): Promise<void> {
    // Who may not ask finds out later.
    const info = await this.#ask('INFO', 'cluster').catch(() => null);
    if (!String(info).includes('cluster_enabled:1')) return;
    throw new TransportError(`${this.#options.name} is one of a cluster: it takes the option cluster`);
  }

  #ask(command: string, ...args: readonly Argument[]): Promise<unknown> {
    return this.#run(() => this.#main.ask(command, args));
  }

  #add(...args: readonly Argument[]): Promise<unknown> {
    return this.#run(() => this.#outlet.add(args));
  }

  #run<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    return this.#converted(() => this.#retried(question));
  }

  #retried<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    return this.#retrier.run(
      question,
      (error) => error instanceof Unanswered,
      (cause, attempts) =>
        new TransportError(`${this.#options.name} cannot be reached, after ${attempts} attempts`, { cause }),
    );
  }

  /** What the server refuses is an error of the transport. */
  async #converted<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    try {
      return await question();
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ReplyError') throw error;
      throw new TransportError(`${this.#options.name} refused: ${error.message}`, { cause: error });
    }
  }

  #pause(): Promise<void> {
    const { clock } = this.#environment;
    return new Promise((resolve) => {
      if (this.#isClosed) resolve();
      else this.#timers.add(clock.setTimer(this.#options.policy.delayMs(0), resolve));
    });
  }

  #every(ms: number, does: () => Promise<unknown>, goesOn: () => boolean = () => true): void {
    if (this.#isClosed || !goesOn()) return;
    const timer = this.#environment.clock.setTimer(ms, () => {
      this.#timers.delete(timer);
      // What fails now is tried the next time.
      void Promise.allSettled([does()]).then(() => this.#every(ms, does, goesOn));
    });
    this.#timers.add(timer);
  }
}

function pairIn(reply: unknown): readonly [string, readonly Buffer[]] {
  const [cursor, keys] = isList(reply) ? reply : [];
  return [
    cursor instanceof Buffer ? cursor.toString() : '0',
    isList(keys) ? keys.filter((key): key is Buffer => key instanceof Buffer) : [],
  ];
}
