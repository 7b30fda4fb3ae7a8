import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ProgramOptions } from './programs/worker.js';

/** A worker in a process of its own. */
export interface WorkerProcess {
  readonly pid: number;
  /** What ended it. */
  readonly ended: Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  /** Lets it finish what it has. */
  stop(): Promise<void>;
}

/**
 * @param program - The compiled `test/workers/programs/worker.ts`.
 * @param command - What begins its command line, where it runs elsewhere.
 */
export async function startWorker(
  program: string,
  options: ProgramOptions,
  command: readonly string[] = [],
): Promise<WorkerProcess> {
  const [executable, ...before] = [...command, process.execPath];
  const args = [...before, program, JSON.stringify(options)];
  const child: ChildProcess = spawn(executable, args, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit');
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    void ended.then(() => reject(new Error('The worker ended before it was ready')));
  });
  return {
    pid: child.pid ?? 0,
    ended,
    kill: (signal) => void child.kill(signal),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
