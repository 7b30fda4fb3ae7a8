/**
 * `npm run bench:executors`: what an executor adds to a task, measured beside a pool that does nothing else (piscina
 * for threads, bare messages for processes), and what threads gain on work that keeps processors busy. Ratios within one run; times depend on the machine.
 */
import { availableParallelism, loadavg } from 'node:os';
import { Piscina } from 'piscina';
import type { Executor } from 'flowstate';
import { asyncExecutor, childProcessExecutor, engines, unordered, workerThreadExecutor } from 'flowstate';
import { BareProcesses } from './bare-processes.js';
import { noop, spin, spins } from './tasks.js';

const ROUNDS = 15;
const GAIN_ROUNDS = 5;
const TASKS = 4_000;
const WORKERS = 2;
const MOST_OVERHEAD = 1.5;
const LEAST_GAIN = 1.7;
const SPINS = 8;
const SPIN_ROUNDS = 10_000_000;

const taskModules = [new URL('./tasks.js', import.meta.url)];
const owner = {};
const quiet = new AbortController().signal;
const context = {
  atom: 'noop',
  signal: quiet,
  idempotencyKey: 'key',
  progress: () => undefined,
  notify: () => undefined,
};

async function timeOf(run: () => unknown): Promise<number> {
  const before = performance.now();
  await run();
  return performance.now() - before;
}

function submitAll(executor: Executor): Promise<unknown> {
  const submit = () => executor.submit({ atom: noop, method: 'execute', args: {}, context, owner }).outcome;
  return Promise.all(Array.from({ length: TASKS }, submit));
}

/** Both in turn. The best round of each counts: what else the machine does only ever adds to a time. */
async function compare(name: string, bare: () => unknown, ours: () => unknown, most = Infinity): Promise<void> {
  const best = { bare: Infinity, ours: Infinity };
  // The first round starts threads and processes, and warms up.
  for (let round = 0; round <= ROUNDS; round++) {
    const [bareMs, ourMs] = [await timeOf(bare), await timeOf(ours)];
    if (round > 0) Object.assign(best, { bare: Math.min(best.bare, bareMs), ours: Math.min(best.ours, ourMs) });
  }
  const microseconds = (ms: number) => `${((ms / TASKS) * 1000).toFixed(1).padStart(7)} µs`;
  const ratio = best.ours / best.bare;
  const verdict = most === Infinity ? '' : `(at most ${most}) ${ratio <= most ? 'ok' : 'MISSED'}`;
  console.log(
    `${name.padEnd(14)}${microseconds(best.bare)} bare ${microseconds(best.ours)}  ${ratio.toFixed(2)} ×  ${verdict}`,
  );
}

async function overhead(): Promise<void> {
  const inLoop = asyncExecutor();
  const call = async () => noop.execute({}, context);
  const callAll = () => Promise.all(Array.from({ length: TASKS }, call));
  await compare('async', callAll, () => submitAll(inLoop));
  const options = { taskModules, maxWorkers: WORKERS };
  const threads = workerThreadExecutor(options);
  const filename = new URL('./bare-thread.js', import.meta.url).href;
  const piscina = new Piscina({ filename, name: 'run', minThreads: WORKERS, maxThreads: WORKERS });
  const runAll = () => Promise.all(Array.from({ length: TASKS }, () => piscina.run({}) as Promise<unknown>));
  await compare('workerThreads', runAll, () => submitAll(threads), MOST_OVERHEAD);
  await Promise.all([threads.close(), piscina.destroy()]);

  const processes = childProcessExecutor(options);
  const bare = new BareProcesses(WORKERS);
  const runBare = () => bare.run(TASKS);
  await compare('childProcess', runBare, () => submitAll(processes), MOST_OVERHEAD);
  bare.close();
  await processes.close();
}

async function gain(): Promise<void> {
  const flow = () => unordered('busy').addAll(Array.from({ length: SPINS }, (_, i) => spins(`s${i}`, SPIN_ROUNDS)));
  const executor = workerThreadExecutor({ taskModules, maxWorkers: WORKERS });
  await engines.run(flow(), { engine: 'parallel', executor });
  spin(SPIN_ROUNDS);
  let [serial, threads] = [Infinity, Infinity];
  for (let round = 0; round < GAIN_ROUNDS; round++) {
    serial = Math.min(serial, await timeOf(() => engines.run(flow(), { engine: 'serial' })));
    threads = Math.min(threads, await timeOf(() => engines.run(flow(), { engine: 'parallel', executor })));
  }
  await executor.close();
  const ratio = serial / threads;
  console.log(
    `\n${SPINS} busy tasks on ${WORKERS} threads: ${ratio.toFixed(2)} × as fast as one by one ` +
      `(at least ${LEAST_GAIN}) ${ratio >= LEAST_GAIN ? 'ok' : 'MISSED'}`,
  );
}

console.log(
  `Node ${process.version}, ${availableParallelism()} processors, load ${loadavg()[0]?.toFixed(1)}; ${TASKS} tasks that do nothing, ${WORKERS} workers\n`,
);
await overhead();
await gain();
