import type { Transferable } from 'node:worker_threads';
import { parentPort, workerData } from 'node:worker_threads';
import type { Request, Start } from './protocol.js';
import { serve } from './serve.js';

/* A thread that runs tasks for an engine. */

const port = parentPort;
if (port === null) throw new Error('thread-main runs in a worker thread');
const start = workerData as Start;
const handle = await serve(start, (reply, transfer: readonly Transferable[] = []) => port.postMessage(reply, transfer));
port.on('message', (request: Request) => handle(request));
