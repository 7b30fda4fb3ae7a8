import type { WorkerOptions } from './options.js';
import { Worker } from './worker.js';

export interface WorkerMainOptions extends WorkerOptions {
  /** How long, in milliseconds, running tasks may go on after SIGTERM or SIGINT. @default 30000 */
  readonly drainMs?: number | undefined;
}

/**
 * The main job of a process that is a worker and nothing else: runs one until SIGTERM or SIGINT, which let it finish what
 * it has. A second signal ends the process at once.
 *
 * @throws as `Worker` and `Worker.run`.
 */
export async function workerMain({ drainMs, ...options }: WorkerMainOptions): Promise<void> {
  const worker = new Worker({ log: (line) => process.stdout.write(`${line}\n`), ...options });
  const stop = () => {
    for (const signal of SIGNALS) process.off(signal, stop);
    void worker.stop({ drainMs });
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    await worker.run();
  } finally {
    for (const signal of SIGNALS) process.off(signal, stop);
  }
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;
