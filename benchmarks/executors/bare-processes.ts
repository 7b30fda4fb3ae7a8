import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(new URL('./bare-process.js', import.meta.url));

/** Processes that are given one message at a time, and nothing else: what an executor adds is beyond this. */
export class BareProcesses {
  readonly #children: readonly ChildProcess[];
  #left = 0;
  #running = 0;
  #tellDone: () => void = () => undefined;

  constructor(workers: number) {
    this.#children = Array.from({ length: workers }, () => fork(FILE, { serialization: 'advanced' }));
    for (const child of this.#children) {
      child.on('message', () => {
        this.#running -= 1;
        this.#next(child);
      });
    }
  }

  /** Has so many tasks done. */
  run(tasks: number): Promise<void> {
    this.#left = tasks;
    return new Promise((resolve) => {
      this.#tellDone = resolve;
      for (const child of this.#children) this.#next(child);
    });
  }

  #next(child: ChildProcess): void {
    if (this.#left > 0) {
      this.#running += 1;
      child.send({ id: this.#left--, args: {} });
    } else if (this.#running === 0) this.#tellDone();
  }

  close(): void {
    for (const child of this.#children) child.kill();
  }
}
