import type { EngineEvent } from '../../machines/index.js';
import type { AtomNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { UnstorableValueError } from '../errors.js';
import type { Executor, Submission } from '../executors/executor.js';
import { Failure } from '../failure.js';
import { Resolver } from './resolver.js';
import type { Runtime } from './runtime.js';
import type { Start } from './scheduler.js';
import { Scheduler } from './scheduler.js';
import { Selector } from './selector.js';

/** An atom whose method has come to an end. */
interface Completion {
  readonly start: Start;
  readonly outcome: unknown;
}

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
  #done: Completion[] = [];
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
    return { type: 'schedule_next' };
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
    await runtime.announcer.settle();
    runtime.statistics.incomplete = this.#running.size + this.#done.length;
    return { type: 'wait_finished' };
  }

  /** Waits for at least one atom that is under way. */
  async wait(): Promise<EngineEvent> {
    if (this.#done.length === 0 && this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return { type: 'examine_finished' };
  }

  /** Completes what has come to an end and finds what that makes ready. */
  async analyze(): Promise<EngineEvent> {
    const { runtime } = this;
    const done = this.#done;
    this.#done = [];
    const found = new Set<number>();
    for (const completion of done) {
      try {
        await this.#complete(completion);
        if (this.failures.length === 0) await this.#selector.after(completion.start.node.index, found);
      } catch (error) {
        this.failures.push(Failure.from(error));
      }
    }
    await runtime.announcer.settle();
    runtime.statistics.awaiting = found.size;
    runtime.statistics.incomplete = this.#running.size;
    const state = runtime.storage.getFlowState();
    if (state === 'RUNNING' && found.size > 0 && this.failures.length === 0) {
      this.#next = found;
      return { type: 'schedule_next' };
    }
    if (this.#running.size > 0 || this.#done.length > 0) {
      if (state === 'SUSPENDING') this.cancelWaiting();
      return { type: 'wait_finished' };
    }
    return { type: 'completed' };
  }

  /** Says how the run ends. */
  finish(): Promise<EngineEvent> {
    return Promise.resolve({ type: this.#verdict() });
  }

  #verdict(): 'failed' | 'suspended' | 'success' | 'reverted' {
    const { runtime } = this;
    if (this.failures.length > 0) return 'failed';
    const states = new Set(runtime.compilation.atoms.map(({ index }) => runtime.stateOf(index)));
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
    const priorities = new Set(wave.map(priorityOf));
    return priorities.size < 2 ? wave : wave.sort((a, b) => priorityOf(b) - priorityOf(a));
  }

  /** All are marked in one commit, before the first of them runs (C1, C3). */
  async #startTogether(wave: readonly number[]): Promise<void> {
    const { announcer, storage } = this.runtime;
    const starts: { start: Start; news: readonly (() => void)[] }[] = [];
    for (const index of wave) {
      announcer.hold();
      try {
        const start = await this.#scheduler.begin(index);
        if (start !== null) starts.push({ start, news: announcer.take() });
      } catch (error) {
        this.failures.push(Failure.from(error));
        break;
      } finally {
        announcer.take();
      }
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
    const { node, method, work } = start;
    if (work instanceof Failure) {
      this.#done.push({ start, outcome: work });
      return undefined;
    }
    const stopListening = this.#hearProgress(node, method);
    const submission = (node.kind === 'retry' ? this.executors.retries : this.executors.tasks).submit(work);
    if (!(submission.outcome instanceof Promise)) {
      stopListening();
      this.#done.push({ start, outcome: submission.outcome });
      return undefined;
    }
    this.#running.set(start, submission);
    const finished = submission.outcome.then((outcome: unknown) => {
      stopListening();
      this.#running.delete(start);
      this.#done.push({ start, outcome });
      this.#wakeUp();
    });
    return this.executors.oneByOne ? finished : undefined;
  }

  /** Progress is kept while a task runs; it rides on the next commit (C4). */
  #hearProgress(node: AtomNode, _method: 'execute' | 'revert'): () => void {
    if (node.kind !== 'task') return nothing;
    const { storage } = this.runtime;
    const task = node.item;
    task.onProgress = (progress, details) => {
      storage.setTaskProgress(node.name, progress, details);
    };
    return () => {
      task.onProgress = null;
    };
  }

  async #complete({ start: { node, method }, outcome }: Completion): Promise<void> {
    const { runtime } = this;
    const result = outcome instanceof Failure ? outcome : this.#storable(node, outcome);
    runtime.statistics.completed += 1;
    const failed = result instanceof Failure;
    const settled =
      method === 'execute'
        ? runtime.tell(node.index, { type: failed ? 'failed' : 'succeeded', result })
        : runtime.tell(node.index, { type: failed ? 'revertFailed' : 'reverted', result });
    if (settled !== undefined) await settled;
    if (!failed) return;
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

const nothing = (): void => undefined;
