import type { Task } from '../../atoms/task.js';
import type { Timer } from '../../environment.js';
import { FlowstateError, InvalidStateError, TransportError, UnsupportedError } from '../../errors.js';
import type { Executor, Submission, Work, WorkOrigin } from '../../executors/executor.js';
import { isTaskWork } from '../../executors/executor.js';
import { Failure } from '../../failure.js';
import type { InspectionObserver, InspectionSubscription } from '../../interpreter/inspection.js';
import { InspectionHub } from '../../interpreter/inspection.js';
import {
  ENGINES_ROOM,
  loadSchemas,
  MessageCodec,
  PLACES,
  runMailbox,
  WORKERS_ROOM,
  workerMailbox,
} from '../protocol/codec.js';
import type { Body } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { signing } from '../protocol/signing.js';
import type { Signing } from '../protocol/signing.js';
import { transport } from '../transport-registry.js';
import type { Link, Message } from '../transport.js';
import { incompatible } from '../versions.js';
import type { KnownWorker } from './finder.js';
import { Finder } from './finder.js';
import type { WorkerExecutorOptions, WorkerExecutorSettings } from './options.js';
import { workerExecutorSettings } from './options.js';
import type { RequestHost } from './request.js';
import { ClientRequest } from './request.js';
import { Line } from './line.js';
import { RunMailbox } from './run-mailbox.js';
import type { WorkerExecutorStatistics } from './statistics.js';
import { newWorkerStatistics } from './statistics.js';

/** How long, in milliseconds, workers may take to answer before it counts that there is none. */
const DISCOVERY_MS = 500;
/** How often, in milliseconds, workers are asked for while a request waits for one. */
const ASK_EVERY_MS = 5000;
const SEND_AGAIN_AFTER_MS = 1000;
/** What is understood in the room of the engines. */
const IN_ROOM = ['NOTIFY', 'BYE'] as const;
/** How long, in milliseconds, an executor that is closed waits for what it has begun to remove. */
const REMOVAL_MS = 2000;

const cannotBeCancelled = () => false;

/**
 * Runs tasks on workers in other processes, through a broker. Several engines may share one; it is closed by whoever made
 * it.
 *
 * @see TaskFlow `engines/worker_based/executor.py`, `WorkerTaskExecutor`.
 */
export class WorkerExecutor implements Executor, RequestHost {
  readonly name = 'workers';
  readonly settings: WorkerExecutorSettings;
  readonly statistics: WorkerExecutorStatistics = newWorkerStatistics();
  readonly hub = new InspectionHub();
  readonly line: Line;
  readonly #finder: Finder;
  readonly #signing: Signing | null;
  /** Made with the connection. */
  #codec!: MessageCodec;
  readonly #runs = new Map<string, RunMailbox>();
  /** Mailboxes of runs that have ended. */
  readonly #removals = new Map<string, Promise<void>>();
  /** Requests that wait for a worker, the first first. */
  readonly #waiting = new Set<ClientRequest>();
  readonly #inFlight = new Set<ClientRequest>();
  readonly #watchers = new Set<() => void>();
  /** When a request of ours was begun or ended last, by topic. */
  readonly #movedAt = new Map<string, number>();
  #link: Promise<Link> | null = null;
  #connectedAt = Infinity;
  #asking: Timer | null = null;
  #isClosed = false;

  /** @throws {RangeError|TypeError} naming the option, what it takes and what it got. */
  constructor(private readonly options: WorkerExecutorOptions) {
    this.settings = workerExecutorSettings(options);
    const { environment, topics, workerExpiryMs } = this.settings;
    this.#signing = signing(options, environment.clock);
    this.line = new Line(environment.clock);
    this.#finder = new Finder({ topics, expiryMs: workerExpiryMs }, environment.clock);
  }

  // Workers ----------------------------------------------------------------------------------------------------------

  /** The workers that were heard of lately. */
  get workers(): readonly KnownWorker[] {
    return this.#finder.workers.map((worker) => ({ ...worker }));
  }

  /**
   * Waits until so many workers are there.
   *
   * @param timeoutMs - Default: as long as it takes.
   * @returns 0, or how many are missing when the time is up.
   * @throws {RangeError} for a number below 1. @throws {TransportError} when the broker cannot be reached.
   */
  async waitForWorkers(count = 1, timeoutMs?: number): Promise<number> {
    if (!(Number.isSafeInteger(count) && count >= 1)) {
      throw new RangeError(`waitForWorkers takes a whole number from 1, got ${String(count)}`);
    }
    await this.#connected();
    const missing = () => Math.max(0, count - this.#finder.workers.length);
    if (missing() === 0) return 0;
    const { clock } = this.settings.environment;
    await new Promise<void>((resolve) => {
      let timer: Timer | null = null;
      const end = () => {
        this.#watchers.delete(look);
        timer?.cancel();
        resolve();
      };
      const look = () => {
        if (missing() === 0 || this.#isClosed) end();
      };
      this.#watchers.add(look);
      if (timeoutMs !== undefined) timer = clock.setTimer(timeoutMs, end);
      this.#ask();
    });
    return missing();
  }

  /** Shows the actors of requests, their events and snapshots to an observer, from now on. */
  inspect(observer: InspectionObserver): InspectionSubscription {
    return this.hub.add(observer);
  }

  /** Connects, so that a broker that cannot be reached is known before anything runs. */
  async accept(_tasks: Iterable<Task>): Promise<void> {
    await this.#connected();
  }

  #connected(): Promise<Link> {
    this.#refuseWhenClosed();
    this.#link ??= this.#connect().catch((error: unknown) => {
      this.#link = null;
      throw error;
    });
    return this.#link;
  }

  async #connect(): Promise<Link> {
    const { transport: given, url, exchange, transportOptions, retryOptions, registry } = this.options;
    const { environment, maxMessageBytes } = this.settings;
    this.#codec = new MessageCodec({ signing: this.#signing, maxMessageBytes, load: loadSchemas });
    const chosen =
      typeof given === 'object'
        ? given
        : await transport({ url, exchange, transport: given, transportOptions, retryOptions, registry, environment });
    const link = await chosen.open();
    this.line.watch(link);
    await link.listen(ENGINES_ROOM, (message) => this.#codec.soon(message, IN_ROOM, () => this.#hearRoom(message)));
    this.#connectedAt = environment.clock.now();
    this.#announce(link, 'ASK', { version: PROTOCOL_VERSION });
    // It goes out now: workers answer while the engine begins.
    await environment.clock.yield();
    return link;
  }

  #hearRoom(message: Message): void {
    let envelope;
    try {
      envelope = this.#codec.read(message, PLACES.room(ENGINES_ROOM), IN_ROOM);
    } catch (error) {
      this.statistics.invalidMessages += 1;
      this.settings.log(
        `An announcement was not understood: ${error instanceof Error ? error.message : String(error)}`,
      );
      return;
    }
    if (envelope.type === 'BYE') this.#finder.bye(envelope.body.workerId);
    else if (this.#finder.notice(envelope.body)) {
      this.#prepare(envelope.body.topic);
      for (const look of [...this.#watchers]) look();
      this.#placeAll();
    }
  }

  /** While the mailbox of a run is being made, as a rule. What goes wrong is told to whoever sends something. */
  #prepare(topic: string): void {
    void this.#link?.then((link) => link.prepare?.(topic)).catch(() => undefined);
  }

  /** Asks who is there, now and from time to time while somebody waits. */
  #ask(): void {
    if (this.#asking !== null || this.#isClosed) return;
    const again = () => {
      this.#asking = null;
      if (this.#waiting.size === 0 && this.#watchers.size === 0) return;
      void this.#connected().then(
        (link) => this.#announce(link, 'ASK', { version: PROTOCOL_VERSION }),
        () => undefined,
      );
      // What was known may be known differently by now: workers expire.
      this.#placeAll();
      this.#ask();
    };
    const isEarly = this.settings.environment.clock.now() - this.#connectedAt < DISCOVERY_MS;
    this.#asking = this.settings.environment.clock.setTimer(isEarly ? DISCOVERY_MS : ASK_EVERY_MS, again);
    this.#asking.unref?.();
  }

  #announce<Type extends 'ASK' | 'CANCEL' | 'ADOPT'>(link: Link, type: Type, body: Body<Type>, replyTo?: string): void {
    const message = this.#codec.write(type, body, { place: PLACES.room(WORKERS_ROOM), replyTo });
    link.announce(WORKERS_ROOM, message).catch(() => undefined);
  }

  // Requests ---------------------------------------------------------------------------------------------------------

  submit(work: Work): Submission {
    this.#refuseWhenClosed();
    if (!isTaskWork(work))
      throw new UnsupportedError(`${this.name} runs tasks alone, and ${work.atom.name} is a retry`);
    const { newId } = this.settings.environment;
    let request: ClientRequest;
    try {
      request = new ClientRequest(work, work.origin ?? this.#strayOrigin(newId()), newId(), this);
    } catch (error) {
      return { outcome: Failure.from(error), cancel: cannotBeCancelled };
    }
    const run = this.#runOf(request.runId);
    if (request.takesUp) this.#takeUp(request, run);
    else {
      run.add(request);
      this.await(request);
    }
    return {
      outcome: request.outcome,
      cancel: () => this.#takeBack(request),
      abandon: () => this.#abandon(request),
      isWaiting: () => request.state === 'WAITING' || request.doubt !== null,
      waitsFor: () => request.doubt ?? (this.#isFull ? null : this.wantedFor(request)),
      settled: () => request.durable(),
    };
  }

  /** Of work that no engine asks for. */
  #strayOrigin(id: string): WorkOrigin {
    return { runId: id, atomId: id, attempt: 1 };
  }

  #runOf(runId: string): RunMailbox {
    const known = this.#runs.get(runId);
    if (known !== undefined) return known;
    const run: RunMailbox = new RunMailbox({
      runId,
      codec: () => this.#codec,
      clock: this.settings.environment.clock,
      settings: this.settings,
      statistics: this.statistics,
      link: async () => {
        await this.#removals.get(runId);
        return this.#connected();
      },
      grant: (claim, refusal) => this.#grant(claim, refusal),
      isAlive: (workerId) => this.#finder.isAlive(workerId),
      closed: () => {
        if (this.#runs.get(runId) === run) this.#runs.delete(runId);
      },
    });
    this.#runs.set(runId, run);
    return run;
  }

  /** An earlier process may have asked for it: its answer may be there, or whoever runs it says so. */
  #takeUp(request: ClientRequest, run: RunMailbox): void {
    this.#inFlight.add(request);
    run.add(request);
    request.awaitMailbox();
    run.ready.then(
      (link) => {
        if (!this.#inFlight.has(request)) return;
        this.#announce(link, 'ADOPT', { version: PROTOCOL_VERSION, requestIds: [request.id] }, run.name);
        request.awaitAdoption();
      },
      (error: unknown) => request.fail(error),
    );
  }

  get #isFull(): boolean {
    return this.#inFlight.size >= this.settings.maxInFlight;
  }

  /** A request is to be given to a worker, as soon as there is one. */
  await(request: ClientRequest): void {
    this.#leaveTopic(request);
    this.#waiting.add(request);
    this.#place(request);
  }

  #placeAll(): void {
    for (const request of this.#waiting) {
      if (this.#isFull) return;
      this.#place(request);
    }
  }

  #place(request: ClientRequest): void {
    if (this.#isFull) return;
    const { name, version } = request.address;
    const pick = this.#finder.pick(name, version);
    if (pick.kind === 'found') {
      this.#waiting.delete(request);
      this.#inFlight.add(request);
      request.topic = pick.topic;
      this.#finder.count(pick.topic, 1);
      request.tell({ type: 'on_pending' });
      return;
    }
    const isSettled = this.settings.environment.clock.now() - this.#connectedAt >= DISCOVERY_MS;
    if (pick.kind === 'incompatible' && isSettled) {
      request.fail(incompatible(request.address, pick.versions));
      return;
    }
    request.awaitWorker();
    this.#ask();
  }

  foundElsewhere(request: ClientRequest): void {
    this.#waiting.delete(request);
    this.#inFlight.add(request);
  }

  wantedFor({ address: { name, version } }: ClientRequest): string {
    const { topics } = this.settings;
    const whose = topics === null ? 'a worker' : `a worker of the topic ${[...topics].join(' or ')}`;
    const known = this.#finder.workers.length;
    return `${whose} that runs '${name}' version ${version}; ${known === 0 ? 'there is none' : `none of ${known} does`}`;
  }

  isBusy(topic: string): boolean {
    const movedAt = this.#movedAt.get(topic) ?? -Infinity;
    const isMoving = this.settings.environment.clock.now() - movedAt < this.settings.leaseMs;
    return this.#finder.isBusy(topic, isMoving);
  }

  moved({ topic }: ClientRequest): void {
    if (topic !== null) this.#movedAt.set(topic, this.settings.environment.clock.now());
  }

  isDoubtful(topic: string): boolean {
    return this.#finder.isDoubtful(topic);
  }

  isHeardSince(topic: string, at: number): boolean {
    return this.#finder.workers.some((worker) => worker.topic === topic && worker.seenAt > at);
  }

  doubt(workerId: string): void {
    this.#finder.doubt(workerId);
  }

  publish(request: ClientRequest): void {
    const run = this.#runOf(request.runId);
    const { dispatch } = request.key;
    const { topic } = request;
    if (topic === null) return;
    const isWanted = () =>
      request.state === 'PENDING' && request.key.dispatch === dispatch && this.#inFlight.has(request);
    const send = async (): Promise<void> => {
      const link = await run.ready;
      request.trouble = null;
      const message = this.#codec.write('REQUEST', request.body, {
        place: PLACES.queue(topic),
        replyTo: run.name,
        correlationId: request.id,
      });
      while (isWanted()) {
        try {
          const sent = link.send(topic, message);
          request.attend();
          await sent;
          request.trouble = null;
          return;
        } catch (error) {
          if (!(error instanceof TransportError)) throw error;
          // The broker may come back while there is time left.
          request.trouble = error;
          await new Promise<void>((resolve) => {
            this.settings.environment.clock.setTimer(SEND_AGAIN_AFTER_MS, resolve);
          });
        }
      }
    };
    send().catch((error: unknown) => {
      if (isWanted())
        request.fail(
          error instanceof FlowstateError ? error : new TransportError('A request cannot be sent', { cause: error }),
        );
    });
  }

  soleWorker(topic: string): KnownWorker | null {
    return this.#signing === null ? null : this.#finder.soleWorker(topic);
  }

  #grant({ claim, workerId }: Body<'CLAIM'>, refusal: string | null): void {
    const body: Body<'GRANT'> = { version: PROTOCOL_VERSION, claim, refusal };
    void this.#link?.then(
      (link) => this.#mail(link, workerId, 'GRANT', body),
      () => undefined,
    );
  }

  #mail<Type extends 'CANCEL' | 'GRANT'>(link: Link, workerId: string, type: Type, body: Body<Type>): void {
    const mailbox = workerMailbox(workerId);
    const message = this.#codec.write(type, body, { place: PLACES.mailbox(mailbox) });
    link.post(mailbox, message).catch(() => undefined);
  }

  sendCancel(request: ClientRequest, reason: unknown): void {
    if (this.#isClosed || this.#link === null) return;
    const record = Failure.from(reason).toRecord() as Body<'CANCEL'>['reason'];
    const { requestId, submission } = request.key;
    const body: Body<'CANCEL'> = { version: PROTOCOL_VERSION, requestId, submission, reason: record };
    const { workerId } = request;
    void this.#link.then(
      (link) => {
        if (workerId === null) this.#announce(link, 'CANCEL', body);
        else this.#mail(link, workerId, 'CANCEL', body);
      },
      () => undefined,
    );
  }

  over(request: ClientRequest): void {
    this.moved(request);
    this.#waiting.delete(request);
    this.#leaveTopic(request);
    this.#runs.get(request.runId)?.remove(request);
    if (this.#waiting.size > 0 && !this.#isClosed) this.#placeAll();
  }

  #leaveTopic(request: ClientRequest): void {
    if (!this.#inFlight.delete(request) || request.topic === null) return;
    this.#finder.count(request.topic, -1);
    request.topic = null;
  }

  #takeBack(request: ClientRequest): boolean {
    if (request.state !== 'WAITING') return false;
    request.forget();
    this.over(request);
    return true;
  }

  #abandon(request: ClientRequest): void {
    request.forget();
    this.over(request);
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new InvalidStateError(`The executor ${this.name} is closed`);
  }

  /** Nobody answers a run that has ended. Where its mailbox cannot be removed now, it expires. */
  ended(runId: string): void {
    const run = this.#runs.get(runId);
    const connected = this.#link;
    if (this.#isClosed || connected === null || (run !== undefined && run.requests.size > 0)) return;
    const remove = async () => {
      await run?.close();
      const link = await connected;
      await link.removeMailbox(runMailbox(runId));
    };
    const removal = remove()
      .catch((error: unknown) => this.settings.log(`The mailbox of a run stays for now: ${String(error)}`))
      .finally(() => this.#removals.delete(runId));
    this.#removals.set(runId, removal);
  }

  /** Waits for what is being removed, unless the broker is away. */
  async #removed(): Promise<void> {
    if (this.#removals.size === 0) return;
    let timer: Timer | null = null;
    const patience = new Promise<void>((resolve) => {
      timer = this.settings.environment.clock.setTimer(REMOVAL_MS, resolve);
    });
    await Promise.race([Promise.all(this.#removals.values()), patience]);
    (timer as Timer | null)?.cancel();
  }

  /** Gives up the connection. What is with workers stays with them, and ends as INTERRUPTED here. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#asking?.cancel();
    for (const request of [...this.#waiting, ...this.#inFlight]) request.interrupt();
    this.#waiting.clear();
    this.#inFlight.clear();
    for (const look of [...this.#watchers]) look();
    await Promise.all([...this.#runs.values()].map((run) => run.close()));
    await this.#removed();
    const link = await this.#link?.catch(() => null);
    await link?.close();
  }
}
