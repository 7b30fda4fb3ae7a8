import type { WorkerMainOptions } from '../../../src/index.js';
import { workerMain } from '../../../src/index.js';

/* A process that is a worker: its options are its argument, as JSON. It says when it is ready. */

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerMainOptions;
// Nobody outlives the test that started it.
process.on('disconnect', () => process.exit(1));
await workerMain({
  ...options,
  log: (line) => {
    if (line.startsWith('flowstate worker')) process.send?.('ready');
    else if (options.topic === 'loud') console.log(line);
  },
});
process.disconnect();
