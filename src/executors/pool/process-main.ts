import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { LIFELINE } from './lifeline.js';
import type { Reply, Request, Start } from './protocol.js';
import { serve } from './serve.js';

/* A process that runs tasks for an engine. It ends with the process of the engine. */

// A signal from the keyboard reaches the whole group; what becomes of the tasks is for the engine to say.
process.on('SIGINT', () => undefined);

const watchdog = new Worker(new URL('./watchdog.js', import.meta.url), { workerData: LIFELINE });
await once(watchdog, 'online');
watchdog.unref();

function send(reply: Reply): void {
  // Without a channel there is nobody to tell: the process is about to be ended.
  process.send?.(reply, undefined, undefined, () => undefined);
}

const start = JSON.parse(process.argv[2] ?? '') as Start;
const handle = await serve(start, send);
process.on('message', (request: Request) => handle(request));
