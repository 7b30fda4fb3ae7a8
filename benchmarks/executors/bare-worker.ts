import { parentPort } from 'node:worker_threads';
import { noop } from './tasks.js';

/* The least that a thread or process of a pool does: it gets a message, calls the task, and answers. */

const run = (message: { readonly id: number; readonly args: object }) => ({
  id: message.id,
  value: noop.execute(message.args, undefined as never),
});
const port = parentPort;
if (port === null) process.on('message', (message: Parameters<typeof run>[0]) => process.send?.(run(message)));
else port.on('message', (message: Parameters<typeof run>[0]) => port.postMessage(run(message)));
