import type {
  EngineContext,
  EngineEvent,
  EngineStage,
  FlowContext,
  FlowEvent,
  FlowState,
  RetryEvent,
} from '../../machines/index.js';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import type { Task } from '../atoms/task.js';
import type { Compilation } from '../compiler/compilation.js';
import { compile } from '../compiler/compile.js';
import { planOf } from '../compiler/plan.js';
import type { Environment } from '../environment.js';
import { systemEnvironment } from '../environment.js';
import { ExecutionError, InvalidStateError } from '../errors.js';
import { Failure } from '../failure.js';
import type { Flow } from '../flows/flow.js';
import type { StateActor } from '../interpreter/actors.js';
import type { InspectionObserver, InspectionSubscription } from '../interpreter/inspection.js';
import type { Codec, Connection } from '../persistence/backend.js';
import type { FlowDetail } from '../persistence/details.js';
import type { AtomSlot } from '../storage/ledger.js';
import { Storage } from '../storage/storage.js';
import { AnnouncedNotifier, DurableNews } from './announced-notifier.js';
import { Announcer } from './announcer.js';
import type { AtomDetails } from './atom-services.js';
import { atomServices } from './atom-services.js';
import { askedToCancel, isCancelled, withoutCancellation } from './cancellation.js';
import { Canceller } from './canceller.js';
import { Company } from './company.js';
import type { Work } from './drive.js';
import { Drive, stageOf } from './drive.js';
import { explain } from './explain.js';
import type { Explanation, ExplainOptions } from './explain.js';
import type { EngineOptions } from './options.js';
import { planDifference, settlePlan } from './plan-consent.js';
import type { PlanDifference } from './plan-difference.js';
import type { Executors } from './run.js';
import { Run } from './run.js';
import { Runtime } from './runtime.js';
import { Scheduler } from './scheduler.js';
import type { Statistics } from './statistics.js';
import { newStatistics } from './statistics.js';
import { surroundingsOf } from './surroundings.js';
import { validateArguments } from './validation.js';
import type { WaitReason } from './why.js';
import { why } from './why.js';

/** What is told of a flow's change of state. */
export interface FlowDetails {
  readonly engine: Engine;
  readonly flowName: string;
  readonly flowUuid: string;
  readonly oldState: FlowState;
}

/** How a run is suspended. */
export interface SuspendOptions {
  /**
   * Whether atoms that are under way are told to stop, by their signals. What fails with the reason of its signal, or
   * with an `AbortError`, has given up and not failed: it is done again by the next run. @default false
   */
  readonly abortRunning?: boolean | undefined;
}

/** States in which a flow has come to an end. */
const ENDED: ReadonlySet<FlowState> = new Set<FlowState>(['SUCCESS', 'REVERTED', 'FAILURE']);

export interface EngineParts {
  readonly flow: Flow | Task;
  readonly flowDetail: FlowDetail;
  /** Where the run is kept; null keeps it in memory. */
  readonly connection: Connection | null;
  readonly codec: Codec | undefined;
  readonly options: EngineOptions;
  readonly executors: Executors;
  /** Gives back what the engine was given for itself. */
  readonly release: () => Promise<void>;
}

/**
 * Runs one flow: to its end, back to where nothing has happened, or to where it was suspended.
 *
 * Made by `engines.load`.
 *
 * @see TaskFlow `engines/action_engine/engine.py`. Differs: asynchronous; the stages are those of `engineMachine`.
 */
export class Engine {
  readonly flow: Flow | Task;
  readonly options: EngineOptions;
  readonly storage: Storage;
  /** Tells of the flow's changes of state. */
  readonly notifier: AnnouncedNotifier<FlowDetails>;
  /** Tells of the changes of state of tasks and retries. */
  readonly atomNotifier: AnnouncedNotifier<AtomDetails>;
  statistics: Statistics = newStatistics();

  readonly #environment: Environment;
  readonly #executors: Executors;
  readonly #release: () => Promise<void>;
  readonly #announcer: Announcer;
  readonly #news = new DurableNews(() => this.storage.ledger.isSettled);
  readonly #company: Company;
  readonly #canceller: Canceller;
  #flowActor: StateActor<FlowEvent>;
  #root: StateActor<EngineEvent>;
  #compilation: Compilation | null = null;
  #runtime: Runtime | null = null;
  #isPrepared = false;
  #drive: Drive | null = null;
  #isRunning = false;
  /** Settles when the work that was asked for last is done. */
  #stepping: Promise<void> | null = null;
  #isClosed = false;

  /** @internal */
  constructor(parts: EngineParts) {
    const { flow, flowDetail, connection, codec, options, executors, release } = parts;
    this.flow = flow;
    this.options = options;
    this.#environment = options.environment ?? systemEnvironment;
    this.#executors = executors;
    this.#release = release;
    this.storage = new Storage({
      flowDetail,
      connection,
      codec,
      environment: this.#environment,
      commitRetry: options.commitRetry,
      fence: options.fence,
    });
    this.#canceller = new Canceller({
      storage: this.storage,
      clock: this.#environment.clock,
      deadlineMs: options.deadlineMs,
      stop: (reason) => {
        this.suspend();
        this.#runtime?.stops.stop(reason, { reverting: false });
      },
    });
    this.#announcer = new Announcer(options.checkpoint === 'change', () => this.storage.commit());
    const news = this.#news;
    this.notifier = new AnnouncedNotifier(news);
    this.atomNotifier = new AnnouncedNotifier(news);
    this.storage.ledger.onGathering = () => {
      news.mark();
    };
    this.storage.ledger.onCommitted = () => {
      if (news.isWaiting) news.tell({ everything: !this.storage.ledger.isDirty });
    };
    const countListenerError = () => {
      this.statistics.listenerErrors += 1;
    };
    this.notifier.onListenerError = countListenerError;
    this.atomNotifier.onListenerError = countListenerError;
    this.#company = new Company(
      options.interpreter,
      () => this.#root,
      () => this.#actors(),
    );
    this.#root = this.#newRoot();
    this.#flowActor = this.#newFlowActor();
  }

  // Looking at it ----------------------------------------------------------------------------------------------------

  /** The compiled flow; null until `compile()`. */
  get compilation(): Compilation | null {
    return this.#compilation;
  }

  /** Whether atoms run one after the other, as in the serial engine. */
  get isSerial(): boolean {
    return this.#executors.oneByOne;
  }

  /** The actor of the engine's machine. Each run has its own. */
  get actor(): StateActor<EngineEvent> {
    return this.#root;
  }

  /** The actor of the flow's machine. */
  get flowActor(): StateActor<FlowEvent> {
    return this.#flowActor;
  }

  /**
   * The actor of a task or a retry.
   *
   * @throws {InvalidStateError} before `prepare()`.
   * @throws {NotFoundError} for an unknown name.
   */
  actorOf(name: string): StateActor<RetryEvent> {
    const runtime = this.#prepared('actorOf');
    return runtime.actor(runtime.compilation.atom(name).index);
  }

  /**
   * Shows every actor, event, transition and snapshot to an observer, in XState's inspection events: first the actors
   * that are there, then what happens.
   */
  inspect(observer: InspectionObserver): InspectionSubscription {
    return this.#company.inspect(observer);
  }

  /**
   * Says step by step where the value of an argument comes from as things are now, or why there is none. Changes nothing.
   *
   * @throws {InvalidStateError} before `prepare()`.
   * @throws {NotFoundError} for an unknown atom, and for an argument that its method does not have.
   */
  explain(atom: string, argument: string, options?: ExplainOptions): Explanation {
    return explain(this.#prepared('explain'), atom, argument, options);
  }

  /**
   * Why the run has not ended: one reason for each atom that has not come to its end, or one for the flow itself.
   * Compiles the flow; changes nothing.
   *
   * @returns nothing for a flow that has ended.
   */
  why(): readonly WaitReason[] {
    this.compile();
    const drive = this.#isRunning && this.#drive?.isClosed === false ? this.#drive : null;
    return why(this.#compiled('why'), this.storage, this.#runtime, drive?.run ?? null);
  }

  #newRoot(): StateActor<EngineEvent> {
    return this.#company.newRoot<EngineContext, EngineEvent>(engineMachine, this.#stages, { name: this.flow.name });
  }

  #newFlowActor(): StateActor<FlowEvent> {
    const employ = this.#company.employer<FlowContext, FlowEvent>(flowMachine, this.#flowServices);
    return employ({ name: this.flow.name }, this.storage.getFlowState());
  }

  *#actors(): Generator<StateActor<never>> {
    yield this.#flowActor;
    if (this.#runtime === null) return;
    for (const { index } of this.#runtime.compilation.atoms) yield this.#runtime.actor(index);
  }

  readonly #flowServices = {
    saveState: (_: unknown, { state }: { state: FlowState }) => {
      this.storage.setFlowState(state);
    },
    notify: (_: unknown, { state }: { state: FlowState }) => {
      this.#announceFlow(state);
    },
  };

  /** What the engine's machine calls upon: each stage says what it asks for. */
  readonly #stages = {
    resume: this.#ask('resume'),
    schedule: this.#ask('schedule'),
    wait: this.#ask('wait'),
    analyze: this.#ask('analyze'),
    finish: this.#ask('finish'),
  };

  #ask(work: Work): () => void {
    return () => {
      if (this.#drive !== null) this.#drive.asked = work;
    };
  }

  // Before a run -----------------------------------------------------------------------------------------------------

  /**
   * Compiles the flow. Once; `run` does it by itself.
   *
   * @throws {TypeError|RangeError|DuplicateError} what is wrong with the flow.
   */
  compile(): void {
    if (this.#compilation !== null) return;
    this.#compilation = compile(this.flow);
  }

  /**
   * How the flow differs from the one that the run was last prepared with (D20). Compiles it; changes nothing.
   *
   * @returns null for a run that has no plan: it is new, in memory only, or stored by an older flowstate.
   */
  planDifference(): PlanDifference | null {
    this.compile();
    return planDifference(this.#compiled('planDifference'), this.storage);
  }

  /**
   * Registers the atoms and takes up a run that was interrupted. `run` does it by itself.
   *
   * @throws {InvalidStateError} before `compile()`.
   * @throws {DuplicateError} when an atom was stored as one of the other kind; nothing is changed then.
   * @throws {PlanChangedError} when the run was stored with another flow, and `onPlanChange` does not consent; likewise.
   */
  async prepare(): Promise<void> {
    const compilation = this.#compiled('prepare');
    this.#refuseWhenBehind();
    if (this.#flowActor.value !== this.storage.getFlowState()) this.#flowActor = this.#newFlowActor();
    if (!this.#isPrepared) {
      const atoms = compilation.atoms.map(({ item }) => item);
      const plan = this.storage.isDurable || this.storage.planFingerprint !== null ? planOf(compilation) : null;
      if (plan !== null) await settlePlan(plan, compilation, this.storage, this.options.onPlanChange);
      this.storage.checkAtoms(atoms);
      await this.#tellFlow({ type: 'resume' });
      const slots: (AtomSlot | undefined)[] = compilation.nodes.map(() => undefined);
      const registered = this.storage.registerAtoms(atoms);
      compilation.atoms.forEach(({ index }, at) => (slots[index] = registered[at]));
      if (plan !== null) this.storage.keepPlan(plan);
      this.storage.surroundings = surroundingsOf(compilation, slots);
      const transient = this.options.injectTransient;
      for (const { name, item } of compilation.atoms) {
        if (item.inject !== undefined) this.storage.addAtomArguments(name, item.inject, { transient });
      }
      await this.#tellFlow({ type: 'suspended' });
      this.#runtime = this.#newRuntime(compilation, slots);
      this.#isPrepared = true;
    } else if (this.#drive === null && stageOf(this.#root) !== 'UNDEFINED') {
      // A run that broke off when its store was given up on is taken up like one of another process.
      await this.#tellFlow({ type: 'resume' });
      await this.#tellFlow({ type: 'suspended' });
    }
    if (this.storage.getFlowState() === 'REVERTED') await this.reset();
    await this.storage.commit();
  }

  #newRuntime(compilation: Compilation, slots: readonly (AtomSlot | undefined)[]): Runtime {
    return new Runtime({
      compilation,
      slots,
      storage: this.storage,
      announcer: this.#announcer,
      options: this.options,
      environment: this.#environment,
      whenDurable: (call) => this.#news.add(call),
      actorsFor: (runtime) => {
        const services = atomServices(runtime, this.atomNotifier);
        const employTask = this.#company.employer(taskMachine, services);
        const employRetry = this.#company.employer(retryMachine, services);
        return ({ kind, name, index }, state) => (kind === 'task' ? employTask : employRetry)({ name, index }, state);
      },
    });
  }

  /**
   * Checks that every argument can come from somewhere. `run` does it by itself.
   *
   * @throws {MissingDependenciesError} naming what is missing; each further atom's is the `cause` of the one before.
   */
  validate(): void {
    this.#compiled('validate');
    validateArguments(this.#prepared('validate'));
  }

  // Running ----------------------------------------------------------------------------------------------------------

  /**
   * Runs the flow to its end.
   *
   * @returns the flow's state: SUCCESS, SUSPENDED when it was asked to suspend, or REVERTED when it was cancelled and
   * nothing had failed.
   * @throws what failed: the error itself, or a `WrappedFailureError` of several or of what was read from storage.
   * @throws {MissingDependenciesError} before anything runs.
   * @throws {ExecutionError} when the engine is running already.
   * @throws {StorageConflictError} when somebody else has taken the run over; nothing was written then, and the engine
   * cannot be used any more.
   * @throws {StorageError} when the store was given up on. What is stored can be resumed: by `run()`, once the store is
   * back, or by an engine that is loaded anew.
   */
  async run(): Promise<FlowState> {
    let drive: Drive | null = await this.#begin();
    try {
      while (drive !== null) {
        await this.#driveOn(drive);
        drive = await this.#endOf(drive);
      }
    } finally {
      this.#drive = null;
    }
    return this.storage.getFlowState();
  }

  /** @returns what undoes the run, when it was cancelled while it went on. */
  async #endOf(drive: Drive): Promise<Drive | null> {
    await drive.end();
    return this.#canceller.mustUndo ? this.#begin({ undoing: true }) : null;
  }

  /**
   * Runs the flow stage by stage. Each stage is given before its work is done, which is done when the next is asked for.
   *
   * Sending `true` asks for suspension. Leaving the loop suspends the run and waits for it. An error that is thrown into
   * the iterator becomes one of the run's failures.
   *
   * @throws as `run()`, from the call that asks for the stage after the last.
   */
  async *runIter(): AsyncGenerator<EngineStage, void, boolean | undefined> {
    let drive: Drive | null = await this.#begin();
    let isLeft = true;
    try {
      while (drive !== null) {
        for (let stage = await this.#step(drive); stage !== null; stage = await this.#step(drive)) {
          let answer: boolean | undefined;
          try {
            answer = yield stage;
          } catch (error) {
            // Whoever throws into it asks for no more stages: the run goes on to its end, which is FAILURE.
            drive.run.failures.push(Failure.from(error));
            await this.#driveOn(drive);
          }
          if (answer === true) this.suspend();
        }
        isLeft = false;
        drive = await this.#endOf(drive);
        isLeft = true;
      }
    } catch (error) {
      isLeft = false;
      throw error;
    } finally {
      try {
        if (isLeft && drive !== null) await this.#abandon(drive);
      } finally {
        this.#drive = null;
      }
    }
  }

  /** The next stage, for somebody who asks for each. */
  async #step(drive: Drive): Promise<EngineStage | null> {
    const step = drive.advance().catch((error: unknown) => drive.fail(error));
    const settled = () => undefined;
    this.#stepping = step.then(settled, settled);
    return step;
  }

  #driveOn(drive: Drive): Promise<void> {
    const driven = drive.toEnd().catch((error: unknown) => drive.fail(error));
    const settled = () => undefined;
    this.#stepping = driven.then(settled, settled);
    return driven;
  }

  /** Nobody asks for stages any more: the run is suspended and brought to its end. */
  async #abandon(drive: Drive): Promise<void> {
    this.#canceller.mustUndo = false;
    this.suspend();
    await this.#driveOn(drive);
    await drive.end();
  }

  /** @param undoing - Whether it undoes the run that has just been stopped. */
  async #begin({ undoing = false } = {}): Promise<Drive> {
    this.#refuseWhenClosed();
    if (this.#isRunning && !undoing) throw new ExecutionError(`The engine of ${this.flow.name} is running already`);
    this.#refuseWhenBehind();
    this.#isRunning = true;
    this.#canceller.mustUndo = false;
    try {
      if (!undoing) this.statistics = newStatistics();
      this.compile();
      await this.prepare();
      this.#refuseWhenClosed();
      this.#canceller.begin();
      if (!isCancelled(this.storage)) this.validate();
      const runtime = this.#prepared('run');
      runtime.beginRun(this.statistics);
      // The actor of an earlier run has ended, or stands where that run broke off.
      if (stageOf(this.#root) !== 'UNDEFINED') this.#root = this.#newRoot();
      const drive = new Drive({
        runtime,
        run: new Run(runtime, this.#executors, () => this.suspend()),
        root: this.#root,
        tellFlow: (event) => this.#tellFlow(event),
        takeFlowBack: (state) => {
          this.storage.setFlowState(state);
          this.#flowActor = this.#newFlowActor();
        },
        ended: () => {
          this.storage.ledger.isHurried = this.#isClosed;
          const state = this.storage.getFlowState();
          this.#canceller.mustUndo &&= !this.#isClosed && (state === 'SUSPENDED' || state === 'SUCCESS');
          if (!this.#canceller.mustUndo) this.#leave();
        },
      });
      this.#drive = drive;
      await this.#tellFlow({ type: 'run' });
      return drive;
    } catch (error) {
      this.#leave();
      this.#drive = null;
      throw error;
    }
  }

  /** The engine can be run again. */
  #leave(): void {
    this.#isRunning = false;
    this.#canceller.end();
  }

  #refuseWhenClosed(): void {
    if (this.#isClosed) throw new InvalidStateError(`The engine of ${this.flow.name} is closed`);
  }

  /** @throws {InvalidStateError} when somebody else has changed the run since it was loaded. */
  #refuseWhenBehind(): void {
    const { conflict } = this.storage.ledger;
    if (conflict === null) return;
    const message = `The engine of ${this.flow.name} is behind its run, which somebody else has changed: load it anew`;
    throw new InvalidStateError(message, { cause: conflict });
  }

  /**
   * Asks the run to stop. Nothing more is started; what is under way is finished and kept. Of no effect on a flow that
   * does not run.
   *
   * @throws {InvalidStateError} before `compile()`, and while the flow is RESUMING.
   * @throws {TypeError} for options that it does not take.
   */
  suspend(options: SuspendOptions = {}): void {
    const abortRunning = readAbortRunning(options);
    this.#compiled('suspend');
    const state = this.storage.getFlowState();
    if (!this.#company.hears(flowMachine, state, 'suspend')) {
      throw new InvalidStateError(`A flow that is ${state} cannot be suspended`);
    }
    // A run that broke off is not under way.
    if (this.#drive === null && state === 'RUNNING') return;
    const settled = this.#tellFlow({ type: 'suspend' });
    // A commit that fails here is tried again with the run's next one, which reports it.
    settled?.catch(() => undefined);
    if (this.#drive === null) return;
    this.#drive.run.cancelWaiting();
    const reason = () => new DOMException(`The run of ${this.flow.name} is being suspended`, 'AbortError');
    if (abortRunning) this.#runtime?.stops.stop(reason(), { reverting: true });
  }

  /**
   * Stops the run and undoes everything that ran: the flow ends REVERTED. Nothing is tried again. It is durable: a run
   * that is interrupted meanwhile is undone by whoever takes it up.
   *
   * What is being executed is told by its signal; what is being reverted goes on. A run that has not begun, or was
   * suspended, is undone at once. Not to be waited for by whoever asks for the stages of the run, in `runIter()`.
   *
   * @param reason - Why; the reason of the signals. Default: a `DOMException` named `AbortError`.
   * @returns the flow's state when the run has ended: REVERTED, or FAILURE when something could not be undone.
   * @throws {InvalidStateError} for a flow that has ended, and when the engine is closed.
   * @throws as `run()` when no run is under way; otherwise it is `run()` that throws.
   */
  async cancel(reason?: unknown): Promise<FlowState> {
    this.#refuseWhenClosed();
    this.#refuseWhenBehind();
    const state = this.storage.getFlowState();
    const isPreparing = this.#isRunning && this.#drive === null;
    if (ENDED.has(state) && !isPreparing && !this.#canceller.mustUndo) {
      throw new InvalidStateError(`A flow that is ${state} cannot be cancelled`);
    }
    const cancellation = askedToCancel(this.flow.name, reason);
    if (!this.#isRunning) {
      this.#canceller.ask(cancellation);
      return this.run();
    }
    const ended = this.#canceller.whenEnded();
    if (isPreparing) this.#canceller.ask(cancellation);
    else this.#canceller.cancel(cancellation);
    await ended;
    return this.storage.getFlowState();
  }

  /**
   * Forgets everything that came of the flow, so that it can be run from the beginning. Injected values stay.
   *
   * @throws {InvalidStateError} before `compile()` and `prepare()`, and for a flow that is under way or suspended;
   * nothing is changed then (D23).
   */
  async reset(): Promise<void> {
    const compilation = this.#compiled('reset');
    const runtime = this.#prepared('reset');
    this.#refuseWhenBehind();
    if (!this.#flowActor.accepts({ type: 'reset' })) {
      throw new InvalidStateError(`A flow that is ${this.storage.getFlowState()} cannot be reset`);
    }
    const scheduler = new Scheduler(runtime);
    for (const { index } of compilation.atoms) await scheduler.reset(index);
    const { resets } = this.storage.flowMeta;
    this.storage.updateFlowMetadata({
      ...withoutCancellation(this.storage),
      resets: typeof resets === 'number' ? resets + 1 : 1,
    });
    await this.#tellFlow({ type: 'reset' });
    await this.storage.commit();
  }

  /**
   * Gives back what the engine was given for itself. It cannot run any more.
   *
   * A run that is under way is suspended first, and waited for: its atoms are told by their `signal`. A commit that
   * waits to be tried again is given up.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.storage.ledger.isHurried = true;
    if (this.#drive !== null) await this.#breakOff(this.#drive);
    this.#runtime?.abort(this.#closing());
    await this.storage.ledger.quiet();
    await this.#release();
  }

  #closing(): DOMException {
    return new DOMException(`The engine of ${this.flow.name} is closed`, 'AbortError');
  }

  async #breakOff(drive: Drive): Promise<void> {
    try {
      this.suspend();
      this.#runtime?.abort(this.#closing());
      // Whoever asked for the stages so far may never ask for the next.
      await this.#stepping;
      await this.#driveOn(drive);
      await drive.end();
    } catch {
      // Who runs the engine hears of it.
    }
  }

  /** Sends the flow's actor an event. @throws {InvalidStateError} for an illegal transition. */
  #tellFlow(event: FlowEvent): Promise<void> | undefined {
    this.#flowActor.tell(event);
    return this.#announcer.settle();
  }

  #announceFlow(state: FlowState): void {
    if (!this.notifier.hasListeners) return;
    const { flowName, flowUuid } = this.storage;
    const details = { engine: this, flowName, flowUuid, oldState: this.#flowActor.value as FlowState };
    this.#announcer.announce(() => {
      this.notifier.notify(state, details);
    });
  }

  #compiled(what: string): Compilation {
    if (this.#compilation === null)
      throw new InvalidStateError(`${what}() needs a compiled flow: call compile() first`);
    return this.#compilation;
  }

  #prepared(what: string): Runtime {
    if (this.#runtime === null) throw new InvalidStateError(`${what}() needs a prepared engine: call prepare() first`);
    return this.#runtime;
  }
}

function readAbortRunning(options: SuspendOptions): boolean {
  const { abortRunning = false, ...others } = options;
  const [foreign] = Object.keys(others);
  if (foreign !== undefined) throw new RangeError(`suspend() takes abortRunning, got ${foreign}`);
  if (typeof abortRunning !== 'boolean') {
    throw new TypeError(`abortRunning takes true or false, got ${String(abortRunning)}`);
  }
  return abortRunning;
}
