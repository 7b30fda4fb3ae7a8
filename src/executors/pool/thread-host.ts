import type { ResourceLimits } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import type { HostKind } from './host.js';
import { optionsForThreads } from './node-options.js';
import { isReply } from './protocol.js';

/** Threads as hosts of tasks. */
export function threadHosts(resourceLimits: ResourceLimits | undefined): HostKind {
  const execArgv = optionsForThreads();
  return {
    noun: 'thread',
    start(start, listener) {
      const worker = new Worker(new URL('./thread-main.js', import.meta.url), {
        workerData: start,
        ...(execArgv === undefined ? {} : { execArgv }),
        ...(resourceLimits === undefined ? {} : { resourceLimits }),
      });
      let uncaught: unknown;
      worker.on('message', (message: unknown) => {
        if (isReply(message)) listener.replied(message);
      });
      worker.on('messageerror', (error) => listener.garbled(error));
      worker.on('error', (error) => {
        uncaught = error;
      });
      worker.on('exit', (exitCode) => listener.ended({ exitCode, signal: null, error: uncaught }));
      return {
        send: (request) => worker.postMessage(request),
        keepAlive(isNeeded) {
          if (isNeeded) worker.ref();
          else worker.unref();
        },
        kill: () => void worker.terminate(),
      };
    },
    checkCrossing: (value) => void structuredClone(value),
  };
}
