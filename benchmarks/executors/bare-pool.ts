import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

interface Message {
  readonly id: number;
  readonly args: object;
}

interface Channel {
  send(message: Message): void;
  onAnswer(hear: () => void): void;
  end(): void;
}

const FILE = new URL('./bare-worker.js', import.meta.url);

const channels = {
  workerThreads(): Channel {
    const worker = new Worker(FILE);
    return {
      send: (message) => worker.postMessage(message),
      onAnswer: (hear) => void worker.on('message', hear),
      end: () => void worker.terminate(),
    };
  },
  childProcess(): Channel {
    const child = fork(fileURLToPath(FILE), { serialization: 'advanced' });
    return {
      send: (message) => void child.send(message),
      onAnswer: (hear) => void child.on('message', hear),
      end: () => void child.kill(),
    };
  },
};

/** Threads or processes that are given one message at a time, and nothing else: what an executor adds is beyond this. */
export class BarePool {
  readonly #channels: Channel[];
  #left = 0;
  #running = 0;
  #tellDone: () => void = () => undefined;

  constructor(kind: keyof typeof channels, workers: number) {
    this.#channels = Array.from({ length: workers }, channels[kind]);
    for (const channel of this.#channels) {
      channel.onAnswer(() => {
        this.#running -= 1;
        this.#next(channel);
      });
    }
  }

  /** Has so many tasks done. */
  run(tasks: number): Promise<void> {
    this.#left = tasks;
    return new Promise((resolve) => {
      this.#tellDone = resolve;
      for (const channel of this.#channels) this.#next(channel);
    });
  }

  #next(channel: Channel): void {
    if (this.#left > 0) {
      this.#running += 1;
      channel.send({ id: this.#left--, args: {} });
    } else if (this.#running === 0) this.#tellDone();
  }

  close(): void {
    for (const { end } of this.#channels) end();
  }
}
