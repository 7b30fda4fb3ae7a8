import type { WorkerRequestEvent, WorkerRequestState } from '../../../machines/index.js';
import { workerRequestMachine } from '../../../machines/index.js';
import { addressOf } from '../../atoms/task-registry.js';
import type { TaskAddress } from '../../atoms/task-registry.js';
import type { Timer } from '../../environment.js';
import { RequestTimeoutError, WorkerLostError } from '../../errors.js';
import type { Stopping, TaskWork, WorkOrigin } from '../../executors/executor.js';
import { INTERRUPTED } from '../../executors/executor.js';
import { hearFrom } from '../../executors/listen-to-task.js';
import { eventsHeard } from '../../executors/pool/protocol.js';
import { stoppingOf } from '../../executors/stopping.js';
import { Failure } from '../../failure.js';
import { ChartActor } from '../../interpreter/actors.js';
import { compileChart } from '../../interpreter/chart.js';
import type { InspectionHub } from '../../interpreter/inspection.js';
import { bindChart, stateNamed } from '../../interpreter/services.js';
import type { Body, RequestBody, RequestKey, ResponseBody } from '../protocol/messages.js';
import { PROTOCOL_VERSION } from '../protocol/version.js';
import { argumentsText, recordIn, requestIdOf, valueIn, valueText } from '../protocol/values.js';
import type { Delivery } from '../transport.js';
import type { KnownWorker } from './finder.js';
import type { Line } from './line.js';
import type { WorkerExecutorSettings } from './options.js';
import type { WorkerExecutorStatistics } from './statistics.js';
import { Tenure } from './tenure.js';

/** What a request needs of its executor. */
export interface RequestHost {
  readonly settings: WorkerExecutorSettings;
  readonly statistics: WorkerExecutorStatistics;
  /** Where the actors of requests are seen. */
  readonly hub: InspectionHub;
  /** It needs a worker. */
  await(request: ClientRequest): void;
  publish(request: ClientRequest): void;
  /** Somebody has it whom nobody asked now: it waits for no worker. */
  foundElsewhere(request: ClientRequest): void;
  /** Nobody wants its outcome any more. */
  sendCancel(request: ClientRequest, reason: unknown): void;
  readonly line: Line;
  isBusy(topic: string): boolean;
  /** The only worker of a topic, where its requests are signed. */
  soleWorker(topic: string): KnownWorker | null;
  /** It was begun: workers of its topic have something to do. */
  moved(request: ClientRequest): void;
  /** Whether a worker of the topic may stand still, with requests that it does not begin with. */
  isDoubtful(topic: string): boolean;
  isHeardSince(topic: string, at: number): boolean;
  /** A worker is not heard of any more. */
  doubt(workerId: string): void;
  /** What it waits for while no worker is there, for messages. */
  wantedFor(request: ClientRequest): string;
  /** It has come to its end. */
  over(request: ClientRequest): void;
}

interface Context {
  readonly name: string;
  readonly request: ClientRequest;
}

const chart = bindChart<Context, WorkerRequestEvent>(compileChart(workerRequestMachine), {
  awaitWorker: ({ context: { request } }) => request.needWorker(),
  publish: ({ context: { request } }) => request.published(),
  begin: ({ context: { request } }) => request.begun(),
  renewLease: ({ context: { request } }) => request.renewLease(),
  tellEvent: ({ context: { request } }) => request.tellEvent(),
  settle: ({ context: { request } }) => request.settle(),
});

/** One request to workers, from when it is asked for until its outcome is durable. */
export class ClientRequest {
  readonly id: string;
  readonly runId: string;
  readonly outcome: Promise<unknown>;
  readonly address: TaskAddress;
  readonly takesUp: boolean;
  /** The topic that it was sent to last. */
  topic: string | null = null;
  /** The worker that was last heard to run it. */
  workerId: string | null = null;
  /** Whether anything was heard of it. */
  isHeardOf = false;

  readonly #stopping: Stopping;
  readonly #actor: ChartActor<Context, WorkerRequestEvent>;
  readonly #fixed: Omit<RequestBody, keyof RequestKey>;
  #key: RequestKey;
  #delivery = 0;
  readonly #numbers = new Map<string, number>();
  #beats = -1;
  #resolve!: (outcome: unknown) => void;
  #ending: unknown = INTERRUPTED;
  #event: { readonly event: string; readonly details: string } | null = null;
  /** The reply that ended it: acknowledged when what it says is durable. */
  #held: Delivery | null = null;
  #timer: Timer | null = null;
  #lease: Timer | null = null;
  #again: Timer | null = null;
  #heardAt = 0;
  #needsWorker = false;
  #stopListening: (() => void) | null = null;
  #isOver = false;
  /** Of the dispatch that was sent last. */
  #tenure = new Tenure(null);
  /** How often the connection had been lost when it was sent. */
  #outages = 0;
  #publishedAt = 0;
  /** Why it could not be sent, at the last attempt. */
  trouble: unknown = null;

  /** @throws {UncrossableValueError} for what cannot be sent. */
  constructor(
    readonly work: TaskWork,
    origin: WorkOrigin,
    submission: string,
    readonly host: RequestHost,
  ) {
    const { atom, method, context, args, isTakenUp = false } = work;
    this.#stopping = work.stopping ?? stoppingOf(context.signal);
    this.id = requestIdOf(context.idempotencyKey);
    this.runId = origin.runId;
    this.takesUp = isTakenUp;
    this.address = addressOf(atom);
    this.#key = { requestId: this.id, submission, dispatch: 0 };
    const { name, version, parameters } = this.address;
    const what = 'construction parameters';
    this.#fixed = {
      version: PROTOCOL_VERSION,
      takesUp: isTakenUp,
      runId: origin.runId,
      atomId: origin.atomId,
      atom: context.atom,
      action: method,
      attempt: origin.attempt,
      task: { name, version, parameters: valueText(parameters, { atom: context.atom, what }, 'to a worker') },
      arguments: argumentsText(args, context.atom),
      idempotencyKey: context.idempotencyKey,
      events: eventsHeard(atom),
      maxDeliveries: host.settings.maxDeliveries,
    };
    this.outcome = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    // What an earlier process asked for is with somebody, as far as anybody knows.
    const first = isTakenUp ? stateNamed(chart, chart.states, 'PENDING') : chart.initial;
    this.#actor = new ChartActor<Context, WorkerRequestEvent>({ name: this.id, request: this }, first, {
      hub: host.hub,
      parent: undefined,
    });
    if (host.hub.active) this.#actor.introduce(host.hub.emit);
    if (isTakenUp) this.attend();
  }

  /** Hears from now on that its atom is to stop. That need not be told before it was sent. */
  attend(): void {
    if (this.#stopListening !== null || this.#isOver) return;
    const isLate = this.#stop !== null;
    this.#stopListening = this.#stopping.onStop(() => this.#aborted());
    if (isLate) this.#aborted();
  }

  get #stop(): Stopping['stop'] {
    return this.#stopping.stop;
  }

  get state(): WorkerRequestState {
    return this.#actor.value as WorkerRequestState;
  }

  /** Why it may be that nobody has it, in words, where nobody has begun with it. */
  get doubt(): string | null {
    if (this.state !== 'PENDING') return null;
    if (!this.host.line.isUp) return 'the broker, which cannot be reached';
    const worker = `a worker of the topic ${this.topic ?? ''}`;
    if (this.#tenure.isAstray) return `${worker}; it came to another than it was made for`;
    if (this.#mayBeLost) return `${worker}; the broker was away since it was sent there`;
    return this.#key.dispatch > 1 ? `${worker}; it was sent ${this.#key.dispatch} times` : null;
  }

  get #mayBeLost(): boolean {
    return this.#tenure.isAstray || this.host.line.outages !== this.#outages;
  }

  get key(): RequestKey {
    return this.#key;
  }

  get body(): RequestBody {
    const { requestId, submission, dispatch } = this.#key;
    return { ...this.#fixed, requestId, submission, dispatch, sole: this.#tenure.sole };
  }

  /** Sends an event to its chart. One that is illegal is counted, and changes nothing. */
  tell(event: WorkerRequestEvent): boolean {
    if (this.#actor.accepts(event)) {
      this.#actor.send(event);
      if (this.#needsWorker) {
        this.#needsWorker = false;
        this.host.await(this);
      }
      return true;
    }
    const { statistics, settings } = this.host;
    statistics.illegalEvents += 1;
    settings.log(`${this.#fixed.atom}: ${event.type} is illegal for a request that is ${this.state}`);
    return false;
  }

  // On its way -------------------------------------------------------------------------------------------------------

  /** It is asked for when the request has arrived in its state: that a worker is there may be told at once. */
  needWorker(): void {
    this.#needsWorker = true;
  }

  /** It waits for a worker, none of which is there. Does nothing when its time is counted already. */
  awaitWorker(): void {
    const { noWorkerMs, transitionTimeoutMs } = this.host.settings;
    if (this.#timer === null) this.#limit(Math.min(noWorkerMs, transitionTimeoutMs), () => this.#tooLate());
  }

  /** A worker is there: it is about to be sent. */
  published(): void {
    this.#key = { ...this.#key, dispatch: this.#key.dispatch + 1 };
    this.#delivery = 0;
    this.#numbers.clear();
    this.#outages = this.host.line.outages;
    this.#publishedAt = this.host.settings.environment.clock.now();
    this.#tenure = new Tenure(this.topic === null ? null : this.host.soleWorker(this.topic));
    this.#unlimit();
    const { environment, leaseMs, transitionTimeoutMs } = this.host.settings;
    const isLimitedFirst = transitionTimeoutMs <= leaseMs;
    if (isLimitedFirst) this.#limit(transitionTimeoutMs, () => this.#tooLate());
    // Most have begun by then: the second timer is not needed.
    this.#again = environment.clock.setTimer(leaseMs, () => {
      if (!isLimitedFirst && !this.#isOver) this.#limit(transitionTimeoutMs - leaseMs, () => this.#tooLate());
      this.#lookAgain();
    });
    this.host.publish(this);
  }

  /**
   * A worker has it, and asks whether it may run it.
   *
   * @returns why not; null if it may.
   */
  claimed(claim: Body<'CLAIM'>): string | null {
    const isWanted = this.#isCurrent(claim) && (this.state === 'PENDING' || this.state === 'RUNNING');
    if (!isWanted) return 'it was sent again since then, and this one is of no use any more';
    return this.#tenure.grant(claim) ? null : 'a worker has it already: somebody has sent it twice';
  }

  /**
   * Nobody has begun with it for as long as a worker may be silent. Where one of the topic may stand still it may have got
   * the request, and where the connection was lost the broker may have forgotten it: it is sent once more.
   */
  #lookAgain(): void {
    this.#again = null;
    if (this.#isOver) return;
    const { host, topic } = this;
    const { redispatches, maxDeliveries, leaseMs, environment } = host.settings;
    if (this.state !== 'PENDING' || topic === null || !redispatches || this.#stop !== null) return;
    const { dispatch } = this.#key;
    const isDoubtful = host.isDoubtful(topic) || this.#mayBeLost;
    // What was sent once more for nothing is not sent again before somebody is there who could take it.
    const isOfUse = host.line.isUpFor(leaseMs) && (dispatch === 1 || host.isHeardSince(topic, this.#publishedAt));
    if (dispatch < maxDeliveries && isDoubtful && isOfUse && !host.isBusy(topic)) {
      host.statistics.redispatches += 1;
      this.tell({ type: 'on_lost', mayRedispatch: true });
    } else this.#again = environment.clock.setTimer(leaseMs, () => this.#lookAgain());
  }

  /** An earlier process asked for it: the mailbox has to be there before anybody can say so. */
  awaitMailbox(): void {
    this.#limit(this.host.settings.transitionTimeoutMs, () => this.#tooLate());
  }

  /** Whoever knows it is waited for. */
  awaitAdoption(): void {
    this.#unlimit();
    this.trouble = null;
    this.#limit(this.host.settings.adoptMs, () => {
      this.#timer = null;
      if (this.#isOver) return;
      if (!this.isHeardOf && this.state === 'PENDING') this.tell({ type: 'on_lost', mayRedispatch: true });
    });
  }

  begun(): void {
    this.#unlimit();
    this.host.moved(this);
    if (this.#stop !== null) this.host.sendCancel(this, this.#stop.reason);
    this.work.began?.();
  }

  renewLease(): void {
    const { environment, leaseMs } = this.host.settings;
    this.#heardAt = environment.clock.now();
    this.#lease ??= environment.clock.setTimer(leaseMs, () => this.#checkLease());
  }

  #checkLease(): void {
    this.#lease = null;
    if (this.state !== 'RUNNING') return;
    const { environment, leaseMs } = this.host.settings;
    const left = this.#heardAt + leaseMs - environment.clock.now();
    if (left > 0) this.#lease = environment.clock.setTimer(left, () => this.#checkLease());
    else this.#lost();
  }

  #lost(): void {
    const { redispatches, maxDeliveries, leaseMs } = this.host.settings;
    const { dispatch } = this.#key;
    const mayRedispatch = redispatches && dispatch < maxDeliveries && this.#stop === null;
    const how = `is not heard of any more, for ${leaseMs} ms${dispatch > 1 ? `; it was the ${dispatch}th to which it was given` : ''}`;
    const who = `The worker ${this.workerId ?? ''} that ran ${this.#fixed.atom}`;
    this.#ending = this.#stop !== null ? INTERRUPTED : Failure.from(new WorkerLostError(who, how));
    if (mayRedispatch) this.host.statistics.redispatches += 1;
    else this.host.sendCancel(this, new DOMException('The worker was not heard of', 'AbortError'));
    if (this.workerId !== null) this.host.doubt(this.workerId);
    this.workerId = null;
    this.tell({ type: 'on_lost', mayRedispatch });
  }

  #tooLate(): void {
    this.#timer = null;
    if (this.#isOver) return;
    const { host, topic } = this;
    const { transitionTimeoutMs, noWorkerMs } = host.settings;
    if (this.#stop !== null) {
      this.#ending = INTERRUPTED;
    } else if (this.state === 'PENDING' && topic !== null && this.trouble === null && host.isBusy(topic)) {
      // It waits its turn, with workers that live.
      this.#limit(transitionTimeoutMs, () => this.#tooLate());
      return;
    } else {
      const isWaiting = this.state === 'WAITING';
      const limitMs = isWaiting ? Math.min(noWorkerMs, transitionTimeoutMs) : transitionTimeoutMs;
      const trouble = this.trouble instanceof Error ? this.trouble.message : null;
      const why = isWaiting
        ? `it waits for ${host.wantedFor(this)}`
        : (trouble ?? `it was sent to the topic ${topic ?? ''}`);
      this.#ending = Failure.from(new RequestTimeoutError(this.#fixed.atom, limitMs, why));
      if (!isWaiting) host.sendCancel(this, new DOMException(why, 'TimeoutError'));
    }
    this.tell({ type: 'on_failure' });
  }

  /** It fails before a worker had it. */
  fail(error: unknown): void {
    this.#ending = Failure.from(error);
    this.tell({ type: 'on_failure' });
  }

  #aborted(): void {
    if (this.#isOver || this.state === 'WAITING') return;
    this.host.sendCancel(this, this.#stop?.reason);
    // Whoever has it says how it ends; if nobody has, nobody knows.
    if (this.state !== 'PENDING') return;
    this.#unlimit();
    this.#limit(this.host.settings.leaseMs, () => this.#tooLate());
  }

  // What is heard of it ----------------------------------------------------------------------------------------------

  /** @returns whether the reply is kept until what it says is durable. */
  hear(body: ResponseBody, delivery: Delivery): boolean {
    if (!this.#isCurrent(body) || body.delivery < this.#delivery) {
      this.host.statistics.lateReplies += 1;
      return false;
    }
    this.#delivery = body.delivery;
    this.workerId = body.workerId;
    const isNew = body.number > (this.#numbers.get(body.workerId) ?? -1);
    this.#numbers.set(body.workerId, Math.max(body.number, this.#numbers.get(body.workerId) ?? -1));
    switch (body.state) {
      case 'RUNNING':
        this.tell({ type: 'on_running' });
        return false;
      case 'WAITING':
        // It gives it back: nobody said whether it may run it.
        if (this.state === 'PENDING' && this.#tenure.mayBeWith(body.workerId)) {
          this.tell({ type: 'on_lost', mayRedispatch: true });
        }
        return false;
      case 'EVENT':
        if (isNew) {
          this.#event = { event: body.data.event_type, details: body.data.details };
          this.tell({ type: 'on_event' });
        }
        return false;
      default:
        if (!this.#actor.accepts({ type: 'on_failure' })) {
          this.tell({ type: 'on_failure' });
          return false;
        }
        this.#held = delivery;
        this.#ending = outcomeOf(body);
        return this.tell({ type: body.state === 'SUCCESS' ? 'on_success' : 'on_failure' });
    }
  }

  /** A worker says that it runs it still. Each beat counts once. */
  beat(workerId: string, beat: number, key: RequestKey): void {
    if (!this.#isCurrent(key) || (workerId === this.workerId && beat <= this.#beats)) return;
    this.#beats = beat;
    if (this.workerId !== null && workerId !== this.workerId) return;
    this.workerId = workerId;
    this.tell({ type: 'on_running' });
  }

  /**
   * Whether a reply is to what was sent last. Of a request that was taken up, whoever answers first is listened to, until
   * a worker that was asked anew has begun.
   */
  #isCurrent({ submission, dispatch }: RequestKey): boolean {
    if (submission === this.#key.submission && dispatch === this.#key.dispatch) {
      this.isHeardOf = true;
      return true;
    }
    if (!this.takesUp || submission === this.#key.submission || this.state === 'RUNNING') return false;
    if (this.state === 'WAITING') {
      this.host.foundElsewhere(this);
      this.tell({ type: 'on_pending' });
    }
    this.isHeardOf = true;
    this.#key = { ...this.#key, submission, dispatch };
    this.#unlimit();
    return true;
  }

  tellEvent(): void {
    const told = this.#event;
    this.#event = null;
    if (told === null) return;
    try {
      hearFrom(this.work.context, told.event, recordIn(told.details));
    } catch (error) {
      this.host.settings.log(`${this.#fixed.atom}: an event was not understood: ${String(error)}`);
    }
  }

  // Its end ----------------------------------------------------------------------------------------------------------

  settle(): void {
    this.#isOver = true;
    this.host.over(this);
    this.#resolve(this.#ending);
    this.forget();
  }

  /** Ends it without an answer: nobody knows how far it came. */
  interrupt(): void {
    this.forget();
    this.#resolve(INTERRUPTED);
  }

  /** Nothing more happens to it by itself. */
  forget(): void {
    this.#unlimit();
    this.#lease?.cancel();
    this.#lease = null;
    this.#isOver = true;
    this.#stopListening?.();
  }

  /** What came of it is durable. */
  durable(): void {
    const held = this.#held;
    this.#held = null;
    held?.ack().catch(() => undefined);
  }

  #limit(delayMs: number, call: () => void): void {
    if (delayMs < Infinity) this.#timer = this.host.settings.environment.clock.setTimer(delayMs, call);
  }

  #unlimit(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#again?.cancel();
    this.#again = null;
  }
}

function outcomeOf(body: ResponseBody): unknown {
  try {
    if (body.state === 'SUCCESS') return valueIn(body.data.result);
    if (body.state === 'FAILURE') return Failure.fromRecord(body.data.failure);
    return null;
  } catch (error) {
    return Failure.from(error);
  }
}
