import { Task } from '../atoms/task.js';
import { systemEnvironment } from '../environment.js';
import type { Environment } from '../environment.js';
import { NotFoundError } from '../errors.js';
import type { Executor } from '../executors/executor.js';
import { executorNamed, refuseForeignOptions } from '../executors/named.js';
import type { ExecutorName } from '../executors/named.js';
import { serialExecutor } from '../executors/serial.js';
import { Flow } from '../flows/flow.js';
import type { StoreOption } from '../flows/flow-types.js';
import type { Connection, PersistenceBackend } from '../persistence/backend.js';
import { createFlowDetail } from '../persistence/books.js';
import type { FlowDetail, LogBook, Meta } from '../persistence/details.js';
import { fetch } from '../persistence/fetch.js';
import type { BackendConf } from '../persistence/fetch.js';
import { nearestName } from '../nearest-name.js';
import type { CommitRetryPolicy } from '../storage/commit-retry.js';
import { journalSoFar } from '../storage/journal.js';
import { Engine } from './engine.js';
import type { EngineOptions } from './options.js';
import { engineOptions } from './options.js';
import type { Executors } from './under-way.js';
import type { WorkerEngineOptions } from './worker-options.js';
import { refuseWorkerOptions, splitWorkerOptions, workerExecutorFor } from './worker-options.js';

/** The engines that there are, by all their names. */
const KINDS = {
  default: 'serial',
  serial: 'serial',
  parallel: 'parallel',
  async: 'parallel',
  'worker-based': 'workers',
  workers: 'workers',
} as const;

/** What `engines.load` can be given beside the flow. */
export interface LoadOptions extends WorkerEngineOptions {
  /**
   * `serial` (default) runs one atom at a time, `parallel` all that can run, `workers` all that can run, on workers in
   * other processes.
   */
  readonly engine?: keyof typeof KINDS | undefined;
  /** The run to take up. @default a new one */
  readonly flowDetail?: FlowDetail | undefined;
  /** Where a new run is entered. @default with a backend, a temporary book */
  readonly book?: LogBook | undefined;
  /** Where the run is kept: a backend, its URL such as `sqlite:trips.db`, or its options. @default in memory only */
  readonly backend?: BackendConf | undefined;
  /** @default true */
  readonly deferReverts?: boolean | undefined;
  /** @default false */
  readonly neverResolve?: boolean | undefined;
  /** @default true */
  readonly injectTransient?: boolean | undefined;
  /**
   * Whether a journal is kept: each change of the state of the flow or of an atom is noted with its time, its event and
   * its cause, in the commit that makes it durable. `engine.journal()` and `persistence.readJournal()` give it.
   * @default false
   */
  readonly journal?: boolean | undefined;
  /** @default true */
  readonly gatherStatistics?: boolean | undefined;
  /** @default 'round' */
  readonly checkpoint?: EngineOptions['checkpoint'] | undefined;
  /** @default 'compiled' */
  readonly interpreter?: EngineOptions['interpreter'] | undefined;
  /**
   * For a run whose flow is not the one that it was stored with, in a way that needs consent: `accept`, `refuse`, or a
   * function of the difference that says either, or gives a migration. @default 'refuse'
   */
  readonly onPlanChange?: EngineOptions['onPlanChange'] | undefined;
  /** Longest time, in milliseconds, that progress waits for a commit. @default 1000 */
  readonly progressFlushMs?: number | undefined;
  /** @default 3 attempts, 5 seconds apart */
  readonly commitRetry?: Partial<CommitRetryPolicy> | undefined;
  /**
   * The fence token of the claim under which the run is written. It is durable before anything runs: whoever still
   * writes under an earlier claim is refused from then on. @default none
   */
  readonly fence?: number | undefined;
  /** Parallel engine only. @default Infinity; with threads and processes os.availableParallelism() */
  readonly maxWorkers?: number | undefined;
  /**
   * Parallel engine: where tasks run. By name (`async`, `workerThreads`, `childProcess`, or an alias in whatever
   * letters) the engine has one of its own, and closes it; an instance stays the caller's. @default 'async'
   *
   * For `workers`: a `WorkerExecutor`, which several engines may share, in place of its options. It stays the caller's.
   */
  readonly executor?: Executor | ExecutorName | (string & {}) | undefined;
  /** For `workerThreads` and `childProcess`: the modules that export the tasks. */
  readonly taskModules?: readonly (string | URL)[] | undefined;
  /** For `workerThreads` and `childProcess`: after how many tasks one is replaced. @default Infinity */
  readonly maxTasksPerChild?: number | undefined;
  /** For `childProcess`: with how much resident memory, in MiB, a process is replaced. @default Infinity */
  readonly maxRssMb?: number | undefined;
  /** For `workerThreads` and `childProcess`: whether a task that does not listen to its signal is ended. @default false */
  readonly terminateOnAbort?: boolean | undefined;
  /** For `workerThreads` and `childProcess`: how long, in milliseconds, it may go on after the signal. @default 5000 */
  readonly graceMs?: number | undefined;
  /**
   * How long a run may take, in milliseconds, from its beginning to its end; time in which it is suspended counts. When
   * it has passed, the run is cancelled, and fails with a `TimeoutError`. @default no limit
   */
  readonly deadlineMs?: number | undefined;
  /** Clock, ids and randomness. @default the platform's */
  readonly environment?: Environment | undefined;
}

type Runnable = Flow | Task;
type WithStore = { readonly store?: Readonly<Record<string, unknown>> | undefined };

/**
 * Makes an engine for a flow, or for a single task.
 *
 * @param options.store - Values for symbols that no atom provides, by name. They are kept with the run: when it is
 * loaded, or, for one that was stored with a plan and may yet be refused, when it is prepared.
 * @throws {NotFoundError} for an engine or a backend that there is not.
 * @throws {RangeError|TypeError} for options that are unknown or out of range, and for a task that the executor does
 * not know.
 * @throws {ExecutionError} when a task module cannot be loaded; `cause` says why.
 * @throws {StorageError} when the backend cannot be used.
 * @see TaskFlow `engines/helpers.py`, `load`.
 */
export async function load<const Loaded extends Runnable>(
  flow: Loaded,
  ...[options]: object extends StoreOption<Loaded>
    ? [options?: LoadOptions & StoreOption<Loaded>]
    : [options: LoadOptions & StoreOption<Loaded>]
): Promise<Engine> {
  const { store, ...others }: LoadOptions & WithStore = options ?? {};
  return loadUntyped(flow, others, store);
}

/**
 * As `load`, for flows that TypeScript knows nothing of.
 *
 * @param metaOf - What the metadata of a new run are, from those of the flow. Default: the same.
 */
export async function loadUntyped(
  flow: Runnable,
  given: LoadOptions,
  store: WithStore['store'],
  metaOf = (meta: Meta) => meta,
): Promise<Engine> {
  const { engine: kind = 'default', flowDetail, book, backend: conf, ...rest } = given;
  const { workers, others } = splitWorkerOptions(rest);
  const options = engineOptions(others);
  const { executors, release: releaseExecutors } = executorsFor(kind, options, given.maxWorkers, workers);
  const backend = conf === undefined ? null : await fetch(conf);
  const isOurs = backend !== null && backend !== conf;
  const connection = backend === null ? null : await openConnection(backend, isOurs);
  const release = async () => {
    await releaseExecutors();
    await connection?.close();
    if (isOurs) await backend.close();
  };
  try {
    await executors.tasks.accept?.(tasksIn(flow));
    const environment = options.environment ?? systemEnvironment;
    const meta = metaOf(flow instanceof Flow ? flow.meta : {});
    const detail =
      flowDetail ??
      (await createFlowDetail(flow.name, { book, backend: backend ?? undefined, meta, environment })).flowDetail;
    const journal = options.journal ? await journalSoFar(connection, detail.uuid) : null;
    const engine = new Engine({
      flow,
      flowDetail: detail,
      connection,
      codec: backend?.codec,
      journal,
      options,
      executors,
      release,
    });
    if (store !== undefined) await injectInto(engine, store);
    return engine;
  } catch (error) {
    await release();
    throw error;
  }
}

/** A run that has a plan may yet be refused: then nothing of it is changed, so these wait for `prepare`. */
async function injectInto({ storage }: Engine, store: Readonly<Record<string, unknown>>): Promise<void> {
  if (storage.planFingerprint === null) await storage.inject(store);
  else storage.addValues(store);
}

function executorsFor(
  kind: string,
  options: EngineOptions,
  maxWorkers: number | undefined,
  workers: WorkerEngineOptions,
): { executors: Executors; release: () => Promise<void> } {
  if (!Object.hasOwn(KINDS, kind)) {
    const meant = nearestName(kind, Object.keys(KINDS));
    throw new NotFoundError(
      `There is no engine ${JSON.stringify(kind)}; there are ${Object.keys(KINDS).join(', ')}` +
        (meant === null ? '' : `; did you mean ${meant}?`),
    );
  }
  const retries = serialExecutor();
  const { executor = 'async' } = options;
  if (KINDS[kind as keyof typeof KINDS] === 'workers') {
    const { tasks, isOurs } = workerExecutorFor(kind, options, maxWorkers, workers);
    const release = () => (isOurs ? tasks.close() : Promise.resolve());
    return { executors: { tasks, retries, oneByOne: false }, release };
  }
  refuseWorkerOptions(kind, workers);
  if (KINDS[kind as keyof typeof KINDS] === 'serial') {
    if (options.executor !== undefined)
      throw new RangeError(`executor is an option of the parallel engine, got engine ${kind}`);
    refuseForeignOptions('serial', options);
    return { executors: { tasks: retries, retries, oneByOne: true }, release: () => Promise.resolve() };
  }
  if (typeof executor !== 'string') {
    refuseForeignOptions('one that was given', options);
    return { executors: { tasks: executor, retries, oneByOne: false }, release: () => Promise.resolve() };
  }
  const own = executorNamed(executor, { ...options, maxWorkers });
  return { executors: { tasks: own, retries, oneByOne: false }, release: () => own.close() };
}

/** All tasks of a flow. One that contains itself is the compiler's to refuse. */
function tasksIn(root: Runnable): Set<Task> {
  const tasks = new Set<Task>();
  const seen = new Set<Runnable>([root]);
  for (const item of seen) {
    if (item instanceof Task) tasks.add(item);
    else for (const child of item) seen.add(child);
  }
  return tasks;
}

async function openConnection(backend: PersistenceBackend, isOurs: boolean): Promise<Connection> {
  const connection = await backend.getConnection();
  try {
    await connection.upgrade();
    return connection;
  } catch (error) {
    await connection.close();
    if (isOurs) await backend.close();
    throw error;
  }
}

/**
 * Loads an engine, runs the flow, and closes the engine.
 *
 * @returns every symbol that has a value; the list of values where several atoms provide it.
 * @throws as `load` and `Engine.run`.
 */
export async function run<const Loaded extends Runnable>(
  flow: Loaded,
  ...[options]: object extends StoreOption<Loaded>
    ? [options?: LoadOptions & StoreOption<Loaded>]
    : [options: LoadOptions & StoreOption<Loaded>]
): Promise<Record<string, unknown>> {
  const { store, ...others }: LoadOptions & WithStore = options ?? {};
  const engine = await loadUntyped(flow, others, store);
  try {
    await engine.run();
    return engine.storage.fetchAll();
  } finally {
    await engine.close();
  }
}
