import { Worker } from 'node:worker_threads';
import type { ConformanceCase } from './case.js';
import type { Verdict } from './case-worker.js';
import type { CommandLine } from './options.js';

/** A thread that is busy this much longer than a case may take is taken for stuck. */
const PATIENCE_MS = 5000;

/**
 * Runs cases in a thread of their own, one after the other. A case that keeps the thread busy for ever, or
 * brings it down, fails; the next case gets a new thread.
 */
export class CasePool {
  readonly #options: CommandLine;
  #worker: Worker | null = null;

  constructor(options: CommandLine) {
    this.#options = options;
  }

  async judge(test: ConformanceCase): Promise<Verdict> {
    this.#worker ??= new Worker(new URL('./case-worker.js', import.meta.url), { workerData: this.#options });
    const worker = this.#worker;
    const failed = (reason: string): Verdict => ({ reasons: [reason], crashes: null });
    const outcome = await new Promise<{ verdict: Verdict; isUsable: boolean }>((resolve) => {
      const settle = (verdict: Verdict, isUsable: boolean) => {
        clearTimeout(timer);
        worker.off('message', answered).off('error', broke).off('exit', ended);
        resolve({ verdict, isUsable });
      };
      const answered = (verdict: Verdict) => settle(verdict, true);
      const broke = (error: unknown) => settle(failed(`brought its thread down: ${String(error)}`), false);
      const ended = (code: number) => settle(failed(`its thread ended with ${code}`), false);
      const timer = setTimeout(
        () => settle(failed(`did not end within ${this.#options.timeoutMs} ms, and kept its thread busy`), false),
        this.#options.timeoutMs + PATIENCE_MS,
      );
      worker.on('message', answered).on('error', broke).on('exit', ended);
      worker.postMessage(JSON.stringify(test));
    });
    if (!outcome.isUsable) {
      this.#worker = null;
      // Errors of a thread that is being ended say nothing new.
      worker.on('error', () => undefined);
      await worker.terminate();
    }
    return outcome.verdict;
  }

  async close(): Promise<void> {
    const worker = this.#worker;
    if (worker === null) return;
    this.#worker = null;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(() => void worker.terminate().then(() => resolve()), PATIENCE_MS);
      worker.once('exit', () => {
        clearTimeout(timer);
        resolve();
      });
      worker.postMessage(null);
    });
  }
}
