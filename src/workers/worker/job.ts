import type { Task, TaskContext } from '../../atoms/task.js';
import type { Clock } from '../../environment.js';
import { FlowstateError, UncrossableValueError } from '../../errors.js';
import type { Executor } from '../../executors/executor.js';
import { INTERRUPTED } from '../../executors/executor.js';
import { listenTo } from '../../executors/listen-to-task.js';
import { Failure } from '../../failure.js';
import type { Body, RequestBody, RequestKey, ResponseBody } from '../protocol/messages.js';
import { argumentsIn, listIn, valueText } from '../protocol/values.js';
import type { Delivery } from '../transport.js';
import type { AllowList } from './allow-list.js';
import { Outbox } from './outbox.js';
import type { Say } from './outbox.js';
import type { Patience } from './patience.js';
import type { Ending } from './result-store.js';

/** What a job needs of its worker. */
export interface JobSurroundings {
  readonly workerId: string;
  readonly allowed: AllowList;
  readonly executor: Executor;
  readonly clock: Clock;
  /** Those of which nothing was said, as they began a moment ago. */
  readonly unsaid: Patience;
  /** Sends a reply, with which a delivery may be dealt with. Rejects only for what can never be sent. */
  post(mailbox: string, body: ResponseBody, delivery: Delivery): Promise<void>;
}

const FROM_A_WORKER = 'from a worker';

/** One request that a worker works on. */
export class Job {
  readonly #stop = new AbortController();
  readonly #outbox: Outbox;
  readonly #deliveries: Delivery[];
  /** The last that was given. */
  #latest: Delivery;
  #key: RequestKey;
  #delivery: number;
  #mailbox: string;
  #isReleased = false;
  #isUncrossable: Failure | null = null;

  constructor(
    readonly body: RequestBody,
    delivery: Delivery,
    mailbox: string,
    private readonly surroundings: JobSurroundings,
  ) {
    this.#deliveries = [delivery];
    this.#latest = delivery;
    this.#key = keyOf(body);
    this.#delivery = delivery.deliveries;
    this.#mailbox = mailbox;
    const { workerId, clock } = surroundings;
    this.#outbox = new Outbox({
      workerId,
      key: () => ({ ...this.#key, delivery: this.#delivery }),
      post: (reply) => surroundings.post(this.#mailbox, reply, this.#latest),
      later: (delayMs, call) => clock.setTimer(delayMs, call),
    });
  }

  get key(): RequestKey {
    return this.#key;
  }

  get mailbox(): string {
    return this.#mailbox;
  }

  /** Somebody asks for what runs here: it is told to whoever asked last. */
  join(body: RequestBody, delivery: Delivery, mailbox: string): void {
    this.#deliveries.push(delivery);
    this.#latest = delivery;
    this.#key = keyOf(body);
    this.#delivery = delivery.deliveries;
    this.#mailbox = mailbox;
    this.#outbox.runningAgain();
  }

  /** Says once more that it runs. */
  sayRunning(): void {
    this.#outbox.runningAgain();
  }

  cancel(failure: Failure): void {
    this.abort(failure.isLive ? failure.error : new DOMException(failure.message, failure.name));
  }

  abort(reason: unknown): void {
    this.#stop.abort(reason);
  }

  /**
   * Runs the task, and says how it ended.
   *
   * @returns null when nobody knows how far it came, or others may do it.
   */
  async run(): Promise<{ readonly ending: Ending; readonly sent: Promise<void> } | null> {
    const { unsaid } = this.surroundings;
    const sayRunning = () => this.#outbox.running();
    unsaid.add(sayRunning);
    let outcome: unknown;
    try {
      outcome = await this.#outcome();
    } finally {
      unsaid.remove(sayRunning);
    }
    if (outcome === INTERRUPTED || this.#isReleased) {
      this.#outbox.close();
      return null;
    }
    return this.#end(this.#sayOf(outcome));
  }

  #end(say: Say & { readonly state: 'SUCCESS' | 'FAILURE' }): ReturnType<Outbox['end']> {
    const told = this.#outbox.end(say);
    // What is too large to be sent is a failure, which is not.
    const sent = told.sent.catch(
      (error: unknown) => this.#outbox.end(this.#failed(this.#uncrossable('result', error))).sent,
    );
    return { ending: told.ending, sent };
  }

  /** It is for nobody any more. */
  async ack(): Promise<void> {
    await Promise.all(this.#deliveries.map((delivery) => delivery.ack()));
  }

  /** Others may do it: nothing more is said of it here. */
  async release(): Promise<void> {
    this.#isReleased = true;
    this.#outbox.close();
    await Promise.all(this.#deliveries.map((delivery) => delivery.release()));
  }

  async #outcome(): Promise<unknown> {
    const { allowed, executor } = this.surroundings;
    const { task: address, action, events } = this.body;
    let task: Task;
    let args: Record<string, unknown>;
    try {
      task = allowed.make({ ...address, parameters: listIn(address.parameters) });
      args = argumentsIn(this.body.arguments);
    } catch (error) {
      return Failure.from(error);
    }
    using _ = listenTo(task, events, (event, details) => this.#tell(event, details));
    try {
      const { outcome } = executor.submit({ atom: task, method: action, args, context: this.#contextFor(task) });
      return await outcome;
    } catch (error) {
      return Failure.from(error);
    }
  }

  #contextFor(task: Task): TaskContext {
    const { atom, idempotencyKey } = this.body;
    const stop = this.#stop;
    return {
      atom,
      idempotencyKey,
      // Made when it is asked for, as most tasks do not.
      get signal() {
        return stop.signal;
      },
      progress: (progress, details) => task.updateProgress(progress, details),
      notify: (event, details = {}) => task.notifier.notify(event, details),
    };
  }

  #tell(event: string, details: Record<string, unknown>): void {
    try {
      this.#outbox.event(
        event,
        valueText(details, { atom: this.body.atom, what: `details of '${event}'` }, FROM_A_WORKER),
      );
    } catch (error) {
      this.#isUncrossable ??= Failure.from(error);
    }
  }

  #sayOf(outcome: unknown): Say & { readonly state: 'SUCCESS' | 'FAILURE' } {
    if (outcome instanceof Failure) return this.#failed(outcome);
    if (this.#isUncrossable !== null) return this.#failed(this.#isUncrossable);
    try {
      const result = valueText(outcome, { atom: this.body.atom, what: 'result' }, FROM_A_WORKER);
      return { state: 'SUCCESS', data: { result } };
    } catch (error) {
      return this.#failed(Failure.from(error));
    }
  }

  #failed(failure: Failure): Say & { readonly state: 'FAILURE' } {
    return { state: 'FAILURE', data: { failure: failure.toRecord() as Body<'CANCEL'>['reason'] } };
  }

  #uncrossable(what: string, cause: unknown): Failure {
    const known = cause instanceof FlowstateError ? { cause } : {};
    return Failure.from(new UncrossableValueError(this.body.atom, what, FROM_A_WORKER, known));
  }
}

export function keyOf({ requestId, submission, dispatch }: RequestKey): RequestKey {
  return { requestId, submission, dispatch };
}
