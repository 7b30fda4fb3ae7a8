import type { Flow } from 'flowstate';
import { engines, linear, transport, unordered, Worker, WorkerExecutor } from 'flowstate';
import type { Answerer, WorkerJob, WorkerMeasurement } from './job.js';
import { medianOf } from './job.js';
import { echo } from './tasks.js';

/** Mailboxes are kept for whoever takes a run up: here nobody does. */
const MAILBOX_EXPIRY_MS = 60_000;

/** flowstate: flows whose tasks run on the worker, as users run them. One at a time they are a chain. */
export async function measureFlowstate(job: WorkerJob): Promise<WorkerMeasurement> {
  const { inFlight, n, warmUp } = job;
  const from = performance.now();
  const executor = executorFor(job);
  try {
    await runOnce(executor, flowOf(1, inFlight));
    const firstTaskMs = performance.now() - from;
    await runOnce(executor, flowOf(warmUp, inFlight));
    const { times, wallMs } = await runOnce(executor, flowOf(n, inFlight));
    return { p50Ms: medianOf(times), perSecond: (n / wallMs) * 1000, firstTaskMs };
  } finally {
    await executor.close();
  }
}

/** Runs flows of a tenth of all tasks. @returns what this process has in use after each, in MiB. */
export async function flowstateMemory(job: WorkerJob, collect: () => void): Promise<number[]> {
  const { inFlight, n } = job;
  const executor = executorFor(job);
  const used: number[] = [];
  try {
    for (let part = 0; part < 10; part++) {
      await runOnce(executor, flowOf(n / 10, inFlight));
      collect();
      used.push(process.memoryUsage().heapUsed / 2 ** 20);
    }
  } finally {
    await executor.close();
  }
  return used;
}

function executorFor({ url, name, inFlight }: WorkerJob): WorkerExecutor {
  return new WorkerExecutor({
    url,
    exchange: name,
    topics: ['work'],
    maxInFlight: inFlight,
    mailboxExpiryMs: MAILBOX_EXPIRY_MS,
  });
}

function flowOf(n: number, inFlight: number): Flow {
  const tasks = Array.from({ length: n }, (_, index) => echo(index));
  return (inFlight === 1 ? linear('chain') : unordered('wide')).addAll(tasks);
}

async function runOnce(executor: WorkerExecutor, flow: Flow) {
  const engine = await engines.load(flow, { engine: 'workers', executor });
  const times: number[] = [];
  let last = performance.now();
  engine.atomNotifier.register('SUCCESS', () => {
    const now = performance.now();
    times.push(now - last);
    last = now;
  });
  const begin = performance.now();
  await engine.run();
  const wallMs = performance.now() - begin;
  let count = 0;
  for (const task of flow) {
    const result = engine.storage.get(task.name);
    if (result !== count) throw new Error(`${task.name} gave ${String(result)} instead of ${count}`);
    count += 1;
  }
  await engine.close();
  return { times, wallMs };
}

export async function flowstateAnswerer({ url, name }: WorkerJob): Promise<Answerer> {
  const worker = new Worker({ url, exchange: name, topic: 'work', tasks: [echo], maxWorkers: 16 });
  void worker.run().catch((error: unknown) => {
    throw error;
  });
  await worker.waitUntilReady();
  return {
    async close() {
      await worker.stop();
      const link = await (await transport({ url, exchange: name })).open();
      await link.removeAll();
      await link.close();
    },
  };
}
