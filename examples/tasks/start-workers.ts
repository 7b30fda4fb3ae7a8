import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface Workers {
  /** Where engines and workers meet: a folder. */
  readonly url: string;
  /** Ends the processes, and removes the folder. */
  stop(): Promise<void>;
}

/** Starts a worker process for each topic. @param modules - Those with its tasks, beside this one, by topic. */
export async function startWorkers(modules: Readonly<Record<string, string>>): Promise<Workers> {
  const folder = await mkdtemp(join(tmpdir(), 'flowstate-workers-'));
  const url = `filesystem:${folder}?pollingIntervalMs=20`;
  const program = fileURLToPath(new URL('./worker.js', import.meta.url));
  const children = Object.entries(modules).map(([topic, module]) =>
    fork(program, [url, topic, fileURLToPath(new URL(module, import.meta.url))]),
  );
  return {
    url,
    async stop() {
      await Promise.all(
        children.map((child) => {
          const ended = once(child, 'exit');
          child.kill('SIGTERM');
          return ended;
        }),
      );
      await rm(folder, { recursive: true });
    },
  };
}
