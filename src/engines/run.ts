import type { EngineEvent } from '../../machines/index.js';
import type { Task } from '../atoms/task.js';
import type { AtomNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { UnstorableValueError } from '../errors.js';
import type { Executor, Submission } from '../executors/executor.js';
import { Failure } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import { Resolver } from './resolver.js';
import type { Runtime } from './runtime.js';
import type { Start } from './scheduler.js';
import { Scheduler } from './scheduler.js';
import { Selector } from './selector.js';

const SCHEDULE_NEXT: EngineEvent = { type: 'schedule_next' };
const WAIT_FINISHED: EngineEvent = { type: 'wait_finished' };
const EXAMINE_FINISHED: EngineEvent = { type: 'examine_finished' };
const COMPLETED: EngineEvent = { type: 'completed' };

export interface Executors {
  /** Runs tasks. */
  readonly tasks: Executor;
  /** Runs retries, always in the engine's own process. */
  readonly retries: Executor;
  /** Whether each atom of a wave is finished before the next is begun. */
  readonly oneByOne: boolean;
}

/**
 * One run of an engine: what is done in each of its stages, and what is remembered between them.
 *
 * @see TaskFlow `engines/action_engine/builder.py`.
 */
export class Run {
  /** What ends the run in FAILURE. */
  readonly failures: Failure[] = [];

  readonly #scheduler: Scheduler;
  readonly #selector: Selector;
  readonly #resolver: Resolver;
  readonly #running = new Map<Start, Submission>();
  #next = new Set<number>();
  #done: Start[] = [];
  #isFirstWave = true;
  #wake: (() => void) | null = null;

  constructor(
    private readonly runtime: Runtime,
    private readonly executors: Executors,
  ) {
    this.#scheduler = new Scheduler(runtime);
    this.#selector = new Selector(runtime);
    this.#resolver = new Resolver(runtime);
  }

  /** Takes up what an earlier run left: failures that nothing resolved, flows to be tried again, atoms under way. */
  async resume(): Promise<EngineEvent> {
    const { runtime } = this;
    const { atoms } = runtime.compilation;
    if (!runtime.options.neverResolve) {
      for (const node of atoms) {
        const { state, failure } = runtime.slot(node.index).detail;
        if (state === 'FAILURE' && failure !== null) this.#resolver.resolve(node, failure);
      }
      for (const node of atoms) {
        if (node.kind === 'retry' && runtime.stateOf(node.index) === 'RETRYING') {
          await this.#scheduler.restart(node, { isRetrying: true });
        }
      }
    }
    for (const { index } of atoms) {
      const state = runtime.stateOf(index);
      if (state === 'RUNNING' || state === 'REVERTING') this.#next.add(index);
    }
    await this.#selector.atStart(this.#next);
    await runtime.announcer.settle();
    return SCHEDULE_NEXT;
  }

  /** Starts the atoms that were found, or takes back those that wait for an executor. */
  async schedule(): Promise<EngineEvent> {
    const { runtime } = this;
    const state = runtime.storage.getFlowState();
    if (state === 'RUNNING' && this.#next.size > 0) {
      const wave = this.#byPriority(this.#next);
      this.#next = new Set();
      runtime.isAtStart = this.#isFirstWave;
      if (runtime.options.checkpoint === 'change') await this.#startEach(wave);
      else await this.#startTogether(wave);
      runtime.isAtStart = false;
    } else if (state === 'SUSPENDING') this.cancelWaiting();
    this.#isFirstWave = false;
    const settled = runtime.announcer.settle();
    if (settled !== undefined) await settled;
    runtime.statistics.incomplete = this.#running.size + this.#done.length;
    return WAIT_FINISHED;
  }

  /** Waits for at least one atom that is under way. */
  wait(): EngineEvent | Promise<EngineEvent> {
    if (this.#done.length > 0 || this.#running.size === 0) return EXAMINE_FINISHED;
    return new Promise((resolve) => {
      this.#wake = () => {
        resolve(EXAMINE_FINISHED);
      };
    });
  }

  /** Completes what has come to an end and finds what that makes ready. */
  async analyze(): Promise<EngineEvent> {
    const { runtime } = this;
    const done = this.#done;
    this.#done = [];
    const found = new Set<number>();
    for (const start of done) {
      try {
        const completed = this.#complete(start);
        if (completed !== undefined) await completed;
        if (this.failures.length > 0) continue;
        const asked = this.#selector.after(start.node.index, found);
        if (asked !== undefined) await asked;
      } catch (error) {
        this.failures.push(Failure.from(error));
      }
    }
    const settled = runtime.announcer.settle();
    if (settled !== undefined) await settled;
    runtime.statistics.awaiting = found.size;
    runtime.statistics.incomplete = this.#running.size;
    const state = runtime.storage.getFlowState();
    if (state === 'RUNNING' && found.size > 0 && this.failures.length === 0) {
      this.#next = found;
      return SCHEDULE_NEXT;
    }
    if (this.#running.size > 0 || this.#done.length > 0) {
      if (state === 'SUSPENDING') this.cancelWaiting();
      return WAIT_FINISHED;
    }
    return COMPLETED;
  }

  /** Says how the run ends. */
  finish(): EngineEvent {
    return { type: this.#verdict() };
  }

  #verdict(): 'failed' | 'suspended' | 'success' | 'reverted' {
    const { runtime } = this;
    if (this.failures.length > 0) return 'failed';
    const states = new Set<AtomState | null>();
    let isDone = true;
    for (const { index } of runtime.compilation.atoms) {
      states.add(runtime.stateOf(index));
      isDone &&= runtime.readiness.isDone(index);
    }
    if (isDone) return 'success';
    const isSuspending = runtime.storage.getFlowState() === 'SUSPENDING';
    if (isSuspending && (states.has('RUNNING') || states.has('REVERTING'))) return 'suspended';
    if (this.#selector.isAnyReady({ atStart: isSuspending })) return 'suspended';
    if ([...states].every((state) => state === 'SUCCESS' || state === 'IGNORE')) return 'success';
    if (!states.has('FAILURE') && !states.has('REVERT_FAILURE')) return 'reverted';
    // Nothing failed in this run, and what failed before still stands (D6).
    const { storage } = runtime;
    this.failures.push(...storage.getExecuteFailures().values(), ...storage.getRevertFailures().values());
    return 'failed';
  }

  /** Takes back atoms that no executor has begun with. They stay marked as under way, and the next run takes them up. */
  cancelWaiting(): void {
    for (const [start, submission] of this.#running) if (submission.cancel()) this.#running.delete(start);
    if (this.#running.size === 0) this.#wakeUp();
  }

  /** Resolves when no atom is under way any more. What comes of them is not looked at. */
  async abandon(): Promise<void> {
    this.cancelWaiting();
    await Promise.all([...this.#running.values()].map(({ outcome }) => outcome));
    this.#running.clear();
  }

  #byPriority(found: ReadonlySet<number>): number[] {
    const { compilation } = this.runtime;
    const priorityOf = (index: number) => {
      const node = compilation.node(index);
      return isAtom(node) ? node.item.priority : 0;
    };
    const wave = [...found];
    return wave.every((index) => priorityOf(index) === 0)
      ? wave
      : wave.sort((a, b) => priorityOf(b) - priorityOf(a));
  }

  /** All are marked in one commit, before the first of them runs (C1, C3). */
  async #startTogether(wave: readonly number[]): Promise<void> {
    const { announcer, storage } = this.runtime;
    const starts: { readonly start: Start; readonly news: readonly (() => void)[] }[] = [];
    announcer.hold();
    try {
      for (const index of wave) {
        const begun = this.#scheduler.begin(index);
        const start = begun instanceof Promise ? await begun : begun;
        if (start !== null) starts.push({ start, news: announcer.take() });
      }
    } catch (error) {
      this.failures.push(Failure.from(error));
    } finally {
      announcer.letGo();
    }
    const committed = storage.commit();
    if (committed !== undefined) await committed;
    for (const { start, news } of starts) {
      for (const tell of news) tell();
      const finished = this.#submit(start);
      if (finished !== undefined) await finished;
    }
  }

  /** Each is marked, durably, and runs before the next is looked at (C3b). */
  async #startEach(wave: readonly number[]): Promise<void> {
    for (const index of wave) {
      try {
        const start = await this.#scheduler.begin(index);
        if (start !== null) await this.#submit(start);
      } catch (error) {
        this.failures.push(Failure.from(error));
        return;
      }
    }
  }

  /** @returns something to wait for where atoms run one by one. */
  #submit(start: Start): Promise<void> | undefined {
    const { node, work } = start;
    if (work instanceof Failure) {
      start.outcome = work;
      this.#done.push(start);
      return undefined;
    }
    if (node.kind === 'task') node.item.onProgress = this.#keepProgress;
    const submission = (node.kind === 'retry' ? this.executors.retries : this.executors.tasks).submit(work);
    const { outcome } = submission;
    if (!(outcome instanceof Promise)) {
      this.#finished(start, outcome);
      return undefined;
    }
    this.#running.set(start, submission);
    const finished = outcome.then((result: unknown) => {
      this.#running.delete(start);
      this.#finished(start, result);
      this.#wakeUp();
    });
    return this.executors.oneByOne ? finished : undefined;
  }

  #finished(start: Start, outcome: unknown): void {
    const { node } = start;
    if (node.kind === 'task') node.item.onProgress = null;
    start.outcome = outcome;
    this.#done.push(start);
  }

  /** Progress is kept while a task runs; it rides on the next commit (C4). */
  readonly #keepProgress = ({ name }: Task, progress: number, details: Record<string, unknown>): void => {
    this.runtime.keepProgress(name, progress, details);
  };

  #complete({ node, method, outcome }: Start): Promise<void> | undefined {
    const { runtime } = this;
    const result = outcome instanceof Failure ? outcome : this.#storable(node, outcome);
    runtime.statistics.completed += 1;
    if (result instanceof Failure) return this.#completeFailed(node, method, result);
    return runtime.tell(node.index, { type: method === 'execute' ? 'succeeded' : 'reverted', result });
  }

  async #completeFailed(node: AtomNode, method: Start['method'], result: Failure): Promise<void> {
    const { runtime } = this;
    await runtime.tell(node.index, { type: method === 'execute' ? 'failed' : 'revertFailed', result });
    if (method === 'revert' || runtime.options.neverResolve) {
      this.failures.push(result);
      return;
    }
    this.#resolver.resolve(node, result);
    runtime.statistics.discardedFailures += 1;
  }

  /** A result that the store cannot keep is a failure of its atom. */
  #storable({ name }: AtomNode, outcome: unknown): unknown {
    const { codec } = this.runtime.storage;
    if (codec === undefined) return outcome;
    try {
      codec.encode(outcome);
      return outcome;
    } catch (error) {
      if (!(error instanceof UnstorableValueError)) throw error;
      return Failure.from(new UnstorableValueError(error.path, `it is the result of ${name}`, { cause: error }));
    }
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
