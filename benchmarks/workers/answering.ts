import type { WorkerJob } from './job.js';
import { newAnswerer } from './sides.js';

/* The process of the worker. It says when it is ready, ends when it is told to, and says how much memory it uses. */

const answerer = await newAnswerer(JSON.parse(process.argv[2] ?? '{}') as WorkerJob);
process.on('disconnect', () => process.exit(1));
process.on('message', (message) => {
  if (message === 'memory') {
    globalThis.gc?.();
    process.send?.({ heapMb: process.memoryUsage().heapUsed / 2 ** 20 });
    return;
  }
  void answerer.close().then(() => process.exit(0));
});
process.send?.('ready');
