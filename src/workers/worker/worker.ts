import type { Timer } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';
import { InvalidStateError } from '../../errors.js';
import type { Executor } from '../../executors/executor.js';
import { ENGINES_ROOM, loadSchemas, MessageCodec, PLACES, WORKERS_ROOM, workerMailbox } from '../protocol/codec.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { signing } from '../protocol/signing.js';
import type { Signing } from '../protocol/signing.js';
import { handOver } from '../delivering.js';
import { transport } from '../transport-registry.js';
import type { Consumer, Link, Transport } from '../transport.js';
import { AllowList } from './allow-list.js';
import { banner } from './banner.js';
import { Claims } from './claims.js';
import type { WorkerStatistics } from './desk.js';
import { Desk, IN_MAILBOX, IN_QUEUE, IN_ROOM } from './desk.js';
import type { Heart } from './heart.js';
import { Beats, loopHeart } from './heart.js';
import { threadHeart } from './heart-thread.js';
import type { WorkerOptions, WorkerSettings } from './options.js';
import { executorOf, workerSettings } from './options.js';

/** How long, in milliseconds, the mailbox of a worker that is gone is kept. */
const MAILBOX_EXPIRY_MS = 60_000;
const DEFAULT_DRAIN_MS = 30_000;
export interface StopOptions {
  /** How long, in milliseconds, running tasks may go on; then they are told to stop, and are for other workers. @default 30000 */
  readonly drainMs?: number | undefined;
}

/**
 * Runs tasks for engines elsewhere: those of its topic that it was told to run, by their names, and no others.
 *
 * ```ts
 * const worker = new Worker({ url: 'amqp://shop:secret@broker/', exchange: 'shop', topic: 'payments', tasks: ['./payments.js'] });
 * process.once('SIGTERM', () => void worker.stop());
 * await worker.run();
 * ```
 *
 * @see TaskFlow `engines/worker_based/worker.py`, `Worker`. Differs: a request is acknowledged when its end was told.
 */
export class Worker {
  readonly statistics: WorkerStatistics = { finished: 0, repeated: 0, rejected: 0, released: 0 };
  readonly #settings: WorkerSettings;
  readonly #executor: Executor;
  readonly #isExecutorOurs: boolean;
  readonly #signing: Signing | null;
  /** Made when it begins. */
  #codec!: MessageCodec;
  readonly #allowed = new AllowList();
  readonly #desk: Desk;
  readonly #ready: Promise<void>;
  #tellReady!: () => void;
  #tellBroken!: (error: unknown) => void;
  #state: 'new' | 'running' | 'stopping' | 'stopped' = 'new';
  #link: Link | null = null;
  #transportName = '';
  #heart: Heart | null = null;
  /** Where messages are signed. */
  #claims: Claims | null = null;
  #consumers: Consumer[] = [];
  #notice: Timer | null = null;
  #notices = 0;
  #startedAt = 0;
  #ended: Promise<void> | null = null;
  #tellEnded: () => void = () => undefined;

  /** @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
  constructor(private readonly options: WorkerOptions) {
    this.#settings = workerSettings(options);
    this.#signing = signing(options, this.#settings.environment.clock);
    const { executor, isOurs } = executorOf(options, this.#settings);
    this.#executor = executor;
    this.#isExecutorOurs = isOurs;
    this.#desk = new Desk({
      settings: this.#settings,
      allowed: this.#allowed,
      executor,
      statistics: this.statistics,
      announce: () => this.#announce(),
    });
    this.#ready = new Promise((resolve, reject) => {
      this.#tellReady = resolve;
      this.#tellBroken = reject;
    });
    // Whoever runs the worker hears of it, too.
    this.#ready.catch(() => undefined);
  }

  get id(): string {
    return this.#settings.workerId;
  }

  get topic(): string {
    return this.#settings.topic;
  }

  /** What it says of itself when it begins. */
  get banner(): string {
    return banner({
      settings: this.#settings,
      transport: this.#transportName,
      tasks: this.#allowed.listings,
    });
  }

  /**
   * Takes requests until it is stopped.
   *
   * @throws {NotFoundError} for task modules that cannot be loaded. @throws {TypeError} for what is no task.
   * @throws {TransportError} when the broker cannot be reached.
   * @throws {InvalidStateError} when it was run before.
   */
  async run(): Promise<void> {
    if (this.#state !== 'new') throw new InvalidStateError(`The worker ${this.id} was run before`);
    this.#state = 'running';
    this.#ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
    });
    try {
      await this.#begin();
    } catch (error) {
      this.#tellBroken(error);
      await this.#close();
      throw error;
    }
    this.#tellReady();
    await this.#ended;
  }

  /** Resolves when it takes requests. @throws as `run`. */
  waitUntilReady(): Promise<void> {
    return this.#ready;
  }

  async #begin(): Promise<void> {
    const { tasks = [], taskModules = [] } = this.options;
    const { maxMessageBytes } = this.#settings;
    this.#codec = new MessageCodec({ signing: this.#signing, maxMessageBytes, load: loadSchemas });
    for (const item of [
      ...tasks,
      ...taskModules.map((module) => (typeof module === 'string' ? module : module.href)),
    ]) {
      await this.#allowed.add(item);
    }
    const chosen = await this.#transport();
    this.#transportName = chosen.name;
    const link = await chosen.open();
    this.#link = link;
    const { capacity, topic, environment } = this.#settings;
    this.#startedAt = environment.clock.now();
    const heart = (this.#heart = this.#newHeart(link));
    const claims = (this.#claims = this.#signing === null ? null : this.#newClaims(link));
    const desk = this.#desk;
    desk.open({ link, codec: this.#codec, heart, claims });
    const mailbox = workerMailbox(this.id);
    this.#consumers = [
      await link.receive(mailbox, { prefetch: capacity * 10, expiryMs: MAILBOX_EXPIRY_MS }, (delivery) =>
        this.#codec.soon(delivery.message, IN_MAILBOX, () =>
          handOver(delivery, () => desk.hearMail(delivery, PLACES.mailbox(mailbox))),
        ),
      ),
      await link.listen(WORKERS_ROOM, (message) => this.#codec.soon(message, IN_ROOM, () => desk.hearRoom(message))),
      await link.consume(topic, { prefetch: capacity }, (delivery) =>
        this.#codec.soon(delivery.message, IN_QUEUE, () => handOver(delivery, () => desk.take(delivery))),
      ),
    ];
    for (const line of this.banner.split('\n')) this.#settings.log(line);
    this.#announce();
  }

  #transport(): Promise<Transport> {
    const { transport: given, ...others } = this.options;
    if (typeof given === 'object') return Promise.resolve(given);
    const { url, exchange, transportOptions, retryOptions, registry, environment } = others;
    return transport({ url, exchange, transport: given, transportOptions, retryOptions, registry, environment });
  }

  /** A thread has to be able to open the transport by itself, and has the platform's clock. */
  #newHeart(link: Link): Heart {
    const { heartbeatMs, leaseMs, environment, maxMessageBytes, capacity } = this.#settings;
    const {
      url,
      exchange,
      transport: given,
      transportOptions,
      retryOptions,
      keys,
      keyId,
      maxSkewMs,
      messageTtlMs,
    } = this.options;
    const common = { workerId: this.id, firstBeat: environment.clock.now() };
    const isPlain = typeof given !== 'object' && this.options.registry === undefined && isCloneable(transportOptions);
    const isInMemory = this.#transportName.startsWith('memory:');
    if (!isPlain || isInMemory || environment !== systemEnvironment) {
      return loopHeart(new Beats({ ...common, link, codec: this.#codec }), environment.clock, heartbeatMs);
    }
    return threadHeart(
      {
        ...common,
        capacity,
        transport: { url, exchange, transport: given, transportOptions, retryOptions },
        signing: { keys, keyId, maxSkewMs, messageTtlMs },
        maxMessageBytes,
        everyMs: heartbeatMs,
        patienceMs: leaseMs,
      },
      environment.clock,
    );
  }

  #newClaims(link: Link): Claims {
    const { environment, leaseMs } = this.#settings;
    return new Claims({
      workerId: this.id,
      startedAt: this.#notedStart,
      clock: environment.clock,
      newId: environment.newId,
      patienceMs: leaseMs,
      post: (mailbox, claim) =>
        link.post(mailbox, this.#codec.write('CLAIM', claim, { place: PLACES.mailbox(mailbox) })),
    });
  }

  /** When it began, as it says in its notices. */
  get #notedStart(): number {
    return Math.max(0, Math.floor(this.#startedAt));
  }

  /** Says who it is, now and from time to time. */
  #announce(): void {
    const link = this.#link;
    if (link === null || this.#state !== 'running') return;
    const { topic, capacity, notifyMs, environment } = this.#settings;
    this.#notices += 1;
    const body = {
      version: PROTOCOL_VERSION,
      topic,
      tasks: this.#allowed.listings.map(({ name, versions }) => ({ name, versions: [...versions] })),
      workerId: this.id,
      capacity,
      inFlight: this.#desk.inFlight,
      startedAt: this.#notedStart,
      number: this.#notices,
      everyMs: notifyMs,
    } as const;
    const message = this.#codec.write('NOTIFY', body, { place: PLACES.room(ENGINES_ROOM) });
    link.announce(ENGINES_ROOM, message).catch(() => undefined);
    this.#notice?.cancel();
    this.#notice = environment.clock.setTimer(notifyMs, () => this.#announce());
  }

  // Its end ----------------------------------------------------------------------------------------------------------

  /** Takes no more requests, finishes those that it has, and says good-bye. Idempotent. */
  async stop({ drainMs = DEFAULT_DRAIN_MS }: StopOptions = {}): Promise<void> {
    if (this.#state === 'new') {
      this.#state = 'stopped';
      return;
    }
    if (this.#state !== 'running') {
      await this.#ended;
      return;
    }
    this.#state = 'stopping';
    await this.#ready.catch(() => undefined);
    this.#notice?.cancel();
    const link = this.#link;
    if (link !== null) {
      const body = { version: PROTOCOL_VERSION, workerId: this.id, topic: this.topic } as const;
      const message = this.#codec.write('BYE', body, { place: PLACES.room(ENGINES_ROOM) });
      await Promise.all(this.#consumers.map((consumer) => consumer.stop().catch(() => undefined)));
      this.#claims?.close();
      await link.announce(ENGINES_ROOM, message).catch(() => undefined);
      await this.#drain(drainMs);
    }
    await this.#close();
  }

  async #drain(drainMs: number): Promise<void> {
    const { clock } = this.#settings.environment;
    let timer: Timer | null = null;
    const patience = new Promise<void>((resolve) => {
      timer = clock.setTimer(drainMs, resolve);
    });
    await Promise.race([this.#desk.whenDone(), patience]);
    (timer as Timer | null)?.cancel();
    await this.#desk.giveUp(new DOMException(`The worker ${this.id} is being stopped`, 'AbortError'));
  }

  async #close(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    this.#desk.close();
    this.#notice?.cancel();
    await this.#heart?.stop();
    if (this.#isExecutorOurs) await this.#executor.close();
    await link?.close();
    this.#state = 'stopped';
    this.#tellEnded();
  }
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
