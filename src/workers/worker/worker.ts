import type { Timer } from '../../environment.js';
import { systemEnvironment } from '../../environment.js';
import { InvalidStateError, TransportError, WorkerLostError } from '../../errors.js';
import type { Executor } from '../../executors/executor.js';
import { Failure } from '../../failure.js';
import { ENGINES_ROOM, loadSchemas, MessageCodec, PLACES, WORKERS_ROOM, workerMailbox } from '../protocol/codec.js';
import type { Body, RequestBody, ResponseBody } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { signatureMark, signing } from '../protocol/signing.js';
import type { Signing } from '../protocol/signing.js';
import { handOver } from '../delivering.js';
import { transport } from '../transport-registry.js';
import type { Consumer, Delivery, Link, Message, Transport } from '../transport.js';
import { AllowList } from './allow-list.js';
import { banner } from './banner.js';
import { Claims } from './claims.js';
import type { Heart } from './heart.js';
import { Beats, loopHeart } from './heart.js';
import { threadHeart } from './heart-thread.js';
import { Job, keyOf } from './job.js';
import type { JobSurroundings } from './job.js';
import type { WorkerOptions, WorkerSettings } from './options.js';
import { executorOf, workerSettings } from './options.js';
import { Refused } from './refused.js';
import { ResultStore } from './result-store.js';

/** How many bytes of results are kept, about. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;
/** How long, in milliseconds, the mailbox of a worker that is gone is kept. */
const MAILBOX_EXPIRY_MS = 60_000;
const POST_AGAIN_AFTER_MS = 1000;
const DEFAULT_DRAIN_MS = 30_000;
/** What is understood, by where it comes. */
const IN_QUEUE = ['REQUEST'] as const;
const IN_MAILBOX = ['CANCEL', 'GRANT'] as const;
const IN_ROOM = ['ASK', 'CANCEL', 'ADOPT'] as const;

export interface StopOptions {
  /** How long, in milliseconds, running tasks may go on; then they are told to stop, and are for other workers. @default 30000 */
  readonly drainMs?: number | undefined;
}

/** What a worker has done so far. */
export interface WorkerStatistics {
  /** Requests that it ran to an end. */
  finished: number;
  /** Requests whose result it told again. */
  repeated: number;
  /** Messages that became dead letters. */
  rejected: number;
  /** Requests that it gave back. */
  released: number;
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
  readonly #results: ResultStore;
  readonly #refused: Refused;
  readonly #jobSurroundings: JobSurroundings;
  /** By request id, the latest of each. */
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
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
    const { environment, resultTtlMs, maxResults } = this.#settings;
    this.#signing = signing(options, environment.clock);
    this.#results = new ResultStore(
      { ttlMs: resultTtlMs, maxEntries: maxResults, maxBytes: MAX_RESULT_BYTES },
      environment.clock,
    );
    this.#refused = new Refused(maxResults);
    const { executor, isOurs } = executorOf(options, this.#settings);
    this.#executor = executor;
    this.#isExecutorOurs = isOurs;
    this.#jobSurroundings = {
      workerId: this.id,
      allowed: this.#allowed,
      executor,
      clock: environment.clock,
      post: (mailbox, body, delivery) => this.#post(mailbox, body, delivery),
    };
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
    this.#heart = this.#newHeart(link);
    if (this.#signing !== null) this.#claims = this.#newClaims(link);
    const mailbox = workerMailbox(this.id);
    this.#consumers = [
      await link.receive(mailbox, { prefetch: capacity * 10, expiryMs: MAILBOX_EXPIRY_MS }, (delivery) =>
        this.#codec.soon(delivery.message, IN_MAILBOX, () =>
          handOver(delivery, () => this.#hearMail(delivery, PLACES.mailbox(mailbox))),
        ),
      ),
      await link.listen(WORKERS_ROOM, (message) => this.#codec.soon(message, IN_ROOM, () => this.#hearRoom(message))),
      await link.consume(topic, { prefetch: capacity }, (delivery) =>
        this.#codec.soon(delivery.message, IN_QUEUE, () => handOver(delivery, () => this.#take(delivery))),
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

  // What it hears ----------------------------------------------------------------------------------------------------

  #take(delivery: Delivery): void {
    const { message } = delivery;
    const mailbox = message.properties.replyTo;
    let body: RequestBody;
    try {
      body = this.#codec.read(message, PLACES.queue(this.topic), IN_QUEUE).body;
      if (mailbox === undefined) throw new TypeError('it says nobody to reply to');
    } catch (error) {
      this.#reject(delivery, error);
      return;
    }
    const claims = this.#claims;
    if (claims === null || claims.isPlain(body, delivery, signatureMark(message.properties))) {
      this.#accept(body, delivery, mailbox);
    } else {
      void this.#claim(claims, body, delivery, mailbox);
    }
  }

  /** Takes a request that may have been recorded and sent again, if its engine says that it may. */
  async #claim(claims: Claims, body: RequestBody, delivery: Delivery, mailbox: string): Promise<void> {
    const verdict = await claims.ask(body, delivery, mailbox);
    if (verdict.kind === 'granted') this.#accept(body, delivery, mailbox);
    else if (verdict.kind === 'refused')
      this.#reject(delivery, `it was sent before, or comes too late: ${verdict.reason}`);
    else if (verdict.kind === 'closed') await delivery.release().catch(() => undefined);
    else this.#finish(delivery, this.#giveBack(body, delivery, mailbox));
  }

  /** The engine finds it in the mailbox of its run when it is back, and sends it again. */
  async #giveBack(body: RequestBody, delivery: Delivery, mailbox: string): Promise<void> {
    await this.#post(mailbox, { ...this.#replyTo(body, delivery), state: 'WAITING', data: {} });
    this.statistics.released += 1;
    await delivery.ack();
  }

  #replyTo(body: RequestBody, { deliveries }: Delivery) {
    return { version: PROTOCOL_VERSION, ...keyOf(body), workerId: this.id, delivery: deliveries, number: 0 } as const;
  }

  #accept(body: RequestBody, delivery: Delivery, mailbox: string): void {
    const deliveries = delivery.deliveries + body.dispatch - 1;
    if (deliveries > body.maxDeliveries) {
      const why = `was lost, and so were those before it: it was given to ${deliveries - 1} workers`;
      const error = new WorkerLostError(`The worker that ran ${body.atom}`, why);
      const answered = this.#answer(body, delivery, mailbox, Failure.from(error));
      this.#finish(
        delivery,
        answered.then(() => this.#reject(delivery, error)),
      );
      return;
    }
    const reason = this.#refused.reasonFor(body);
    if (reason !== null) {
      this.#finish(
        delivery,
        this.#answer(body, delivery, mailbox, reason).then(() => delivery.ack()),
      );
      return;
    }
    const known = this.#jobs.get(body.requestId);
    if (known !== undefined && isSame(known.body, body)) {
      known.join(body, delivery, mailbox);
      this.#heart?.add(body.requestId, known.key, mailbox);
      return;
    }
    const ending = this.#results.get(body.requestId);
    if (ending !== null && isSame(ending, body)) {
      this.statistics.repeated += 1;
      const again = { ...ending, ...keyOf(body), delivery: delivery.deliveries };
      this.#finish(
        delivery,
        this.#post(mailbox, again, delivery).then(() => delivery.ack()),
      );
      return;
    }
    const work = this.#work(new Job(body, delivery, mailbox, this.#jobSurroundings));
    this.#running.add(work);
    void work.finally(() => this.#running.delete(work));
  }

  async #work(job: Job): Promise<void> {
    const { requestId } = job.body;
    this.#jobs.set(requestId, job);
    this.#heart?.add(requestId, job.key, job.mailbox);
    const told = await job.run();
    if (this.#jobs.get(requestId) === job) {
      this.#jobs.delete(requestId);
      this.#heart?.remove(requestId);
    }
    if (told === null || this.#link === null) {
      this.statistics.released += 1;
      await job.release().catch(() => undefined);
      return;
    }
    this.#results.put(told.ending);
    await told.sent;
    this.statistics.finished += 1;
    await job.ack().catch(() => undefined);
  }

  /** Answers without a job. A request whose answer cannot be sent is for nobody. */
  #finish(delivery: Delivery, answered: Promise<void>): void {
    answered.catch((error: unknown) => this.#reject(delivery, error));
  }

  async #answer(body: RequestBody, delivery: Delivery, mailbox: string, failure: Failure): Promise<void> {
    const record = failure.toRecord() as Body<'CANCEL'>['reason'];
    return this.#post(mailbox, { ...this.#replyTo(body, delivery), state: 'FAILURE', data: { failure: record } });
  }

  /**
   * Sends a reply, again and again while the broker cannot be reached.
   *
   * @param delivery - What it ends: dealt with in the same step, where there is one.
   * @throws what can never be sent.
   */
  async #post(mailbox: string, body: ResponseBody, delivery?: Delivery): Promise<void> {
    const message = this.#codec.write('RESPONSE', body, {
      place: PLACES.mailbox(mailbox),
      correlationId: body.requestId,
    });
    const isEnding = body.state !== 'RUNNING' && body.state !== 'EVENT';
    while (this.#link !== null) {
      try {
        if (isEnding && delivery?.reply !== undefined) await delivery.reply(mailbox, message);
        else await this.#link.post(mailbox, message);
        return;
      } catch (error) {
        if (!(error instanceof TransportError) || !isEnding) return;
        await new Promise<void>((resolve) => {
          this.#settings.environment.clock.setTimer(POST_AGAIN_AFTER_MS, resolve);
        });
      }
    }
  }

  #reject(delivery: Delivery, error: unknown): void {
    this.statistics.rejected += 1;
    const reason = error instanceof Error ? error.message : String(error);
    this.#settings.log(`A message was rejected: ${reason}`);
    delivery.reject(reason).catch(() => undefined);
  }

  #hearMail(delivery: Delivery, place: string): void {
    try {
      const envelope = this.#codec.read(delivery.message, place, IN_MAILBOX);
      if (envelope.type === 'CANCEL') this.#cancel(envelope.body);
      else this.#claims?.hear(envelope.body);
    } catch (error) {
      this.#reject(delivery, error);
      return;
    }
    delivery.ack().catch(() => undefined);
  }

  #hearRoom(message: Message): void {
    try {
      const envelope = this.#codec.read(message, PLACES.room(WORKERS_ROOM), IN_ROOM);
      if (envelope.type === 'ASK') this.#announce();
      else if (envelope.type === 'CANCEL') this.#cancel(envelope.body);
      else if (envelope.replyTo !== undefined) this.#adopt(envelope.body, envelope.replyTo);
    } catch (error) {
      // Whoever sent it may be of another version; nobody waits for an answer.
      this.#settings.log(
        `An announcement was not understood: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  /** @throws {InvalidFormatError} for a reason that is no failure. */
  #cancel(body: Body<'CANCEL'>): void {
    const reason = Failure.fromRecord(body.reason);
    const job = this.#jobs.get(body.requestId);
    if (job?.key.submission === body.submission) job.cancel(reason);
    else this.#refused.add(body, reason);
  }

  /** An engine has taken up a run: it is told what is known of its requests. */
  #adopt({ requestIds }: Body<'ADOPT'>, mailbox: string): void {
    for (const requestId of requestIds) {
      const job = this.#jobs.get(requestId);
      if (job !== undefined) {
        job.sayRunning();
        continue;
      }
      const ending = this.#results.get(requestId);
      if (ending === null) continue;
      this.statistics.repeated += 1;
      this.#post(mailbox, ending).catch(() => undefined);
    }
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
      inFlight: this.#jobs.size,
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
    await Promise.race([Promise.all(this.#running), patience]);
    (timer as Timer | null)?.cancel();
    for (const job of this.#jobs.values()) {
      await job.release().catch(() => undefined);
      job.abort(new DOMException(`The worker ${this.id} is being stopped`, 'AbortError'));
    }
  }

  async #close(): Promise<void> {
    const link = this.#link;
    this.#link = null;
    this.#notice?.cancel();
    await this.#heart?.stop();
    if (this.#isExecutorOurs) await this.#executor.close();
    await link?.close();
    this.#state = 'stopped';
    this.#tellEnded();
  }
}

/** Whether who asks gets what another got: it is the same submission, or takes up whatever there is. */
function isSame(known: { readonly submission: string }, asked: RequestBody): boolean {
  return known.submission === asked.submission || asked.takesUp;
}

function isCloneable(value: unknown): boolean {
  try {
    structuredClone(value);
    return true;
  } catch {
    return false;
  }
}
