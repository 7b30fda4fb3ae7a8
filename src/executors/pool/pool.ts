import type { Listing } from '../../atoms/task-registry.js';
import { addressOf, whyMissing } from '../../atoms/task-registry.js';
import type { Task } from '../../atoms/task.js';
import type { ExecutionError } from '../../errors.js';
import { InvalidStateError, UnsupportedError } from '../../errors.js';
import { Failure } from '../../failure.js';
import type { Executor, Submission, Work } from '../executor.js';
import { INTERRUPTED, isTaskWork } from '../executor.js';
import { WaitingLine } from '../waiting-line.js';
import type { HostKind } from './host.js';
import type { Assignment, MemberListener } from './member.js';
import { Member } from './member.js';
import type { PoolSettings } from './options.js';

/** Who waits to hear which tasks can be run. */
interface Enquiry {
  readonly resolve: (listings: readonly Listing[]) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Runs tasks in threads or processes. These are started when there is work for them, and kept until the pool is closed;
 * while they have nothing to do they keep no program from ending.
 */
export class Pool implements Executor, MemberListener {
  readonly #line = new WaitingLine<Assignment>();
  readonly #members = new Set<Member>();
  readonly #enquiries: Enquiry[] = [];
  #listings: readonly Listing[] | null = null;
  #isClosed = false;

  constructor(
    readonly name: string,
    private readonly kind: HostKind,
    private readonly settings: PoolSettings,
  ) {}

  get endsOnAbort(): boolean {
    return this.settings.terminateOnAbort;
  }

  async accept(tasks: Iterable<Task>): Promise<void> {
    const listings = this.#listings ?? (await this.#enquire());
    for (const task of tasks) {
      const why = whyMissing(addressOf(task), listings);
      if (why === null) continue;
      const { taskModules } = this.settings;
      const place =
        taskModules.length === 0 ? 'a module, and name it in taskModules' : `one of ${taskModules.join(', ')}`;
      throw new RangeError(
        `${this.name} cannot run the task ${task.name}: ${why}. Export it from ${place}, or make it by a taskFactory there`,
      );
    }
  }

  #enquire(): Promise<readonly Listing[]> {
    this.#refuseWhenClosed();
    const answer = new Promise<readonly Listing[]>((resolve, reject) => {
      this.#enquiries.push({ resolve, reject });
    });
    if (![...this.#members].some(({ isStarting }) => isStarting)) this.#start();
    return answer;
  }

  submit(work: Work): Submission {
    this.#refuseWhenClosed();
    if (!isTaskWork(work))
      throw new UnsupportedError(`${this.name} runs tasks alone, and ${work.atom.name} is a retry`);
    const { promise, settle } = settleable();
    const assignment: Assignment = { work, settle, owner: work.owner, priority: work.atom.priority };
    this.#line.add(assignment);
    this.#assign();
    return {
      outcome: promise,
      cancel: () => this.#line.remove(assignment),
      isWaiting: () => this.#line.has(assignment),
    };
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new InvalidStateError(`The executor ${this.name} is closed`);
  }

  /** Gives work to those who are free, and starts others when that is not enough. */
  #assign(): void {
    if (this.#isClosed) return;
    for (const member of this.#members) {
      while (member.isFree) {
        const next = this.#line.take();
        if (next === undefined) return;
        member.run(next);
      }
    }
    let [present, starting] = [0, 0];
    for (const member of this.#members) {
      if (member.isMember) present += 1;
      if (member.isStarting) starting += 1;
    }
    for (; starting < this.#line.size && present < this.settings.maxWorkers; starting += 1, present += 1) this.#start();
  }

  #start(): void {
    const { clock, graceMs, terminateOnAbort, maxTasksPerChild, maxRssMb, taskModules } = this.settings;
    const member = new Member(
      {
        kind: this.kind,
        start: { taskModules, tellsMemory: maxRssMb < Infinity, noun: this.kind.noun },
        clock,
        graceMs,
        terminateOnAbort,
        maxTasks: maxTasksPerChild,
        maxRssMb,
      },
      this,
    );
    this.#members.add(member);
  }

  started(listings: readonly Listing[]): void {
    this.#listings = listings;
    for (const { resolve } of this.#enquiries.splice(0)) resolve(listings);
  }

  free(): void {
    this.#assign();
  }

  unfit(error: ExecutionError): void {
    for (const { reject } of this.#enquiries.splice(0)) reject(error);
    // One that cannot be started answers for one task: the next may have better luck, and nothing is tried for ever.
    this.#line.take()?.settle(Failure.from(error));
  }

  gone(member: Member): void {
    this.#members.delete(member);
    this.#assign();
  }

  /**
   * Ends all threads or processes. Tasks that are under way are told to stop, and get the time that the option `graceMs`
   * gives them; what is not finished then, or has not begun, ends as INTERRUPTED.
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (let next = this.#line.take(); next !== undefined; next = this.#line.take()) next.settle(INTERRUPTED);
    const closed = new InvalidStateError(`The executor ${this.name} is closed`);
    for (const { reject } of this.#enquiries.splice(0)) reject(closed);
    await Promise.all(
      [...this.#members].map((member) => {
        member.leave(closed);
        return member.whenGone;
      }),
    );
  }
}

function settleable(): { promise: Promise<unknown>; settle: (outcome: unknown) => void } {
  let settle!: (outcome: unknown) => void;
  const promise = new Promise<unknown>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}
