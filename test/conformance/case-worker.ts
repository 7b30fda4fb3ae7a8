import { parentPort, workerData } from 'node:worker_threads';
import type { ConformanceCase } from './case.js';
import type { Executor } from '../../src/executors/executor.js';
import { parseCase } from './case.js';
import { workersForCases } from './case-workers.js';
import { checkCrashes } from './crash.js';
import type { CrashReport } from './crash.js';
import type { CommandLine } from './options.js';
import { poolForCases } from './pool-executor.js';
import { judgeCase, orReason } from './runner.js';
import { storesAt } from './stores.js';

/*
 * The thread that runs the cases. A case that never gives the thread back is ended with it; see `case-pool.ts`.
 */

/** What became of a case. */
export interface Verdict {
  readonly reasons: readonly string[];
  readonly crashes: CrashReport | null;
}

const options = optionsOf(workerData);
const stores = storesAt(options.backend);
const pool = await poolOf(options);
const settings = { ...options, pool, openBackend: () => stores.open() };

/** The thread that starts this one says how cases are run. */
function optionsOf(data: unknown): CommandLine {
  return data as CommandLine;
}

async function poolOf({ executor, url }: CommandLine): Promise<Executor | null> {
  if (executor === 'workers') return workersForCases(url ?? '');
  return executor === null || executor === 'async' ? null : poolForCases(executor);
}

/** Errors that nobody waited for, since the case began. */
let stray: string[] = [];
process.on('unhandledRejection', (error) => stray.push(`nobody handled ${textOf(error)}`));

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function judge(test: ConformanceCase): Promise<Verdict> {
  if (options.crash === null) return { reasons: await judgeCase(test, settings), crashes: null };
  return orReason<Verdict>(
    options.timeoutMs,
    async () => {
      const crashes = await checkCrashes(test, settings);
      return { reasons: crashes.reasons, crashes };
    },
    (reason) => ({ reasons: [reason], crashes: null }),
  );
}

async function answer(text: string): Promise<Verdict> {
  stray = [];
  const verdict = await judge(parseCase(JSON.parse(text)));
  // A rejection counts as unhandled only when the event loop comes round.
  await new Promise((resolve) => setImmediate(resolve));
  return { ...verdict, reasons: [...verdict.reasons, ...stray] };
}

const port = parentPort;
if (port === null) throw new Error('case-worker runs in a worker thread');
port.on('message', (message: string | null) => {
  if (message === null) {
    void Promise.all([stores.close(), pool?.close()]).finally(() => port.close());
    return;
  }
  void answer(message).then((verdict) => port.postMessage(verdict));
});
