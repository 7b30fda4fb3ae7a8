import type { Clock, Timer } from '../../../environment.js';
import type { Script } from './scripts.js';

export type Argument = string | Buffer | number;

/** What is asked of a client of Redis. One of the package `ioredis` has it, and so has its cluster. */
export interface RedisClient {
  callBuffer(command: string, ...args: Argument[]): Promise<unknown>;
  connect(): Promise<void>;
  disconnect(reconnect?: boolean): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
  /** What it writes to; a cluster has several. */
  readonly stream?: { cork(): void; uncork(): void } | null;
}

/** A question got no answer: the connection is gone, or nobody answers. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

/** What a server says that cannot serve now, and will later. */
const NOT_NOW = /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|NOREPLICAS|UNBLOCKED)\b/;

interface Question {
  readonly reject: (error: Error) => void;
  readonly command: string;
  readonly patienceMs: number;
  readonly until: number;
}

/**
 * One connection to a server, which comes back by itself. What is asked while it is down fails at once; it is for the
 * caller to ask again. What is asked in one turn of the event loop is sent together.
 */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #onChange: (cause: unknown) => void;
  readonly #onReady: (client: RedisClient) => Promise<unknown>;
  /** What has no answer yet, the first first. */
  readonly #questions = new Set<Question>();
  readonly #attempts = new Set<() => void>();
  #lastError: unknown = null;
  #serverId: number | null = null;
  #isUp = false;
  #isClosed = false;
  /** Where something waits to be sent. */
  #corked: RedisClient['stream'] = null;
  #isHeld = false;
  #watch: Timer | null = null;

  /**
   * @param options.onReady - Is done each time that it is connected, before it counts as being up.
   * @param options.timeoutMs - How long an answer may take before the connection counts as dead.
   */
  constructor(options: {
    readonly client: RedisClient;
    readonly clock: Clock;
    readonly timeoutMs: number;
    readonly onChange: (cause: unknown) => void;
    readonly onReady?: ((client: RedisClient) => Promise<unknown>) | undefined;
  }) {
    this.client = options.client;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs;
    this.#onChange = options.onChange;
    this.#onReady = options.onReady ?? (() => Promise.resolve());
    this.client.on('ready', () => void this.#ready());
    this.client.on('error', (error: unknown) => {
      this.#lastError = withoutCommand(error);
    });
    for (const event of ['close', 'end']) this.client.on(event, () => this.#down());
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** By which the server knows the connection; null before there is one. */
  get serverId(): number | null {
    return this.#serverId;
  }

  /** Why it is not up, as far as that is known. */
  get lastError(): unknown {
    return this.#lastError;
  }

  /** Begins to connect, and goes on trying. */
  start(): void {
    // What goes wrong is told as an event.
    this.client.connect().catch(() => undefined);
  }

  /** Resolves when it is up, or the attempt to connect that is under way has failed. */
  async attempt(): Promise<void> {
    if (this.#isUp || this.#isClosed) return;
    await new Promise<void>((resolve) => this.#attempts.add(resolve));
  }

  /**
   * @param extraMs - How much longer the answer may take.
   * @param node - Who is asked, where it is one server of several.
   * @throws {Unanswered}
   */
  ask(command: string, args: readonly Argument[], extraMs = 0, node = this.client): Promise<unknown> {
    if (!this.#isUp) return Promise.reject(new Unanswered('there is no connection', { cause: this.#lastError }));
    return this.#ask(command, args, extraMs, node);
  }

  /** Runs a script, whose text is sent to a server that does not know it. @throws {Unanswered} */
  async run({ sha, text }: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown> {
    const rest = [keys.length, ...keys, ...args];
    try {
      return await this.ask('EVALSHA', [sha, ...rest]);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.ask('EVAL', [text, ...rest]);
    }
  }

  /** What is asked from now on is sent together, when it is let go. */
  hold(): void {
    this.#isHeld = true;
  }

  letGo(): void {
    this.#isHeld = false;
    if (this.#corked !== null) process.nextTick(this.#uncork);
  }

  close(): void {
    this.#isClosed = true;
    this.#watch?.cancel();
    this.#watch = null;
    this.client.disconnect();
    this.#down();
  }

  async #ready(): Promise<void> {
    try {
      this.#serverId = Number(await this.client.callBuffer('client', 'ID'));
      await this.#onReady(this.client);
    } catch (error) {
      this.#lastError = withoutCommand(error);
      if (!this.#isClosed) this.client.disconnect(true);
      return;
    }
    if (this.#isClosed) return;
    this.#isUp = true;
    this.#tellAttempts();
    this.#onChange(null);
  }

  #down(): void {
    const cause = new Unanswered('the connection was lost', { cause: this.#lastError });
    for (const { reject } of this.#questions) reject(cause);
    this.#questions.clear();
    this.#tellAttempts();
    if (!this.#isUp) return;
    this.#isUp = false;
    this.#onChange(cause);
  }

  #tellAttempts(): void {
    for (const resolve of this.#attempts) resolve();
    this.#attempts.clear();
  }

  #ask(command: string, args: readonly Argument[], extraMs: number, node: RedisClient): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const patienceMs = this.#timeoutMs + extraMs;
      const question = { reject, command, patienceMs, until: this.#clock.now() + patienceMs };
      this.#questions.add(question);
      if (this.#watch === null) this.#look(patienceMs);
      this.#cork();
      // The driver knows what a command does by its name in lower case.
      node.callBuffer(command.toLowerCase(), ...args).then(
        (answer) => {
          this.#questions.delete(question);
          resolve(answer);
        },
        (error: unknown) => {
          this.#questions.delete(question);
          const cause = withoutCommand(error);
          reject(isAnswer(cause) ? cause : new Unanswered(`${command} got no answer`, { cause }));
        },
      );
    });
  }

  /** One call to the system for all that is asked now costs less than one for each. */
  #cork(): void {
    const { stream } = this.client;
    if (this.#corked !== null || stream === undefined || stream === null) return;
    this.#corked = stream;
    stream.cork();
    if (!this.#isHeld) process.nextTick(this.#uncork);
  }

  readonly #uncork = (): void => {
    const stream = this.#corked;
    this.#corked = null;
    stream?.uncork();
  };

  /** Ends what has waited for too long, when the time has come. */
  #look(delayMs: number): void {
    this.#watch = this.#clock.setTimer(delayMs, () => {
      this.#watch = null;
      const now = this.#clock.now();
      let next = Infinity;
      let isLate = false;
      for (const question of this.#questions) {
        if (question.until > now) {
          next = Math.min(next, question.until - now);
          continue;
        }
        isLate = true;
        this.#questions.delete(question);
        question.reject(new Unanswered(`there was no answer to ${question.command} in ${question.patienceMs} ms`));
      }
      if (next < Infinity) this.#look(next);
      if (isLate && !this.#isClosed) this.client.disconnect(true);
    });
    this.#watch.unref?.();
  }
}

/** The driver's errors have what was asked in them: whoever logs one would log passwords, and what messages say. */
function withoutCommand(error: unknown): unknown {
  if (error instanceof Error) Reflect.deleteProperty(error, 'command');
  return error;
}

/** Whether a server does not know a script by its name. */
export function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT');
}

/** Whether an error is what a server said, and would say again. */
function isAnswer(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError' && !NOT_NOW.test(error.message);
}
