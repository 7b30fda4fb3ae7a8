import type { Task } from '../atoms/task.js';
import type { Executor, Submission } from '../executors/executor.js';
import { INTERRUPTED } from '../executors/executor.js';
import { Failure } from '../failure.js';
import type { Runtime } from './runtime.js';
import type { Start } from './scheduler.js';
import { limitOf, submitWithin } from './time-limit.js';

const NOBODY: Start[] = [];

/** Where an atom is that is marked as under way: with an executor or waiting for one, or between two rounds. */
export type Whereabouts =
  | { readonly kind: 'under way' | 'done' | 'unknown' }
  | { readonly kind: 'waiting'; readonly behind: readonly string[]; readonly what?: string | null };

export interface Executors {
  /** Runs tasks. */
  readonly tasks: Executor;
  /** Runs retries, always in the engine's own process. */
  readonly retries: Executor;
  /** Whether each atom of a wave is finished before the next is begun. */
  readonly oneByOne: boolean;
}

/** The atoms of a run that executors have, and those that have come to an end and were not looked at yet. */
export class UnderWay {
  readonly #running = new Map<Start, Submission>();
  #done: Start[] = NOBODY;
  /** The atom that is waited for by itself. */
  #only: Start | null = null;
  #isAbandoned = false;
  #wake: (() => void) | null = null;

  constructor(
    private readonly runtime: Runtime,
    private readonly executors: Executors,
    /** Asks the engine to suspend. */
    private readonly suspend: () => void,
  ) {}

  /** How many executors have. */
  get running(): number {
    return this.#running.size;
  }

  /** How many have come to an end and were not taken. */
  get done(): number {
    return this.#done.length;
  }

  /** Gives those that have come to an end. */
  takeDone(): readonly Start[] {
    const done = this.#done;
    this.#done = NOBODY;
    return done;
  }

  /** Resolves when something happens that is worth looking at. */
  news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Says that something has happened. */
  wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  /** Where an atom is that is marked as under way. */
  whereabouts(node: number): Whereabouts {
    if (this.#only?.node.index === node) return { kind: 'under way' };
    if (this.#done.some((start) => start.node.index === node)) return { kind: 'done' };
    for (const [start, submission] of this.#running) {
      if (start.node.index !== node) continue;
      if (submission.isWaiting?.() !== true) return { kind: 'under way' };
      return { kind: 'waiting', behind: [], what: submission.waitsFor?.() ?? null };
    }
    return this.#only === null ? { kind: 'unknown' } : { kind: 'waiting', behind: [this.#only.node.name] };
  }

  /** Takes back those that no executor has begun with. They stay marked as under way, and the next run takes them up. */
  cancelWaiting(): void {
    for (const [start, submission] of this.#running) if (submission.cancel()) this.#running.delete(start);
    if (this.#running.size === 0) this.wakeUp();
  }

  /** Resolves when no executor has an atom any more. What comes of them is not looked at. */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.cancelWaiting();
    await Promise.all([...this.#running.values()].map(({ outcome }) => outcome));
    this.#running.clear();
  }

  /** Gives an atom to its executor. @returns what will come of it where atoms run one by one: then `finishOnly` is next. */
  submit(start: Start): Promise<unknown> | undefined {
    const { node, work } = start;
    if (work instanceof Failure) {
      this.#finished(start, work);
      return undefined;
    }
    if (this.runtime.stops.appliesTo(start.method)) {
      this.#interrupted(start);
      return undefined;
    }
    if (node.kind === 'task') node.item.onProgress = this.#keepProgress;
    const executor = node.kind === 'retry' ? this.executors.retries : this.executors.tasks;
    const limitMs = limitOf(node.item, start.method);
    const submission =
      limitMs === undefined
        ? executor.submit(work)
        : submitWithin(limitMs, work, executor, this.runtime.environment.clock);
    const { outcome } = submission;
    if (!(outcome instanceof Promise)) {
      this.#finished(start, outcome);
      return undefined;
    }
    if (this.executors.oneByOne) {
      this.#only = start;
      return outcome;
    }
    this.#running.set(start, submission);
    if (submission.settled !== undefined) start.settled = () => submission.settled?.();
    void outcome.then((result: unknown) => {
      this.#running.delete(start);
      this.#finished(start, result);
      this.wakeUp();
    });
    return undefined;
  }

  /** Says what came of the atom that was waited for by itself. */
  finishOnly(outcome: unknown): void {
    if (this.#only !== null) this.#finished(this.#only, outcome);
  }

  #finished(start: Start, outcome: unknown): void {
    const { node, work, method } = start;
    this.#only = null;
    if (!(work instanceof Failure)) work.context.end();
    const isInterrupted =
      outcome === INTERRUPTED || (outcome instanceof Failure && this.runtime.stops.isAnswer(method, outcome));
    if (isInterrupted) {
      this.#interrupted(start);
      return;
    }
    if (node.kind === 'task') node.item.onProgress = null;
    start.outcome = outcome;
    if (this.#done.length === 0) this.#done = [start];
    else this.#done.push(start);
  }

  /** Nobody knows how far it had come: it stays marked as under way, and the next run takes it up. */
  #interrupted({ node }: Start): void {
    if (node.kind === 'task') node.item.onProgress = null;
    if (!this.#isAbandoned) this.suspend();
  }

  /** Progress is kept while a task runs; it rides on the next commit (C4). */
  readonly #keepProgress = ({ name }: Task, progress: number, details: Record<string, unknown>): void => {
    this.runtime.keepProgress(name, progress, details);
  };
}
