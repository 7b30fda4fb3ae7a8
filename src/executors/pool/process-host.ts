import { fork } from 'node:child_process';
import { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { serialize } from 'node:v8';
import type { Environment } from '../../environment.js';
import type { HostKind } from './host.js';
import { LIFELINE } from './lifeline.js';
import { optionsForChildren } from './node-options.js';
import { isReply } from './protocol.js';

export interface ProcessOptions {
  /** Options of Node.js, such as `--max-old-space-size=512`. @default those of this process */
  readonly execArgv?: readonly string[] | undefined;
  /** @default that of this process */
  readonly env?: NodeJS.ProcessEnv | undefined;
}

const MAIN = fileURLToPath(new URL('./process-main.js', import.meta.url));
/** How long, in milliseconds, what a process sent before it ended may take to arrive. */
const LAST_WORDS_MS = 1000;

/** Processes as hosts of tasks. */
export function processHosts({ execArgv, env }: ProcessOptions, { clock }: Environment): HostKind {
  return {
    noun: 'process',
    start(start, listener) {
      const child = fork(MAIN, [JSON.stringify(start)], {
        serialization: 'advanced',
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
        execArgv: [...(execArgv ?? optionsForChildren())],
        ...(env === undefined ? {} : { env }),
      });
      const lifeline = child.stdio[LIFELINE];
      lifeline?.on('error', () => undefined);
      child.on('message', (message) => {
        if (isReply(message)) listener.replied(message);
      });
      child.on('error', (error) => {
        if (child.pid === undefined) listener.ended({ exitCode: null, signal: null, error });
      });
      // A process that cannot be talked to any more is of no use.
      child.on('disconnect', () => child.kill('SIGKILL'));
      child.on('exit', (exitCode, signal) => {
        const tell = () => listener.ended({ exitCode, signal });
        if (!child.connected) {
          tell();
          return;
        }
        const timer = clock.setTimer(LAST_WORDS_MS, () => child.disconnect());
        child.once('disconnect', () => {
          timer.cancel();
          tell();
        });
      });
      return {
        // Whether it arrives is known from what comes back, or from the end of the process.
        send: (request) => void child.send(request, () => undefined),
        keepAlive(isNeeded) {
          const what = isNeeded ? 'ref' : 'unref';
          child[what]();
          child.channel?.[what]();
          if (lifeline instanceof Socket) lifeline[what]();
        },
        kill: () => void child.kill('SIGKILL'),
      };
    },
    checkCrossing: (value) => void serialize(value),
  };
}
