import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerJob, WorkerMeasurement } from './job.js';

const program = (name: string) => fileURLToPath(new URL(`./${name}.js`, import.meta.url));
/** How long a run of a thousand tasks may take: a subject that hangs must not keep the others. */
const LONGEST_MS = 60_000;
const LONGEST_MEMORY_MS = 600_000;
const CLOSING_MS = 10_000;

function start(name: string, job: WorkerJob, longestMs?: number): ChildProcess {
  return fork(program(name), [JSON.stringify(job)], {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    ...(longestMs === undefined ? {} : { timeout: longestMs, killSignal: 'SIGKILL' as const }),
  });
}

/** @throws {Error} when the process ends without a word. */
async function word(child: ChildProcess, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code, signal) => reject(new Error(`${what} ended with ${signal ?? `exit code ${code}`}`)));
  });
}

/** Measures in two fresh processes: who asks, and who answers. */
async function inProcesses<Result>(
  job: WorkerJob & { readonly kind: 'speed' | 'memory' },
  use: (result: unknown, answering: ChildProcess | null) => Promise<Result>,
): Promise<Result> {
  const answering = job.broker === 'memory' ? null : start('answering', job);
  try {
    if (answering !== null) await word(answering, `${job.subject} (the worker)`);
    const longestMs =
      job.kind === 'memory' ? LONGEST_MEMORY_MS : Math.ceil(LONGEST_MS * Math.max(1, (job.n + job.warmUp) / 1000));
    const calling = start('calling', job, longestMs);
    const what = `${job.subject} on ${job.broker}, which may take ${longestMs / 1000} s,`;
    const result = await word(calling, what);
    return await use(result, answering);
  } finally {
    if (answering?.connected === true) {
      const ended = once(answering, 'exit');
      answering.send('stop');
      const patience = setTimeout(() => answering.kill('SIGKILL'), CLOSING_MS);
      await ended;
      clearTimeout(patience);
    }
  }
}

export function measureSpeed(job: WorkerJob): Promise<WorkerMeasurement> {
  return inProcesses({ ...job, kind: 'speed' }, async (result) => result as WorkerMeasurement);
}

export interface MemoryMeasurement {
  /** Of the engine's process, after each tenth of all tasks. */
  readonly engineMb: readonly number[];
  /** Of the worker's process, at the end; null where it has none of its own. */
  readonly workerMb: number | null;
}

export function measureMemory(job: WorkerJob): Promise<MemoryMeasurement> {
  return inProcesses({ ...job, kind: 'memory' }, async (result, answering) => {
    let workerMb: number | null = null;
    if (answering !== null) {
      const told = word(answering, 'the worker');
      answering.send('memory');
      workerMb = ((await told) as { heapMb: number }).heapMb;
    }
    return { engineMb: result as number[], workerMb };
  });
}
