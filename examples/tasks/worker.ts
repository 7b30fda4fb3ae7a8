import { workerMain } from 'flowstate';

/* A process that is a worker: `node worker.js URL TOPIC MODULE…`. It runs the tasks of these modules, and no others. */

const [url = '', topic = '', ...taskModules] = process.argv.slice(2);
// It ends with the program that started it.
process.on('disconnect', () => process.exit());
await workerMain({ url, exchange: 'examples', topic, taskModules, log: () => undefined });
process.disconnect();
