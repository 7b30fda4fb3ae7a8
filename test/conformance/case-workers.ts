import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Executor } from '../../src/executors/executor.js';
import { WorkerExecutor } from '../../src/workers/client/worker-executor.js';
import { transport } from '../../src/workers/transport-registry.js';
import type { WorkerOptions } from '../../src/workers/worker/options.js';
import { Worker } from '../../src/workers/worker/worker.js';
import { startWorker } from '../workers/worker-process.js';

const WORKERS = 2;
const TASKS_AT_ONCE = 4;
/** How long, in milliseconds, the workers may take to be there. */
const START_MS = 30_000;

/**
 * Workers that run the tasks of cases: processes of their own, or, over memory, in this thread. Cases are recorded where
 * everything is done again that was under way when a process died, so workers tell nothing twice.
 */
export async function workersForCases(url: string): Promise<Executor> {
  const exchange = `flowstate_test_${randomUUID()}`;
  const options: WorkerOptions = {
    url,
    exchange,
    topic: 'cases',
    tasks: [new URL('./pool-tasks.js', import.meta.url).href],
    maxWorkers: TASKS_AT_ONCE,
    maxResults: 1,
    resultTtlMs: 0.001,
  };
  const isInMemory = url.startsWith('memory:');
  const workers = isInMemory ? [inThisThread(options)] : await inProcesses(options);
  const executor = new WorkerExecutor({ url, exchange, adoptMs: 20, mailboxExpiryMs: 60_000 });
  const missing = await executor.waitForWorkers(workers.length, START_MS);
  if (missing > 0) throw new Error(`${missing} workers did not come`);
  const close = executor.close.bind(executor);
  executor.close = async () => {
    await close();
    await Promise.all(workers.map((worker) => worker.stop()));
    const link = await (await transport({ url, exchange })).open();
    await link.removeAll();
    await link.close();
  };
  return executor;
}

function inThisThread(options: WorkerOptions): Worker {
  const worker = new Worker(options);
  void worker.run();
  return worker;
}

function inProcesses(options: WorkerOptions) {
  const program = fileURLToPath(new URL('../workers/programs/worker.js', import.meta.url));
  return Promise.all(Array.from({ length: WORKERS }, () => startWorker(program, options)));
}
