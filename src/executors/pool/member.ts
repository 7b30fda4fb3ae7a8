import type { Listing } from '../../atoms/task-registry.js';
import { addressOf } from '../../atoms/task-registry.js';
import type { Clock, Timer } from '../../environment.js';
import { ExecutionError, UncrossableValueError, WorkerLostError } from '../../errors.js';
import { Failure } from '../../failure.js';
import { INTERRUPTED } from '../executor.js';
import type { TaskWork } from '../executor.js';
import { hearFrom } from '../listen-to-task.js';
import type { Waiting } from '../waiting-line.js';
import type { End, Host, HostKind, HostListener } from './host.js';
import type { Reply, RunRequest, Start } from './protocol.js';
import { eventsHeard, sentArguments } from './protocol.js';

/** Work with somebody who waits for its outcome. */
export interface Assignment extends Waiting {
  readonly work: TaskWork;
  readonly settle: (outcome: unknown) => void;
}

/** What a pool hears of its members. */
export interface MemberListener {
  /** One may be given work. */
  free(): void;
  started(listings: readonly Listing[]): void;
  /** One never came so far as to be given work. */
  unfit(error: ExecutionError): void;
  /** There is no such thread or process any more. */
  gone(member: Member): void;
}

export interface MemberOptions {
  readonly kind: HostKind;
  readonly start: Start;
  readonly clock: Clock;
  readonly graceMs: number;
  readonly terminateOnAbort: boolean;
  readonly maxTasks: number;
  readonly maxRssMb: number;
}

/** One thread or process of a pool, with the task that it runs. */
export class Member implements HostListener {
  /** Settles when the thread or process is gone. */
  readonly whenGone: Promise<void>;
  readonly #host: Host;
  #state: 'starting' | 'free' | 'busy' | 'leaving' | 'gone' = 'starting';
  #assignment: Assignment | null = null;
  #stopListening: (() => void) | null = null;
  #patience: Timer | null = null;
  #finished = 0;
  #isKilled = false;
  #isDismissed = false;
  /** A host is, from the beginning. */
  #isKeptAlive = true;
  #tellGone!: () => void;

  constructor(
    private readonly options: MemberOptions,
    private readonly listener: MemberListener,
  ) {
    this.whenGone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
    this.#host = options.kind.start(options.start, this);
  }

  get isFree(): boolean {
    return this.#state === 'free';
  }

  get isStarting(): boolean {
    return this.#state === 'starting';
  }

  /** Whether it is, or will be, there for more work. */
  get isMember(): boolean {
    return this.#state !== 'leaving' && this.#state !== 'gone';
  }

  /** Whether the process may not end as long as the host is there. */
  #keepAlive(isNeeded: boolean): void {
    if (isNeeded === this.#isKeptAlive) return;
    this.#isKeptAlive = isNeeded;
    this.#host.keepAlive(isNeeded);
  }

  /** Runs a task. What cannot be sent is its failure, and leaves the member free. */
  run(assignment: Assignment): void {
    const { work } = assignment;
    const { signal } = work.context;
    try {
      this.#host.send(requestFor(work));
    } catch (error) {
      assignment.settle(Failure.from(this.#uncrossable(work, error)));
      return;
    }
    this.#state = 'busy';
    this.#assignment = assignment;
    this.#keepAlive(true);
    work.began?.();
    const abort = () => this.abort(signal.reason, this.options);
    if (signal.aborted) abort();
    else {
      signal.addEventListener('abort', abort, { once: true });
      this.#stopListening = () => signal.removeEventListener('abort', abort);
    }
  }

  /** Tells the task to stop. With `terminateOnAbort` it is ended when it does not. */
  abort(reason: unknown, { terminateOnAbort }: { readonly terminateOnAbort: boolean }): void {
    if (this.#state !== 'busy') return;
    this.#host.send({ type: 'abort', reason: Failure.from(reason).toRecord() });
    if (terminateOnAbort) this.#killLater();
  }

  /** Has it end; its task is told to stop, with this for the reason. What takes longer than `graceMs` is ended. */
  leave(reason: unknown): void {
    this.#isDismissed = true;
    if (this.#state === 'starting') this.#kill();
    else if (this.#state === 'busy') this.abort(reason, { terminateOnAbort: true });
    else if (this.#state === 'free') this.#stop();
  }

  #stop(): void {
    this.#state = 'leaving';
    this.#keepAlive(true);
    this.#host.send({ type: 'stop' });
    this.#killLater();
  }

  #killLater(): void {
    const { clock, graceMs } = this.options;
    this.#patience ??= clock.setTimer(graceMs, () => this.#kill());
  }

  #kill(): void {
    this.#isKilled = true;
    this.#host.kill();
  }

  replied(reply: Reply): void {
    switch (reply.type) {
      case 'ready':
        this.#state = 'free';
        this.#keepAlive(false);
        this.listener.started(reply.listings);
        this.listener.free();
        break;
      case 'unloadable':
        this.#state = 'leaving';
        this.#kill();
        this.listener.unfit(unloadable(reply, this.options.kind));
        break;
      case 'event':
        this.#hear(reply);
        break;
      case 'done':
        this.#finish(reply.value, reply.rssMb);
        break;
      case 'uncrossable':
        this.#finish(this.#uncrossableReply(reply.what, originalOf(Failure.fromRecord(reply.why))), reply.rssMb);
        break;
      case 'failed':
        this.#finish(Failure.fromRecord(reply.failure), reply.rssMb);
    }
  }

  garbled(error: unknown): void {
    this.#finish(this.#uncrossableReply('result', error));
  }

  #uncrossableReply(what: string, cause: unknown): Failure {
    const atom = this.#assignment?.work.context.atom ?? 'an atom';
    return Failure.from(new UncrossableValueError(atom, what, `from a ${this.options.kind.noun}`, { cause }));
  }

  ended({ exitCode, signal, error }: End): void {
    const { noun } = this.options.kind;
    const cause = error === undefined ? {} : { cause: error };
    const lost = (what: string) => new WorkerLostError(`The ${noun} ${what}`, { exitCode, signal }, cause);
    const wasStarting = this.#state === 'starting';
    const assignment = this.#release();
    this.#state = 'gone';
    assignment?.settle(this.#isKilled ? INTERRUPTED : Failure.from(lost(`that ran ${assignment.work.context.atom}`)));
    if (wasStarting && !this.#isKilled) this.listener.unfit(lost('that was to run tasks'));
    this.#tellGone();
    this.listener.gone(this);
  }

  #hear({ event, details }: Reply & { type: 'event' }): void {
    const context = this.#assignment?.work.context;
    if (context !== undefined) hearFrom(context, event, details);
  }

  #finish(outcome: unknown, rssMb = 0): void {
    const assignment = this.#release();
    if (assignment === null) return;
    this.#finished += 1;
    this.#state = 'free';
    assignment.settle(outcome);
    const { maxTasks, maxRssMb } = this.options;
    if (this.#finished >= maxTasks || rssMb > maxRssMb || this.#isDismissed) this.#stop();
    this.listener.free();
    if (this.isFree) this.#keepAlive(false);
  }

  /** Takes its task off it. */
  #release(): Assignment | null {
    const assignment = this.#assignment;
    this.#assignment = null;
    this.#patience?.cancel();
    this.#patience = null;
    this.#stopListening?.();
    this.#stopListening = null;
    return assignment;
  }

  #uncrossable({ args, context, atom }: TaskWork, cause: unknown): UncrossableValueError {
    const { kind } = this.options;
    const cannotCross = (value: unknown) => {
      try {
        kind.checkCrossing(value);
        return false;
      } catch {
        return true;
      }
    };
    const { values } = sentArguments(args);
    const argument = Object.keys(values).find((name) => cannotCross(values[name]));
    const what =
      argument !== undefined
        ? `argument '${argument}'`
        : cannotCross(addressOf(atom).parameters)
          ? 'construction parameters'
          : 'arguments';
    return new UncrossableValueError(context.atom, what, `to a ${kind.noun}`, { cause });
  }
}

function requestFor({ atom, method, args, context }: TaskWork): RunRequest {
  return {
    type: 'run',
    address: addressOf(atom),
    atom: context.atom,
    method,
    args: sentArguments(args),
    idempotencyKey: context.idempotencyKey,
    events: eventsHeard(atom),
  };
}

function unloadable({ module, failure: record }: Reply & { type: 'unloadable' }, { noun }: HostKind): ExecutionError {
  const failure = Failure.fromRecord(record);
  const cause = originalOf(failure);
  return new ExecutionError(`The task module ${module} cannot be loaded in a ${noun}: ${failure.message}`, { cause });
}

/** Where the class of an error is not known here, its failure stands for it. */
function originalOf(failure: Failure): unknown {
  return failure.isLive ? failure.error : failure;
}
