import type {
  EngineContext,
  EngineEvent,
  EngineStage,
  FlowEvent,
  FlowState,
  RetryEvent,
} from '../../machines/index.js';
import { engineMachine, flowMachine } from '../../machines/index.js';
import type { Task } from '../atoms/task.js';
import type { Compilation } from '../compiler/compilation.js';
import { compile } from '../compiler/compile.js';
import type { Environment } from '../environment.js';
import { systemEnvironment } from '../environment.js';
import { ExecutionError, InvalidStateError } from '../errors.js';
import type { Flow } from '../flows/flow.js';
import type { StateActor } from '../interpreter/actors.js';
import type { InspectionObserver, InspectionSubscription } from '../interpreter/inspection.js';
import type { Codec, Connection, JournalQuery } from '../persistence/backend.js';
import type { FlowDetail } from '../persistence/details.js';
import type { JournaledRun } from '../persistence/fold-journal.js';
import type { JournalEntry } from '../persistence/journal-entry.js';
import { Storage } from '../storage/storage.js';
import type { AnnouncedNotifier } from './announced-notifier.js';
import { Announcer } from './announcer.js';
import type { AtomDetails } from './atom-services.js';
import { askedToCancel, isCancelled, withoutCancellation } from './cancellation.js';
import { Canceller } from './canceller.js';
import { Company } from './company.js';
import type { Work } from './drive.js';
import { Drive, stageOf } from './drive.js';
import { explain } from './explain.js';
import type { Explanation, ExplainOptions } from './explain.js';
import { FlowLifecycle } from './flow-lifecycle.js';
import { notifiersFor } from './notifiers.js';
import type { EngineOptions } from './options.js';
import { planDifference } from './plan-consent.js';
import type { PlanDifference } from './plan-difference.js';
import { registerAtoms, runtimeFor } from './preparation.js';
import { RunLoop } from './run-loop.js';
import { Run } from './run.js';
import type { Runtime } from './runtime.js';
import { Scheduler } from './scheduler.js';
import type { Statistics } from './statistics.js';
import { newStatistics } from './statistics.js';
import type { SuspendOptions } from './suspend-options.js';
import { readAbortRunning } from './suspend-options.js';
import type { Executors } from './under-way.js';
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

/** States in which a flow has come to an end. */
const ENDED: ReadonlySet<FlowState> = new Set<FlowState>(['SUCCESS', 'REVERTED', 'FAILURE']);
/** States in which a run leaves an atom for the next run. */
const UNDER_WAY: ReadonlySet<string> = new Set(['RUNNING', 'REVERTING']);

export interface EngineParts {
  readonly flow: Flow | Task;
  readonly flowDetail: FlowDetail;
  /** Where the run is kept; null keeps it in memory. */
  readonly connection: Connection | null;
  readonly codec: Codec | undefined;
  /** Where the journal of the run has come to; null where none is kept. */
  readonly journal: JournaledRun | null;
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
  readonly #whenDurable: (call: () => void) => void;
  readonly #company: Company;
  readonly #canceller: Canceller;
  readonly #lifecycle: FlowLifecycle;
  readonly #loop: RunLoop;
  #root: StateActor<EngineEvent>;
  #compilation: Compilation | null = null;
  #runtime: Runtime | null = null;
  #isPrepared = false;
  #isRunning = false;
  #isClosed = false;
  #closeListeners: (() => void)[] = [];

  /** @internal */
  constructor(parts: EngineParts) {
    const { flow, flowDetail, connection, codec, journal, options, executors, release } = parts;
    this.flow = flow;
    this.options = options;
    this.#environment = options.environment ?? systemEnvironment;
    this.#executors = executors;
    this.#release = release;
    this.storage = new Storage({
      flowDetail,
      connection,
      codec,
      journal,
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
    const notifiers = notifiersFor<FlowDetails>(this.storage.ledger, () => {
      this.statistics.listenerErrors += 1;
    });
    this.notifier = notifiers.notifier;
    this.atomNotifier = notifiers.atomNotifier;
    this.#whenDurable = notifiers.whenDurable;
    this.#company = new Company(
      options.interpreter,
      () => this.#root,
      () => this.#actors(),
    );
    this.#root = this.#newRoot();
    this.#lifecycle = new FlowLifecycle({
      name: flow.name,
      storage: this.storage,
      announcer: this.#announcer,
      company: this.#company,
      announce: (state, oldState) => {
        this.#announceFlow(state, oldState);
      },
    });
    this.#loop = new RunLoop({
      begin: ({ undoing }) => this.#begin(undoing),
      suspend: () => {
        this.suspend();
      },
      mustUndo: () => this.#canceller.mustUndo,
      undoNothing: () => {
        this.#canceller.mustUndo = false;
      },
    });
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
    return this.#lifecycle.actor;
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
    const { drive } = this.#loop;
    const underWay = this.#isRunning && drive?.isClosed === false ? drive : null;
    return why(this.#compiled('why'), this.storage, this.#runtime, underWay?.run ?? null);
  }

  /**
   * The journal of the run, in its order: what is durable, and what is not yet.
   *
   * Where it is kept in a store, that is asked; not once the engine is closed: then `persistence.readJournal()` gives it.
   *
   * @param query - Which entries. Default: all; a long journal is better read by pages.
   * @returns nothing where no journal is kept (`journal: true`).
   */
  journal(query: JournalQuery = {}): Promise<JournalEntry[]> {
    return this.storage.ledger.readJournal(query);
  }

  #newRoot(): StateActor<EngineEvent> {
    return this.#company.newRoot<EngineContext, EngineEvent>(engineMachine, this.#stages, { name: this.flow.name });
  }

  *#actors(): Generator<StateActor<never>> {
    yield this.#lifecycle.actor;
    if (this.#runtime === null) return;
    for (const { index } of this.#runtime.compilation.atoms) yield this.#runtime.actor(index);
  }

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
      const { drive } = this.#loop;
      if (drive !== null) drive.asked = work;
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
    this.#lifecycle.catchUp();
    if (!this.#isPrepared) {
      const slots = await registerAtoms(compilation, this.storage, this.options, this.#lifecycle);
      this.#runtime = runtimeFor(
        {
          compilation,
          slots,
          storage: this.storage,
          announcer: this.#announcer,
          options: this.options,
          environment: this.#environment,
          whenDurable: this.#whenDurable,
        },
        this.#company,
        this.atomNotifier,
      );
      this.#isPrepared = true;
    } else if (this.#loop.drive === null && stageOf(this.#root) !== 'UNDEFINED') {
      // A run that broke off when its store was given up on is taken up like one of another process.
      await this.#lifecycle.tell({ type: 'resume' });
      await this.#lifecycle.tell({ type: 'suspended' });
    }
    if (this.storage.getFlowState() === 'REVERTED') await this.reset();
    await this.storage.commit();
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
    await this.#loop.run();
    return this.storage.getFlowState();
  }

  /**
   * Runs the flow stage by stage. Each stage is given before its work is done, which is done when the next is asked for.
   *
   * Sending `true` asks for suspension. Leaving the loop suspends the run and waits for it. An error that is thrown into
   * the iterator becomes one of the run's failures.
   *
   * @throws as `run()`, from the call that asks for the stage after the last.
   */
  runIter(): AsyncGenerator<EngineStage, void, boolean | undefined> {
    return this.#loop.stages();
  }

  /** @param undoing - Whether it undoes the run that has just been stopped. */
  async #begin(undoing: boolean): Promise<Drive> {
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
        tellFlow: (event) => this.#lifecycle.tell(event),
        takeFlowBack: (state) => {
          this.#lifecycle.takeBack(state);
        },
        ended: () => {
          this.storage.ledger.isHurried = this.#isClosed;
          const state = this.storage.getFlowState();
          this.#canceller.mustUndo &&= !this.#isClosed && (state === 'SUSPENDED' || state === 'SUCCESS');
          if (this.#canceller.mustUndo) return;
          this.#leave();
          this.#letGo(runtime, state);
        },
      });
      this.#loop.drive = drive;
      await this.#lifecycle.tell({ type: 'run' });
      return drive;
    } catch (error) {
      this.#leave();
      this.#loop.drive = null;
      throw error;
    }
  }

  /** The engine can be run again. */
  #leave(): void {
    this.#isRunning = false;
    this.#canceller.end();
  }

  /** What an executor keeps for a run that has ended is of no use, unless the next run would take something up. */
  #letGo(runtime: Runtime, state: FlowState): void {
    const { tasks } = this.#executors;
    if (tasks.ended === undefined || !ENDED.has(state)) return;
    const isUnderWay = runtime.compilation.atoms.some(({ index }) => UNDER_WAY.has(runtime.stateOf(index) ?? ''));
    if (!isUnderWay) tasks.ended(this.storage.flowUuid);
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
    const { drive } = this.#loop;
    if (drive === null && state === 'RUNNING') return;
    const settled = this.#lifecycle.tell({ type: 'suspend' });
    // A commit that fails here is tried again with the run's next one, which reports it.
    settled?.catch(() => undefined);
    if (drive === null) return;
    drive.run.cancelWaiting();
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
    const isPreparing = this.#isRunning && this.#loop.drive === null;
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
    if (!this.#lifecycle.actor.accepts({ type: 'reset' })) {
      throw new InvalidStateError(`A flow that is ${this.storage.getFlowState()} cannot be reset`);
    }
    const scheduler = new Scheduler(runtime);
    for (const { index } of compilation.atoms) await scheduler.reset(index);
    const { resets } = this.storage.flowMeta;
    this.storage.updateFlowMetadata({
      ...withoutCancellation(this.storage),
      resets: typeof resets === 'number' ? resets + 1 : 1,
    });
    await this.#lifecycle.tell({ type: 'reset' });
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
    await this.#loop.breakOff(() => this.#runtime?.abort(this.#closing()));
    this.#runtime?.abort(this.#closing());
    await this.storage.ledger.quiet();
    await this.#release();
    for (const closed of this.#closeListeners.splice(0)) closed();
  }

  /** Calls once, when the engine is closed; at once when it is already. Nothing may throw that is called. */
  onClose(closed: () => void): Disposable {
    if (this.#isClosed) closed();
    else this.#closeListeners.push(closed);
    return {
      [Symbol.dispose]: () => {
        this.#closeListeners = this.#closeListeners.filter((each) => each !== closed);
      },
    };
  }

  #closing(): DOMException {
    return new DOMException(`The engine of ${this.flow.name} is closed`, 'AbortError');
  }

  #announceFlow(state: FlowState, oldState: FlowState): void {
    if (!this.notifier.hasListeners) return;
    const { flowName, flowUuid } = this.storage;
    const details = { engine: this, flowName, flowUuid, oldState };
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
