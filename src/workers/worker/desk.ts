import type { Executor } from '../../executors/executor.js';
import { TransportError, WorkerLostError } from '../../errors.js';
import { Failure } from '../../failure.js';
import type { MessageCodec } from '../protocol/codec.js';
import { PLACES, WORKERS_ROOM } from '../protocol/codec.js';
import type { Body, RequestBody, ResponseBody } from '../protocol/messages.js';
import { signatureMark } from '../protocol/signing.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import type { Delivery, Link, Message } from '../transport.js';
import type { AllowList } from './allow-list.js';
import type { Claims } from './claims.js';
import type { Heart } from './heart.js';
import { Job, keyOf } from './job.js';
import type { JobSurroundings } from './job.js';
import type { WorkerSettings } from './options.js';
import { Patience } from './patience.js';
import { Refused } from './refused.js';
import { ResultStore } from './result-store.js';

/** How many bytes of results are kept, about. */
const MAX_RESULT_BYTES = 64 * 1024 * 1024;
const POST_AGAIN_AFTER_MS = 1000;
/** A task that is quick need not be said to run: its end says it. */
const SAY_RUNNING_AFTER_MS = 5;

/** What is understood, by where it comes. */
export const IN_QUEUE = ['REQUEST'] as const;
export const IN_MAILBOX = ['CANCEL', 'GRANT'] as const;
export const IN_ROOM = ['ASK', 'CANCEL', 'ADOPT'] as const;

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

export interface DeskParts {
  readonly settings: WorkerSettings;
  readonly allowed: AllowList;
  readonly executor: Executor;
  readonly statistics: WorkerStatistics;
  /** Says who the worker is. */
  readonly announce: () => void;
}

/** What is there while the worker is connected. */
export interface DeskLine {
  readonly link: Link;
  readonly codec: MessageCodec;
  readonly heart: Heart;
  /** Where messages are signed. */
  readonly claims: Claims | null;
}

/** Where the messages of a worker go: it has the requests that it was given, and answers each. */
export class Desk {
  readonly #parts: DeskParts;
  readonly #results: ResultStore;
  readonly #refused: Refused;
  readonly #jobSurroundings: JobSurroundings;
  /** By request id, the latest of each. */
  readonly #jobs = new Map<string, Job>();
  readonly #running = new Set<Promise<void>>();
  /** Given when it is opened, before anything comes. */
  #line!: DeskLine;
  #isOpen = false;

  constructor(parts: DeskParts) {
    const { settings, allowed, executor } = (this.#parts = parts);
    const { environment, resultTtlMs, maxResults, workerId } = settings;
    this.#results = new ResultStore(
      { ttlMs: resultTtlMs, maxEntries: maxResults, maxBytes: MAX_RESULT_BYTES },
      environment.clock,
    );
    this.#refused = new Refused(maxResults);
    this.#jobSurroundings = {
      workerId,
      allowed,
      executor,
      clock: environment.clock,
      unsaid: new Patience(environment.clock, SAY_RUNNING_AFTER_MS),
      post: (mailbox, body, delivery) => this.#post(mailbox, body, delivery),
    };
  }

  /** How many requests it has. */
  get inFlight(): number {
    return this.#jobs.size;
  }

  /** From now on it answers. */
  open(line: DeskLine): void {
    this.#line = line;
    this.#isOpen = true;
  }

  /** It answers nobody any more. */
  close(): void {
    this.#isOpen = false;
  }

  /** Resolves when all that it runs has come to an end, and was told. */
  async whenDone(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Gives back what it runs still, to be run elsewhere. */
  async giveUp(reason: unknown): Promise<void> {
    for (const job of this.#jobs.values()) {
      await job.release().catch(() => undefined);
      job.abort(reason);
    }
  }

  /** A request. */
  take(delivery: Delivery): void {
    const { message } = delivery;
    const mailbox = message.properties.replyTo;
    let body: RequestBody;
    try {
      body = this.#line.codec.read(message, PLACES.queue(this.#parts.settings.topic), IN_QUEUE).body;
      if (mailbox === undefined) throw new TypeError('it says nobody to reply to');
    } catch (error) {
      this.#reject(delivery, error);
      return;
    }
    const { claims } = this.#line;
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
    this.#parts.statistics.released += 1;
    await delivery.ack();
  }

  #replyTo(body: RequestBody, { deliveries }: Delivery) {
    return {
      version: PROTOCOL_VERSION,
      ...keyOf(body),
      workerId: this.#parts.settings.workerId,
      delivery: deliveries,
      number: 0,
    } as const;
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
      this.#line.heart.add(body.requestId, known.key, mailbox);
      return;
    }
    const ending = this.#results.get(body.requestId);
    if (ending !== null && isSame(ending, body)) {
      this.#parts.statistics.repeated += 1;
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
    this.#line.heart.add(requestId, job.key, job.mailbox);
    const told = await job.run();
    if (this.#jobs.get(requestId) === job) {
      this.#jobs.delete(requestId);
      this.#line.heart.remove(requestId);
    }
    if (told === null || !this.#isOpen) {
      this.#parts.statistics.released += 1;
      await job.release().catch(() => undefined);
      return;
    }
    this.#results.put(told.ending);
    await told.sent;
    this.#parts.statistics.finished += 1;
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
    const message = this.#line.codec.write('RESPONSE', body, {
      place: PLACES.mailbox(mailbox),
      correlationId: body.requestId,
    });
    const isEnding = body.state !== 'RUNNING' && body.state !== 'EVENT';
    while (this.#isOpen) {
      try {
        if (isEnding && delivery?.reply !== undefined) await delivery.reply(mailbox, message);
        else await this.#line.link.post(mailbox, message);
        return;
      } catch (error) {
        if (!(error instanceof TransportError) || !isEnding) return;
        await new Promise<void>((resolve) => {
          this.#parts.settings.environment.clock.setTimer(POST_AGAIN_AFTER_MS, resolve);
        });
      }
    }
  }

  #reject(delivery: Delivery, error: unknown): void {
    this.#parts.statistics.rejected += 1;
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.settings.log(`A message was rejected: ${reason}`);
    delivery.reject(reason).catch(() => undefined);
  }

  /** What is told to this worker alone. @param place - Where that came. */
  hearMail(delivery: Delivery, place: string): void {
    try {
      const envelope = this.#line.codec.read(delivery.message, place, IN_MAILBOX);
      if (envelope.type === 'CANCEL') this.#cancel(envelope.body);
      else this.#line.claims?.hear(envelope.body);
    } catch (error) {
      this.#reject(delivery, error);
      return;
    }
    delivery.ack().catch(() => undefined);
  }

  /** What is told to all workers. */
  hearRoom(message: Message): void {
    try {
      const envelope = this.#line.codec.read(message, PLACES.room(WORKERS_ROOM), IN_ROOM);
      if (envelope.type === 'ASK') this.#parts.announce();
      else if (envelope.type === 'CANCEL') this.#cancel(envelope.body);
      else if (envelope.replyTo !== undefined) this.#adopt(envelope.body, envelope.replyTo);
    } catch (error) {
      // Whoever sent it may be of another version; nobody waits for an answer.
      this.#parts.settings.log(
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
      this.#parts.statistics.repeated += 1;
      this.#post(mailbox, ending).catch(() => undefined);
    }
  }
}

/** Whether who asks gets what another got: it is the same submission, or takes up whatever there is. */
function isSame(known: { readonly submission: string }, asked: RequestBody): boolean {
  return known.submission === asked.submission || asked.takesUp;
}
