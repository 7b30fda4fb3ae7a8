import type { Task } from '../../src/atoms/task.js';
import type { Executor, Submission, Work } from '../../src/executors/executor.js';
import { childProcessExecutor } from '../../src/executors/child-process.js';
import { workerThreadExecutor } from '../../src/executors/worker-threads.js';
import { Failure } from '../../src/failure.js';
import { silence } from './behaviours.js';
import type { Stage } from './behaviours.js';
import type { CallCounts } from './call-counts.js';
import { makeError } from './error-kinds.js';
import { CALL_NUMBER, CALLED, SUSPEND } from './pool-tasks.js';

export type PoolName = 'workerThreads' | 'childProcess';

const WORKERS = 2;

/** Threads or processes in which the tasks of cases can be run. */
export function poolForCases(name: PoolName): Executor {
  const make = name === 'workerThreads' ? workerThreadExecutor : childProcessExecutor;
  return make({ maxWorkers: WORKERS, taskModules: [new URL('./pool-tasks.js', import.meta.url)] });
}

/** A task that the engine waits for. */
interface Awaited {
  isFinished: boolean;
  finish: () => void;
}

/** A pool as the process of one engine sees it: it knows which call it is, and hears nothing once it is dead. */
export class ExecutorOfCase implements Executor {
  readonly name: string;
  readonly #wave: Awaited[] = [];
  #tellFinished: (() => void) | null = null;

  constructor(
    private readonly pool: Executor,
    private readonly counts: CallCounts,
    private readonly stage: Stage,
    /**
     * Whether the tasks of a wave are finished together, in their order, as where they take no time: that is how cases
     * are recorded. What depends on the time that each takes is another run's to show.
     */
    private readonly isInOrder: boolean,
  ) {
    this.name = pool.name;
  }

  async accept(tasks: Iterable<Task>): Promise<void> {
    await this.pool.accept?.(tasks);
  }

  /** Counts and writes down the calls of a task, and does what it asks for. */
  listenTo(task: Task): void {
    const { counts, stage } = this;
    task.notifier.register(CALLED, (_, { entry, method }) => {
      if (stage.isDead) return;
      counts.next(method === 'revert' ? 'revert' : 'execute', task.name);
      stage.trace(entry);
    });
    task.notifier.register(SUSPEND, () => {
      if (!stage.isDead) stage.suspend();
    });
  }

  submit(work: Work): Submission {
    const args = { ...work.args, [CALL_NUMBER]: this.counts.made(work.method, work.atom.name) };
    const submission = this.pool.submit({ ...work, args });
    const found = Promise.resolve(submission.outcome).then((outcome) =>
      this.stage.isDead ? silence() : withItsError(outcome),
    );
    if (!this.isInOrder) return { outcome: found, cancel: () => submission.cancel(), ...settlement(submission) };
    return this.#inWave(found, submission);
  }

  /** Called when a wave has been submitted. Resolves when all its tasks are finished, where they are so together. */
  async finished(): Promise<void> {
    if (!this.isInOrder) return;
    await new Promise<void>((resolve) => {
      this.#tellFinished = resolve;
      this.#finishWave();
    });
  }

  #inWave(found: Promise<unknown>, submission: Submission): Submission {
    const awaited: Awaited = { isFinished: false, finish: () => undefined };
    this.#wave.push(awaited);
    void found.then(() => {
      awaited.isFinished = true;
      this.#finishWave();
    });
    const outcome = new Promise<unknown>((resolve) => {
      awaited.finish = () => resolve(found);
    });
    const cancel = () => {
      if (!submission.cancel()) return false;
      this.#wave.splice(this.#wave.indexOf(awaited), 1);
      this.#finishWave();
      return true;
    };
    return { outcome, cancel, ...settlement(submission) };
  }

  #finishWave(): void {
    if (this.#tellFinished === null || !this.#wave.every(({ isFinished }) => isFinished)) return;
    for (const { finish } of this.#wave.splice(0)) finish();
    this.#tellFinished();
    this.#tellFinished = null;
  }

  async close(): Promise<void> {}
}

/** Cases are recorded where errors stay in their process. Here they come back as if their classes were registered. */
function withItsError(outcome: unknown): unknown {
  if (!(outcome instanceof Failure) || outcome.isLive) return outcome;
  return Failure.from(makeError(outcome.name, outcome.message));
}

function settlement(submission: Submission): Pick<Submission, 'settled'> {
  return { settled: () => submission.settled?.() };
}
