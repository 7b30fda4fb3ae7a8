import type { EngineEvent } from '../../machines/index.js';
import type { AtomNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { UnstorableValueError } from '../errors.js';
import { Failure } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import { isCancelled } from './cancellation.js';
import { Delays } from './delays.js';
import { Resolver } from './resolver.js';
import type { Runtime } from './runtime.js';
import type { Start } from './scheduler.js';
import { Scheduler } from './scheduler.js';
import { Selector } from './selector.js';
import type { Executors, Whereabouts } from './under-way.js';
import { UnderWay } from './under-way.js';
import { Wave } from './wave.js';

const SCHEDULE_NEXT: EngineEvent = { type: 'schedule_next' };
const WAIT_FINISHED: EngineEvent = { type: 'wait_finished' };
const EXAMINE_FINISHED: EngineEvent = { type: 'examine_finished' };
const COMPLETED: EngineEvent = { type: 'completed' };

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
  readonly #delays: Delays;
  readonly #underWay: UnderWay;
  readonly #next: Wave;
  #isFirstWave = true;
  /** Whether an atom may be ignored, now or later in the run. */
  #hasIgnored = true;

  constructor(
    private readonly runtime: Runtime,
    executors: Executors,
    /** Asks the engine to suspend. */
    suspend: () => void,
  ) {
    this.#underWay = new UnderWay(runtime, executors, suspend);
    this.#next = new Wave(runtime.compilation.nodes.length);
    this.#scheduler = new Scheduler(runtime);
    this.#selector = new Selector(runtime);
    this.#resolver = new Resolver(runtime);
    this.#delays = new Delays(runtime, () => this.#underWay.wakeUp());
  }

  /** Takes up what an earlier run left: failures that nothing resolved, flows to be tried again, atoms under way. */
  async resume(): Promise<EngineEvent> {
    const { runtime } = this;
    if (isCancelled(runtime.storage)) await this.#undoAll();
    else if (!runtime.options.neverResolve) {
      for (const node of this.#found('FAILURE')) {
        const { failure } = runtime.slot(node.index).detail;
        if (failure !== null) this.#resolver.resolve(node, failure);
      }
      for (const node of this.#found('RETRYING')) {
        if (node.kind === 'retry') await this.#scheduler.restart(node, { isRetrying: true });
      }
    }
    for (const { index } of this.#found('RUNNING', 'REVERTING')) this.#next.add(index);
    this.#hasIgnored = runtime.compilation.hasDeciders || this.#found('IGNORE').length > 0;
    runtime.isAtStart = true;
    await this.#selector.all(this.#next);
    runtime.isAtStart = false;
    await runtime.announcer.settle();
    return SCHEDULE_NEXT;
  }

  /** Nothing is tried again: all that ran is to be undone. A flow that was just to be tried again counts as under way. */
  async #undoAll(): Promise<void> {
    const { runtime } = this;
    for (const { index } of this.#found('RETRYING')) await runtime.tell(index, { type: 'execute', hasProgress: false });
    for (const { index } of runtime.compilation.atoms) runtime.setIntention(index, 'REVERT');
  }

  #found(state: AtomState, another = state): AtomNode[] {
    const { runtime } = this;
    return runtime.compilation.atoms.filter(({ index }) => {
      const current = runtime.stateOf(index);
      return current === state || current === another;
    });
  }

  /** Starts the atoms that were found, or takes back those that wait for an executor. */
  schedule(): EngineEvent | Promise<EngineEvent> {
    const { runtime } = this;
    const { options, storage } = runtime;
    const state = storage.getFlowState();
    if (state === 'SUSPENDING') this.cancelWaiting();
    if (state !== 'RUNNING' || this.#next.size === 0) return this.#scheduled();
    runtime.isAtStart = this.#isFirstWave;
    const found = this.#next.take();
    // Only what is to be undone can have to wait.
    const ready = runtime.readiness.isAnythingToUndo ? this.#delays.sift(found) : found;
    if (ready.length === 0) return this.#scheduled();
    const wave = this.#byPriority(ready);
    if (options.checkpoint === 'change') return this.#startEach(wave).then(this.#scheduled);
    const only = wave.length === 1 ? wave[0] : undefined;
    return only === undefined ? this.#startMany(wave).then(this.#scheduled) : this.#startOne(only);
  }

  readonly #scheduled = (): EngineEvent | Promise<EngineEvent> => {
    const { runtime } = this;
    runtime.isAtStart = false;
    this.#isFirstWave = false;
    runtime.statistics.incomplete = this.#underWay.running + this.#underWay.done;
    const settled = runtime.announcer.settle();
    return settled === undefined ? WAIT_FINISHED : settled.then(() => WAIT_FINISHED);
  };

  /** Waits for at least one atom that is under way. What is known by then is made durable first: it may take long. */
  wait(): EngineEvent | Promise<EngineEvent> {
    if (!this.#hasToWait) return EXAMINE_FINISHED;
    const committed = this.runtime.storage.commit();
    return committed === undefined ? this.#completion() : committed.then(() => this.#completion());
  }

  #completion(): EngineEvent | Promise<EngineEvent> {
    if (!this.#hasToWait) return EXAMINE_FINISHED;
    return this.#underWay.news().then(() => EXAMINE_FINISHED);
  }

  get #hasToWait(): boolean {
    if (this.#underWay.done > 0 || this.#delays.isDue) return false;
    return this.#underWay.running > 0 || this.#delays.isWaiting;
  }

  /** Completes what has come to an end and finds what that makes ready. */
  analyze(): EngineEvent | Promise<EngineEvent> {
    const done = this.#underWay.takeDone();
    if (this.#delays.isDue) for (const node of this.#delays.takeDue()) this.#next.add(node);
    for (let at = 0; at < done.length; at++) {
      const examined = this.#examine(done[at]);
      if (examined !== undefined) return this.#analyzeFrom(done, at + 1, examined);
    }
    const settled = this.runtime.announcer.settle();
    if (settled !== undefined || this.#mayHaveOverlooked) return this.#lookOnceMore(settled);
    return this.#afterAnalysis();
  }

  /** The rest of the analysis, where there is something to wait for. */
  async #analyzeFrom(done: readonly Start[], first: number, examined: Promise<void>): Promise<EngineEvent> {
    await examined;
    for (let at = first; at < done.length; at++) await this.#examine(done[at]);
    return this.#lookOnceMore(this.runtime.announcer.settle());
  }

  /**
   * Whether the run is about to end although atoms may be ready that no walk came to: a decider's answer may make one
   * ready that was passed before, and no walk goes back behind a retry that was ignored.
   */
  get #mayHaveOverlooked(): boolean {
    return (
      this.#hasIgnored &&
      this.runtime.storage.getFlowState() === 'RUNNING' &&
      this.#next.size === 0 &&
      this.#underWay.running === 0 &&
      this.#underWay.done === 0 &&
      !this.#delays.isWaiting &&
      this.failures.length === 0
    );
  }

  /**
   * Looks at all atoms again where one may have been overlooked: a run does not end with atoms that could run. As often as
   * one is turned down, which may make another ready that was looked at before.
   */
  async #lookOnceMore(settled: Promise<void> | undefined): Promise<EngineEvent> {
    await settled;
    try {
      while (this.#mayHaveOverlooked && (await this.#selector.all(this.#next)));
    } catch (error) {
      this.#fail(error);
    }
    await this.runtime.announcer.settle();
    return this.#afterAnalysis();
  }

  /** Completes an atom and finds what that makes ready. An error ends the run in FAILURE. @throws as `#fail` */
  #examine(start: Start | undefined): Promise<void> | undefined {
    if (start === undefined) return undefined;
    try {
      const completed = this.#complete(start);
      const found = completed === undefined ? this.#find(start) : completed.then(() => this.#find(start));
      return found?.catch((error: unknown) => this.#fail(error));
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
  }

  #find({ node }: Start): Promise<void> | undefined {
    return this.failures.length > 0 ? undefined : this.#selector.after(node.index, this.#next);
  }

  /** @throws {StorageError} when the run cannot be written any more: that is no failure of an atom, and ends it at once. */
  #fail(error: unknown): void {
    const { ledger } = this.runtime.storage;
    if (ledger.isLost) throw error;
    this.failures.push(Failure.from(error));
  }

  #afterAnalysis(): EngineEvent {
    const { statistics, storage } = this.runtime;
    statistics.awaiting = this.#next.size;
    statistics.incomplete = this.#underWay.running;
    const state = storage.getFlowState();
    if (state === 'RUNNING' && this.#next.size > 0 && this.failures.length === 0) return SCHEDULE_NEXT;
    this.#next.take();
    if (state === 'RUNNING' && this.failures.length === 0) {
      if (this.#delays.isWaiting || this.#delays.isDue) return WAIT_FINISHED;
    } else this.#delays.cancel();
    if (this.#underWay.running > 0 || this.#underWay.done > 0) {
      if (state === 'SUSPENDING') this.cancelWaiting();
      return WAIT_FINISHED;
    }
    return COMPLETED;
  }

  /** Where an atom is that is marked as under way. */
  whereabouts(node: number): Whereabouts {
    return this.#underWay.whereabouts(node);
  }

  /** Says how the run ends. */
  finish(): EngineEvent {
    return { type: this.#verdict() };
  }

  #verdict(): 'failed' | 'suspended' | 'success' | 'reverted' {
    const { runtime } = this;
    if (this.failures.length > 0) return 'failed';
    const { atoms } = runtime.compilation;
    const isUndone = isCancelled(runtime.storage);
    if (!isUndone && atoms.every(({ index }) => runtime.readiness.isDone(index))) return 'success';
    const states = new Set(atoms.map(({ index }) => runtime.stateOf(index)));
    const isSuspending = runtime.storage.getFlowState() === 'SUSPENDING';
    // A run that was going on when it was cancelled is suspended, and undone by the next.
    if (isSuspending && (isUndone || states.has('RUNNING') || states.has('REVERTING'))) return 'suspended';
    if (this.#selector.isAnyReady({ atStart: isSuspending })) return 'suspended';
    if (!isUndone && [...states].every((state) => state === 'SUCCESS' || state === 'IGNORE')) return 'success';
    if (!states.has('FAILURE') && !states.has('REVERT_FAILURE')) return 'reverted';
    // Nothing failed in this run, and what failed before still stands (D6).
    const { storage } = runtime;
    this.failures.push(...storage.getExecuteFailures().values(), ...storage.getRevertFailures().values());
    return 'failed';
  }

  /** Takes back atoms that wait for their time, or that no executor has begun with. They stay marked as under way, and the next run takes them up. */
  cancelWaiting(): void {
    this.#delays.cancel();
    this.#underWay.cancelWaiting();
  }

  /** Resolves when no atom is under way any more. What comes of them is not looked at. */
  async abandon(): Promise<void> {
    this.#delays.cancel();
    await this.#underWay.abandon();
  }

  #byPriority(wave: number[]): number[] {
    if (wave.length === 1) return wave;
    const { compilation } = this.runtime;
    const priorityOf = (index: number) => {
      const node = compilation.node(index);
      return isAtom(node) ? node.item.priority : 0;
    };
    return wave.every((index) => priorityOf(index) === 0) ? wave : wave.sort((a, b) => priorityOf(b) - priorityOf(a));
  }

  /** The usual wave of a chain: where the atom runs by itself, and nothing is kept, nothing but its end is waited for. */
  #startOne(index: number): EngineEvent | Promise<EngineEvent> {
    const { announcer, storage } = this.runtime;
    announcer.hold();
    let begun: Start | null | Promise<Start | null>;
    try {
      begun = this.#scheduler.begin(index);
    } catch (error) {
      this.#fail(error);
      begun = null;
    }
    if (begun instanceof Promise) return this.#startMany([index], begun).then(this.#scheduled);
    const committed = storage.commit();
    if (committed === undefined) return this.#submitOne(begun);
    return committed.then(() => this.#submitOne(begun), this.#notCommitted);
  }

  readonly #notCommitted = (error: unknown): never => {
    this.runtime.announcer.drop();
    throw error;
  };

  #submitOne(begun: Start | null): EngineEvent | Promise<EngineEvent> {
    this.runtime.announcer.letGo();
    const outcome = begun === null ? undefined : this.#underWay.submit(begun);
    return outcome === undefined ? this.#scheduled() : outcome.then(this.#finishedOne);
  }

  readonly #finishedOne = (outcome: unknown): EngineEvent | Promise<EngineEvent> => {
    this.#underWay.finishOnly(outcome);
    return this.#scheduled();
  };

  /** All are marked in one commit, before the first of them runs (C1, C3). */
  async #startMany(wave: readonly number[], first?: Promise<Start | null>): Promise<void> {
    const { announcer, storage } = this.runtime;
    const starts: Start[] = [];
    announcer.hold();
    try {
      for (const index of wave) {
        const begun = this.#noteStart(first ?? this.#scheduler.begin(index), starts);
        if (begun !== undefined) await begun;
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      announcer.letGo();
    }
    const committed = storage.commit();
    if (committed !== undefined) await committed;
    for (const start of starts) {
      const finished = this.#tellAndSubmit(start);
      if (finished !== undefined) await finished;
    }
  }

  /** Adds an atom that has been marked to those that are to run, with what is to be told of it by then. */
  #noteStart(begun: Start | null | Promise<Start | null>, starts: Start[]): Promise<void> | undefined {
    if (begun instanceof Promise) return begun.then((start) => void this.#noteStart(start, starts));
    if (begun === null) return undefined;
    begun.news = this.runtime.announcer.take();
    starts.push(begun);
    return undefined;
  }

  /** @returns when it is finished, where atoms run one by one. */
  #tellAndSubmit(start: Start): Promise<void> | undefined {
    for (const tell of start.news) tell();
    return this.#submit(start);
  }

  /** Each is marked, durably, and runs before the next is looked at (C3b). So is what was asked of the engine meanwhile. */
  async #startEach(wave: readonly number[]): Promise<void> {
    for (const index of wave) {
      try {
        await this.runtime.announcer.settle();
        const start = await this.#scheduler.begin(index);
        const finished = start === null ? undefined : this.#submit(start);
        if (finished !== undefined) await finished;
      } catch (error) {
        this.#fail(error);
        return;
      }
    }
  }

  /** @returns when it is finished, where atoms run one by one. */
  #submit(start: Start): Promise<void> | undefined {
    return this.#underWay.submit(start)?.then((outcome) => this.#underWay.finishOnly(outcome));
  }

  #complete({ node, method, outcome, settled }: Start): Promise<void> | undefined {
    const { runtime } = this;
    const result = outcome instanceof Failure ? outcome : this.#storable(node, method, outcome);
    runtime.statistics.completed += 1;
    const completed =
      result instanceof Failure
        ? this.#completeFailed(node, method, result)
        : runtime.tell(node.index, { type: method === 'execute' ? 'succeeded' : 'reverted', result });
    // What was changed so far is the outcome: the commit that has it is still to be made, or is being made.
    if (settled !== null) runtime.whenDurable(settled);
    return completed;
  }

  async #completeFailed(node: AtomNode, method: Start['method'], result: Failure): Promise<void> {
    const { runtime } = this;
    await runtime.tell(node.index, { type: method === 'execute' ? 'failed' : 'revertFailed', result });
    // Nothing is tried again in a run that was cancelled.
    if (method === 'execute' && isCancelled(runtime.storage)) return;
    if (method === 'revert' || runtime.options.neverResolve) {
      this.failures.push(result);
      return;
    }
    this.#resolver.resolve(node, result);
    runtime.statistics.discardedFailures += 1;
  }

  /** A result that the store cannot keep is a failure of its atom. */
  #storable({ index }: AtomNode, method: Start['method'], outcome: unknown): unknown {
    const { runtime } = this;
    try {
      runtime.storage.checkResult(runtime.slot(index), outcome, method === 'execute' ? 'SUCCESS' : 'REVERTED');
      return outcome;
    } catch (error) {
      if (!(error instanceof UnstorableValueError)) throw error;
      return Failure.from(error);
    }
  }
}
