import type { EngineEvent, EngineStage, FlowEvent, FlowState } from '../../machines/index.js';
import { StorageError } from '../errors.js';
import { throwFailures } from '../failure.js';
import type { StateActor } from '../interpreter/actors.js';
import { failuresOfCancellation } from './cancellation.js';
import type { Run } from './run.js';
import type { Runtime } from './runtime.js';

/** A stage with work to do: the name of the engine chart's entry action. */
export type Work = 'resume' | 'schedule' | 'wait' | 'analyze' | 'finish';

const TIMED = { resume: 'resuming', schedule: 'scheduling', wait: 'waiting', analyze: 'analyzing' } as const;

/** Stages between two visits to the event loop, so that timers and signals are heard in a run that never waits. */
const STAGES_BEFORE_YIELDING = 512;

const TERMINAL = {
  SUCCESS: { type: 'succeeded' },
  REVERTED: { type: 'reverted' },
  SUSPENDED: { type: 'suspended' },
} as const satisfies Partial<Record<EngineStage, FlowEvent>>;

export interface DriveParts {
  readonly runtime: Runtime;
  readonly run: Run;
  readonly root: StateActor<EngineEvent>;
  /** Changes the flow's state; it is durable and announced, where each change is, when what is returned resolves. */
  readonly tellFlow: (event: FlowEvent) => Promise<void> | undefined;
  /** Puts the flow back into the state that it was in, where the next could not be made durable. */
  readonly takeFlowBack: (state: FlowState) => void;
  /** Called when the flow is settled, and the engine can be run again. */
  readonly ended: () => void;
}

/** Drives the engine's machine through one run: performs what a stage asks for, and sends what came of it. */
export class Drive {
  /** What the stage that was entered last asks for. Its entry action says so. */
  asked: Work | null = null;

  readonly #startedAt: number;
  readonly #commitsBefore: number;
  #terminal: keyof typeof TERMINAL | null = null;
  /** Whether no stage follows. */
  #isOver = false;
  #stages = 0;
  #isClosed = false;
  #lastStageEnded: number;

  constructor(private readonly parts: DriveParts) {
    const { environment, storage } = parts.runtime;
    this.#startedAt = environment.clock.now();
    this.#lastStageEnded = this.#startedAt;
    this.#commitsBefore = storage.ledger.commits;
  }

  /** Whether the run has come to an end. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get run(): Run {
    return this.parts.run;
  }

  /**
   * Enters the next stage.
   *
   * @returns the stage, whose work is done by the next call; null after the last.
   * @throws what ends the run in FAILURE.
   */
  async advance(): Promise<EngineStage | null> {
    if (this.#isOver) return null;
    this.#lastStageEnded = this.parts.runtime.environment.clock.now();
    let stage: EngineStage;
    do {
      const event = this.#perform();
      stage = this.#enter(event instanceof Promise ? await event : event);
    } while (stage === 'GAME_OVER');
    return stage;
  }

  /** Goes through all stages to the last. @throws what ends the run in FAILURE. */
  async toEnd(): Promise<void> {
    for (let work = this.#goOn(); work !== null; work = this.#goOn()) this.#enter(await work);
  }

  /** Goes through stages until there is something to wait for. @returns what; null after the last stage. */
  #goOn(): Promise<EngineEvent> | null {
    while (!this.#isOver) {
      const event = this.#perform();
      if (event instanceof Promise) return event;
      this.#enter(event);
    }
    return null;
  }

  /** Does the work of the stage. */
  #perform(): EngineEvent | Promise<EngineEvent> {
    const { asked } = this;
    if (asked === null) return { type: 'start' };
    const { announcer } = this.parts.runtime;
    const mustYield = ++this.#stages % STAGES_BEFORE_YIELDING === 0;
    return mustYield || announcer.perChange ? this.#performLater(asked, mustYield) : this.parts.run[asked]();
  }

  async #performLater(asked: Work, mustYield: boolean): Promise<EngineEvent> {
    const { announcer, environment } = this.parts.runtime;
    // What was asked for while the stage was reported comes first.
    await announcer.settle();
    if (mustYield) await environment.clock.yield();
    return this.parts.run[asked]();
  }

  #enter(event: EngineEvent): EngineStage {
    const { root, runtime } = this.parts;
    if (runtime.options.gatherStatistics) this.#addTime();
    root.send(event);
    const stage = stageOf(root);
    if (this.asked === 'finish') this.#judge(stage);
    return stage;
  }

  /** @throws what failed, where that is how the run ends. */
  #judge(stage: EngineStage): void {
    if (stage === 'FAILURE') throwFailures(this.parts.run.failures);
    if (!isTerminal(stage)) return;
    this.#terminal = stage;
    this.#isOver = true;
  }

  /** Counts the time since the last stage ended towards the one that ends now. */
  #addTime(): void {
    const { environment, statistics } = this.parts.runtime;
    const now = environment.clock.now();
    if (this.asked !== null && this.asked !== 'finish') {
      statistics.msPerStage[TIMED[this.asked]] += now - this.#lastStageEnded;
    }
    this.#lastStageEnded = now;
  }

  /**
   * Settles the flow after the last stage.
   *
   * @throws what failed, when everything was reverted.
   * @throws {StorageError} when the end cannot be made durable: then the flow has not come to it.
   */
  async end(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#settle(this.#terminal === null ? null : TERMINAL[this.#terminal]);
    } catch (error) {
      await this.fail(error);
    }
    this.#close();
    const { storage } = this.parts.runtime;
    if (this.#terminal === 'REVERTED') {
      throwFailures([
        ...failuresOfCancellation(storage),
        ...storage.getExecuteFailures().values(),
        ...storage.getRevertFailures().values(),
      ]);
    }
  }

  /**
   * Settles the flow after an error.
   *
   * Nothing is written to a run that somebody else has taken over, nor to a store that was given up on: the flow stays
   * in the state that it is stored in, and can be taken up from there.
   */
  async fail(error: unknown): Promise<never> {
    const { runtime, run } = this.parts;
    const { ledger } = runtime.storage;
    const isLost = ledger.isLost;
    try {
      // Whoever is under way cannot be kept any more, and nobody waits for the store.
      if (isLost) ledger.isHurried = true;
      if (isLost || error instanceof StorageError) runtime.abort(error);
      await run.abandon();
      await ledger.quiet();
      if (!isLost) await this.#settle({ type: 'failed' });
    } finally {
      this.#close();
    }
    throw error;
  }

  /** Takes the flow to a state, durably; to none when that fails. */
  async #settle(event: FlowEvent | null): Promise<void> {
    const { runtime, tellFlow, takeFlowBack } = this.parts;
    const before = runtime.storage.getFlowState();
    try {
      if (event !== null) await tellFlow(event);
      await runtime.storage.commit();
    } catch (error) {
      takeFlowBack(before);
      throw error;
    }
  }

  #close(): void {
    this.#isClosed = true;
    this.#isOver = true;
    this.parts.ended();
    this.parts.runtime.endRun();
    const { statistics, readiness, environment, storage } = this.parts.runtime;
    statistics.readinessChecks = readiness.checks;
    statistics.commits = storage.ledger.commits - this.#commitsBefore;
    statistics.activeForMs = environment.clock.now() - this.#startedAt;
  }
}

/** The stage that the actor of a run is in. */
export function stageOf(root: StateActor<never>): EngineStage {
  return root.value as EngineStage;
}

function isTerminal(stage: EngineStage): stage is keyof typeof TERMINAL {
  return stage === 'SUCCESS' || stage === 'REVERTED' || stage === 'SUSPENDED';
}
