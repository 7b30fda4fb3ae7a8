import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { systemEnvironment } from '../../src/environment.js';
import { Failure } from '../../src/failure.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import type { Flow } from '../../src/flows/flow.js';
import type { Task } from '../../src/atoms/task.js';
import type { Executor } from '../../src/executors/executor.js';
import { EMPTY_SURROUNDINGS } from '../../src/storage/lookup.js';
import type { Surroundings } from '../../src/storage/lookup.js';
import { commitRetryPolicy } from '../../src/storage/commit-retry.js';
import { Storage } from '../../src/storage/storage.js';
import { atomsOf, behavioursOf } from './behaviours.js';
import { buildFlow } from './build-flow.js';
import { CallCounts } from './call-counts.js';
import type { CaseNode, ConformanceCase, Run, SeedOp } from './case.js';
import { MalformedCaseError, readAtomState, readFlowState } from './case.js';
import { describeThrown } from './error-kinds.js';
import { MortalBackend } from './mortal-backend.js';
import { ExecutorOfCase } from './pool-executor.js';
import { taskOfCase } from './pool-tasks.js';
import { Process } from './process.js';
import type { CommitObserver } from './process.js';
import { aftermathOf } from './recorder.js';
import type { Aftermath, Trace } from './recorder.js';

/** How a case is run. */
export interface EngineSettings {
  readonly engine: 'serial' | 'parallel';
  readonly checkpoint: 'round' | 'change';
  readonly interpreter: 'compiled' | 'native';
}

/** One run, as the cases write it. */
export interface RunRecord extends Aftermath {
  readonly end: unknown;
  readonly trace: readonly unknown[];
}

export interface SessionOptions extends EngineSettings {
  readonly backend: PersistenceBackend;
  /** Threads or processes in which tasks are run; null: the event loop. For the parallel engine. */
  readonly pool?: Executor | null;
  /** Called by tasks before they finish, so that they overlap. */
  readonly pause?: (() => Promise<void>) | undefined;
  readonly commits?: CommitObserver | undefined;
  readonly counts?: CallCounts | undefined;
}

const WORKERS = 4;

/** A case being run: its engines, one after the other, and the store that they share. */
export class Session {
  readonly counts: CallCounts;
  readonly #test: ConformanceCase;
  readonly #options: SessionOptions;
  readonly #buried: MortalBackend[] = [];
  #node: CaseNode;
  #firstRoot: Flow | Task | null = null;
  #flowUuid: string | null = null;
  #process: Process | null = null;
  #engine: Engine | null = null;
  #executor: ExecutorOfCase | null = null;

  constructor(test: ConformanceCase, options: SessionOptions) {
    this.#test = test;
    this.#options = options;
    this.#node = test.flow;
    this.counts = options.counts ?? new CallCounts();
  }

  get engine(): Engine | null {
    return this.#engine;
  }

  get isDead(): boolean {
    return this.#process?.isDead ?? false;
  }

  /** The flow of the first engine. */
  get firstRoot(): Flow | Task {
    if (this.#firstRoot === null) throw new Error('no flow was ever made');
    return this.#firstRoot;
  }

  /** What the store knows of the run, while there is no engine. */
  async storedAftermath(): Promise<Aftermath> {
    return aftermathOf(storageOf(await this.stored(), EMPTY_SURROUNDINGS));
  }

  /** Makes an engine for the case's flow. What making the flow throws comes out as a BuildError. */
  async start(): Promise<void> {
    const { store } = this.#test;
    await this.#load(store === undefined ? {} : { store });
  }

  /**
   * Loads another engine on what was stored, in another process.
   *
   * @param flow - Default: the case's. When it is not the flow of the engine before, the changed plan is accepted.
   */
  async restart(flow: CaseNode = this.#test.flow): Promise<void> {
    await this.#engineIsGone();
    const onPlanChange = flow === this.#node ? undefined : 'accept';
    this.#node = flow;
    await this.#load({ flowDetail: await this.stored(), ...(onPlanChange === undefined ? {} : { onPlanChange }) });
  }

  async #engineIsGone(): Promise<void> {
    if (this.#process?.isDead === false) await this.#engine?.close();
    this.#process?.die();
    this.#engine = null;
  }

  async #load(how: { store?: Readonly<Record<string, unknown>>; flowDetail?: FlowDetail; onPlanChange?: 'accept' }) {
    const { backend, engine, checkpoint, interpreter, pause, commits, pool = null } = this.#options;
    const process = new Process({ pause, commits });
    const mortal = new MortalBackend(backend, process);
    this.#buried.push(mortal);
    this.#process = process;
    const executor = pool === null ? null : new ExecutorOfCase(pool, this.counts, process, pause === undefined);
    this.#executor = executor;
    const built = build(this.#node, this.counts, process, executor);
    this.#firstRoot ??= built.root;
    const { deferReverts, neverResolve, injectTransient } = this.#test.engine;
    const loading = load(built.root, {
      ...how,
      backend: mortal,
      engine,
      checkpoint,
      interpreter,
      deferReverts,
      ...(neverResolve === undefined ? {} : { neverResolve }),
      ...(injectTransient === undefined ? {} : { injectTransient }),
      ...(engine === 'parallel' && executor === null ? { maxWorkers: WORKERS } : {}),
      ...(executor === null ? {} : { executor }),
    });
    // A process that dies while it loads leaves the loading unsettled for ever.
    const loaded = await Promise.race([loading, process.died]);
    if (loaded === undefined) return;
    this.#engine = loaded;
    this.#flowUuid = loaded.storage.flowUuid;
    const specs = atomsOf(this.#node);
    const isWatched = (name: string) => {
      const spec = specs.get(name);
      return spec !== undefined && 'watchProgress' in spec && spec.watchProgress === true;
    };
    process.watch(
      loaded,
      [...built.tasks.values()].filter(({ name }) => isWatched(name)),
    );
  }

  /** What the store holds of the run. */
  async stored(): Promise<FlowDetail> {
    const uuid = this.#flowUuid;
    if (uuid === null) throw new Error('no engine was ever loaded');
    return usingConnection(this.#options.backend, (connection) => connection.getFlowDetail(uuid));
  }

  /**
   * Does one run of the case with the engine that there is.
   *
   * @param seeds - Applied first; what they cause is not recorded.
   */
  async perform(run: Run, seeds: readonly SeedOp[] = []): Promise<RunRecord> {
    const process = this.#process;
    const engine = this.#engine;
    if (process === null || engine === null) throw new Error('no engine was loaded');
    const trace = process.begin(run);
    let end: unknown;
    try {
      const going = this.#go(engine, process, trace, run, seeds);
      // The engine of a dead process may still fail; nobody hears of it.
      going.catch(() => undefined);
      await Promise.race([going, process.died]);
      end = process.isDead ? { crashed: true } : { ok: true };
    } catch (thrown) {
      end = process.isDead ? { crashed: true } : { raised: describeThrown(thrown) };
    }
    const entries = [...trace.entries];
    const aftermath = aftermathOf(
      process.isDead ? storageOf(await this.stored(), process.knownAtDeath ?? EMPTY_SURROUNDINGS) : engine.storage,
    );
    trace.end();
    return { end, trace: entries, ...aftermath };
  }

  async #go(engine: Engine, process: Process, trace: Trace, run: Run, seeds: readonly SeedOp[]): Promise<void> {
    if (seeds.length > 0) await this.#seed(engine, process, trace, seeds);
    if (run.inject !== undefined) await engine.storage.inject(run.inject);
    if (run.reset === true) {
      engine.compile();
      await engine.prepare();
      await engine.reset();
    }
    // Step by step, so that nobody tells the engine when its process has died.
    const stages = engine.runIter();
    for (let next = await stages.next(); next.done !== true; next = await stages.next()) {
      process.report(next.value);
      if (next.value === 'WAITING') await Promise.race([this.#executor?.finished(), process.died]);
      if (process.isDead) return;
    }
  }

  async #seed(engine: Engine, process: Process, trace: Trace, seeds: readonly SeedOp[]): Promise<void> {
    engine.compile();
    await engine.prepare();
    if (process.isDead) return;
    trace.pause();
    for (const seed of seeds) applySeed(engine.storage, seed);
    await engine.storage.commit();
    trace.resume();
  }

  /** Ends the processes and closes what they left open. The store stays open. */
  async close(): Promise<void> {
    await this.#engineIsGone();
    await Promise.all(this.#buried.map((backend) => backend.bury()));
  }
}

/** Making the flow failed, before there was any engine. */
export class BuildError extends Error {
  override readonly name = 'BuildError';
}

function build(
  node: CaseNode,
  counts: CallCounts,
  process: Process,
  executor: ExecutorOfCase | null,
): ReturnType<typeof buildFlow> {
  const behaviours = behavioursOf(node, counts, process);
  try {
    if (executor === null) return buildFlow(node, behaviours);
    const built = buildFlow(node, { ...behaviours, makeTask: taskOfCase });
    for (const task of built.tasks.values()) executor.listenTo(task);
    return built;
  } catch (cause) {
    throw new BuildError('the flow cannot be made', { cause });
  }
}

/** A storage on what is stored, with what is known of the flow. */
function storageOf(flowDetail: FlowDetail, surroundings: Surroundings): Storage {
  const storage = new Storage({
    flowDetail,
    connection: null,
    codec: undefined,
    environment: systemEnvironment,
    commitRetry: commitRetryPolicy({ attempts: 1 }),
  });
  storage.surroundings = surroundings;
  return storage;
}

function needed(value: string | undefined, what: string): string {
  if (value === undefined) throw new MalformedCaseError(`a seed lacks its ${what}`);
  return value;
}

/** Pretends that something happened in an earlier run. A failure is one that was read back. */
function applySeed(storage: Storage, seed: SeedOp): void {
  const name = () => needed(seed.name, 'name');
  const failure = () => {
    if (seed.failure === undefined) throw new MalformedCaseError('a seed lacks its failure');
    const { type, message } = seed.failure;
    return Failure.fromRecord({ version: 1, typeNames: [type, 'Error'], message, stack: null });
  };
  switch (seed.op) {
    case 'setFlowState':
      storage.setFlowState(readFlowState(seed.state));
      break;
    case 'setState':
      storage.setAtomState(name(), readAtomState(seed.state));
      break;
    case 'setIntention':
      if (seed.intention === undefined) throw new MalformedCaseError('a seed lacks its intention');
      storage.setAtomIntention(name(), seed.intention);
      break;
    case 'save': {
      const state = seed.state === undefined ? 'SUCCESS' : readAtomState(seed.state);
      storage.save(name(), seed.failure === undefined ? (seed.result ?? null) : failure(), state);
      break;
    }
    case 'saveRetryFailure':
      storage.saveRetryFailure(needed(seed.retry, 'retry'), needed(seed.atom, 'atom'), failure());
      break;
  }
}
