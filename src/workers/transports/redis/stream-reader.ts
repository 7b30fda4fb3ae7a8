import type { Timer } from '../../../environment.js';
import { deliveryOf, handOver } from '../../delivering.js';
import type { DeadLetter, Delivery, Message } from '../../transport.js';
import type { Argument, RedisConnection } from './connection.js';
import { Unanswered } from './connection.js';
import {
  deadFieldsOf,
  deliveriesIn,
  entriesIn,
  entriesRead,
  fieldsOf,
  foreignIn,
  messageIn,
  pendingIn,
} from './entries.js';
import type { Entry } from './entries.js';
import { GROUP } from './keys.js';
import type { Keys } from './keys.js';
import type { Outlet } from './outlet.js';
import { ACK, FORGET, KEEP, REJECT, RELEASE, REPLY } from './scripts.js';
import type { Script } from './scripts.js';

export interface ReaderOptions {
  readonly kind: DeadLetter['kind'];
  readonly name: string;
  readonly keys: Keys;
  /** By which the server knows who has what. */
  readonly consumer: string;
  readonly prefetch: number;
  /** Of a mailbox. */
  readonly expiryMs: number | null;
  readonly leaseMs: number;
  readonly blockMs: number;
  readonly now: () => number;
  readonly handle: (delivery: Delivery) => void;
  /** Asks over the connection that all readers share. */
  readonly ask: (command: string, ...args: readonly Argument[]) => Promise<unknown>;
  /** Runs a script over it. */
  readonly run: (script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;
  /** Runs a script that puts something somewhere, with the next read where that is about to be made. */
  readonly put: (script: Script, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;
  /** What else can go with a read; null: nothing. */
  readonly outlet: Outlet | null;
  readonly pause: () => Promise<void>;
  readonly later: (delayMs: number, call: () => void) => Timer;
  /** Lets what waits in the event loop go first. */
  readonly yield: () => Promise<void>;
}

/** How many answers in a mailbox may wait to be acknowledged together, and how long. */
const ACKS_AT_ONCE = 32;
const ACK_AFTER_MS = 20;
/** How many entries are acknowledged in one step. */
const MOST_AT_ONCE = 500;

/** Takes the messages of a queue or mailbox, over a connection of its own, as it waits there for what comes. */
export class StreamReader {
  readonly kind: DeadLetter['kind'];
  readonly key: string;
  readonly #options: ReaderOptions;
  readonly #connection: RedisConnection;
  readonly #held = new Set<string>();
  /** Those of them whose answer goes with the next read, and so is heard before that. */
  readonly #leaving = new Set<string>();
  readonly #wakers = new Set<() => void>();
  #loop: Promise<void> = Promise.resolve();
  /** There may be messages that are this one's, and were never seen here. */
  #isRecovering = true;
  #isStopped = false;
  /** What is about to be acknowledged. */
  #acks: { readonly id: string; readonly resolve: () => void; readonly reject: (error: unknown) => void }[] = [];
  /** Until all of that is acknowledged, however little it is. */
  #patience: Timer | null = null;
  /** It is about to be acknowledged at the end of this turn. */
  #isAckNear = false;
  /** It has given what it read, and will read again in this turn of the event loop. */
  #isBetweenReads = false;

  constructor(options: ReaderOptions, connection: RedisConnection) {
    this.#options = options;
    this.#connection = connection;
    this.kind = options.kind;
    this.key = options.keys.stream(options.kind, options.name);
  }

  get isOver(): boolean {
    return this.#isStopped && this.#held.size === 0;
  }

  get isUp(): boolean {
    return this.#isStopped || this.#connection.isUp;
  }

  /** Makes the place, and begins to read. */
  async start(): Promise<void> {
    this.#connection.start();
    await this.#make();
    this.#loop = this.#read();
    await this.#connection.attempt();
  }

  /** The connection is up again, or down. */
  connectionChanged(): void {
    this.#isRecovering = true;
    this.#leaving.clear();
    this.#wake();
  }

  /** Keeps what it has, and the mailbox. */
  async keep(): Promise<void> {
    const { ask, run, consumer, expiryMs } = this.#options;
    if (this.#held.size > 0) await run(KEEP, [this.key], [GROUP, consumer, ...this.#held]);
    if (this.#isStopped || expiryMs === null) return;
    if (Number(await ask('PEXPIRE', this.key, expiryMs)) === 0) await this.#make();
  }

  /** Takes what others had, and have not kept. */
  async sweep(): Promise<void> {
    const room = this.#room;
    if (room <= 0) return;
    const { ask, leaseMs } = this.#options;
    const pending = pendingIn(
      await ask('XPENDING', this.key, GROUP, 'IDLE', leaseMs, '-', '+', this.#held.size + room),
    );
    await this.#claim(ask, pending, leaseMs, room);
  }

  /** @param unblock - Ends the wait of a connection at the server. */
  async stop(unblock: (connection: RedisConnection) => Promise<boolean>): Promise<void> {
    if (this.#isStopped) return this.#loop;
    this.#isStopped = true;
    this.#ackAll(false);
    this.#wake();
    const isUnblocked = await unblock(this.#connection).catch(() => false);
    if (!isUnblocked) this.#connection.close();
    await this.#loop;
    this.#connection.close();
    const { ask, expiryMs } = this.#options;
    if (expiryMs !== null) await ask('PEXPIRE', this.key, expiryMs).catch(() => null);
    await this.#forget();
  }

  /** Gives back what it has. What was in a mailbox stays where it is, in order, for whoever reads it next. */
  async release(): Promise<void> {
    const held = [...this.#held];
    this.#held.clear();
    if (this.kind === 'queue') {
      const { ask, run, consumer } = this.#options;
      const pending = pendingIn(await ask('XPENDING', this.key, GROUP, '-', '+', held.length + 1, consumer));
      for (const entry of await this.#entries(ask, held)) {
        const count = String(deliveriesIn(entry) + (pending.get(entry.id) ?? 1));
        await run(RELEASE, [this.key], [GROUP, consumer, entry.id, count]);
      }
    }
    await this.#forget();
  }

  get #room(): number {
    return this.#isStopped ? 0 : this.#options.prefetch - this.#held.size + this.#leaving.size;
  }

  async #make(): Promise<void> {
    const { ask, expiryMs } = this.#options;
    try {
      await ask('XGROUP', 'CREATE', this.key, GROUP, '0', 'MKSTREAM');
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
    }
    if (expiryMs !== null) await ask('PEXPIRE', this.key, expiryMs);
  }

  async #read(): Promise<void> {
    while (!this.#isStopped) {
      try {
        if (!this.#connection.isUp || this.#room === 0) await this.#change();
        else if (this.#isRecovering) await this.#recover();
        else await this.#readNew();
      } catch (error) {
        await this.#recoverFrom(error);
      }
    }
  }

  async #recoverFrom(error: unknown): Promise<void> {
    // The connection that is lost comes back by itself. Its driver refuses at once what is asked before it has told that it
    // is lost, for which it needs the event loop.
    if (error instanceof Unanswered) return this.#options.yield();
    try {
      if (isGone(error)) await this.#make();
      else await this.#options.pause();
    } catch {
      if (!this.#isStopped) await this.#options.pause();
    }
  }

  async #readNew(): Promise<void> {
    const { consumer, blockMs, outlet } = this.#options;
    const count = ['COUNT', this.#room, 'BLOCK', blockMs];
    const args = ['GROUP', GROUP, consumer, ...count, 'STREAMS', this.key, '>'];
    const reading = this.#connection.ask('XREADGROUP', args, blockMs);
    const entries = entriesRead(await reading);
    if (entries.length === 0) return;
    this.#isBetweenReads = true;
    outlet?.open(this.#connection);
    try {
      for (const entry of entries) this.#give(entry, deliveriesIn(entry) + 1);
      // What is said to these is more urgent than what comes next. What one brings about at once goes at once.
      await (entries.length > 1 ? this.#options.yield() : endOfTurn());
    } finally {
      this.#isBetweenReads = false;
      if (this.#mayWait) this.#ackSoon();
      else this.#ackAll(!this.#isStopped);
      outlet?.close(this.#connection);
    }
  }

  /** Takes what an answer said that never came. Who takes up a mailbox takes what any reader before it had. */
  async #recover(): Promise<void> {
    const { consumer } = this.#options;
    const room = this.#room;
    const ask = (command: string, ...args: readonly Argument[]) => this.#connection.ask(command, args);
    const whose = this.kind === 'queue' ? [consumer] : [];
    const pending = pendingIn(await ask('XPENDING', this.key, GROUP, '-', '+', this.#held.size + room, ...whose));
    if ((await this.#claim(ask, pending, 0, room)) === 0) this.#isRecovering = false;
  }

  async #claim(
    ask: ReaderOptions['ask'],
    pending: ReadonlyMap<string, number>,
    idleMs: number,
    room: number,
  ): Promise<number> {
    const ids = [...pending.keys()].filter((id) => !this.#held.has(id)).slice(0, room);
    if (ids.length === 0) return 0;
    const { consumer } = this.#options;
    const entries = entriesIn(await ask('XCLAIM', this.key, GROUP, consumer, idleMs, ...ids));
    for (const entry of entries) this.#give(entry, deliveriesIn(entry) + (pending.get(entry.id) ?? 0) + 1);
    return entries.length;
  }

  async #entries(ask: ReaderOptions['ask'], ids: readonly string[]): Promise<Entry[]> {
    const entries = await Promise.all(ids.map(async (id) => entriesIn(await ask('XRANGE', this.key, id, id))));
    return entries.flat();
  }

  #give(entry: Entry, deliveries: number): void {
    if (this.#held.has(entry.id)) return;
    this.#held.add(entry.id);
    const message = messageIn(entry);
    if (message === null) {
      this.#reject(foreignIn(entry), entry.id, deliveries, 'it is no message').catch(() => undefined);
      return;
    }
    if (this.#isStopped) {
      // It came in the moment in which it was stopped, and was not seen by anybody.
      this.#answer(entry.id, RELEASE, [], [String(deliveries - 1)]).catch(() => undefined);
      return;
    }
    const delivery = deliveryOf(message, deliveries, {
      ack: () => this.#ack(entry.id),
      release: () => this.#answer(entry.id, RELEASE, [], [String(deliveries)]),
      reject: (reason) => this.#reject(message, entry.id, deliveries, reason),
      reply: (mailbox, answer) => this.#reply(entry.id, mailbox, answer),
    });
    handOver(delivery, this.#options.handle);
  }

  #reject(message: Message, id: string, deliveries: number, reason: string): Promise<void> {
    const { kind, name: place, keys, now } = this.#options;
    const fields = deadFieldsOf({ message, kind, place, reason, deliveries, at: now() });
    return this.#answer(id, REJECT, [keys.dead], fields);
  }

  #answer(id: string, script: Script, moreKeys: readonly string[] = [], args: readonly Argument[] = []): Promise<void> {
    if (!this.#held.has(id)) return Promise.resolve();
    const { run, consumer } = this.#options;
    return this.#settle([id], run(script, [this.key, ...moreKeys], [GROUP, consumer, id, ...args]));
  }

  async #reply(id: string, mailbox: string, message: Message): Promise<void> {
    const { keys, put, outlet, consumer } = this.#options;
    if (outlet?.carrier === this.#connection) this.#leaving.add(id);
    const answered = put(
      REPLY,
      [this.key, keys.stream('mailbox', mailbox)],
      [GROUP, consumer, id, ...fieldsOf(message)],
    );
    await answered;
    await this.#settle([id], answered);
  }

  /**
   * What is acknowledged in one turn of the event loop is so in one step, after what was asked in it: together with the
   * next read, if that is about to be made. In a mailbox it waits for more, as nobody else waits for it.
   */
  #ack(id: string): Promise<void> {
    if (!this.#held.has(id)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#acks.push({ id, resolve, reject });
      if (!this.#isBetweenReads) this.#ackSoon();
    });
  }

  /** Sees to it that what is to be acknowledged is, now or later. */
  #ackSoon(): void {
    if (this.#acks.length === 0) return;
    if (this.#mayWait) {
      this.#patience ??= this.#options.later(ACK_AFTER_MS, () => this.#ackAll(false));
    } else if (!this.#isAckNear) {
      this.#isAckNear = true;
      process.nextTick(() => {
        this.#isAckNear = false;
        if (!this.#isBetweenReads) this.#ackAll(false);
      });
    }
  }

  /** Whether what is acknowledged may wait for more: there is room for what comes meanwhile. */
  get #mayWait(): boolean {
    const { kind, prefetch } = this.#options;
    const isFew = this.#acks.length < ACKS_AT_ONCE && this.#held.size * 2 < prefetch;
    return kind === 'mailbox' && isFew && !this.#isStopped;
  }

  /** @param isReading - The next read goes out now: so does this, over the same connection. */
  #ackAll(isReading: boolean): void {
    this.#patience?.cancel();
    this.#patience = null;
    const acks = this.#acks;
    this.#acks = [];
    for (let from = 0; from < acks.length; from += MOST_AT_ONCE) {
      const some = acks.slice(from, from + MOST_AT_ONCE);
      const ids = some.map(({ id }) => id);
      this.#settle(ids, this.#ackSome(ids, isReading)).then(
        () => some.forEach(({ resolve }) => resolve()),
        (error: unknown) => some.forEach(({ reject }) => reject(error)),
      );
    }
  }

  async #ackSome(ids: readonly string[], isReading: boolean): Promise<void> {
    const { run, consumer } = this.#options;
    const args = [GROUP, consumer, ...ids];
    if (isReading) {
      for (const id of ids) this.#leaving.add(id);
      try {
        await this.#connection.ask('EVALSHA', [ACK.sha, 1, this.key, ...args]);
        return;
      } catch {
        // The other connection stands, and is not busy with waiting.
      }
    }
    try {
      await run(ACK, [this.key], args);
    } catch (error) {
      // It was removed, with all that was in it.
      if (!isGone(error)) throw error;
    }
  }

  async #settle(ids: readonly string[], answered: Promise<unknown>): Promise<void> {
    try {
      await answered;
    } finally {
      for (const id of ids) {
        this.#held.delete(id);
        this.#leaving.delete(id);
      }
      this.#wake();
      if (this.isOver) await this.#forget();
    }
  }

  /** It may be gone, or have what nobody released: then others forget it. */
  async #forget(): Promise<void> {
    if (this.#held.size > 0) return;
    const { run, consumer } = this.#options;
    await run(FORGET, [this.key], [GROUP, consumer]).catch(() => null);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wakers.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#wakers) resolve();
    this.#wakers.clear();
  }
}

/** Whether there is no such stream, or nobody has read it. */
function isGone(error: unknown): boolean {
  return error instanceof Error && /\bNOGROUP\b/.test(error.message);
}

/** After everything that what has happened brings about without waiting for anything. */
function endOfTurn(): Promise<void> {
  return new Promise((resolve) => process.nextTick(resolve));
}
