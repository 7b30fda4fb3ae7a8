/**
 * Shows a run in the inspector at an address, and says how it ended. With `closing` the connection is closed then;
 * otherwise it is left to itself.
 */
import { task } from '../../../src/atoms/function-task.js';
import { load } from '../../../src/engines/load.js';
import { linear } from '../../../src/flows/linear.js';
import { connectStately } from '../../../visualizations/stately-connection.js';

const [url = '', closing] = process.argv.slice(2);
const engine = await load(linear('f').add(task({ name: 'a', execute: () => 1 })));
const connection = await connectStately(engine, { url });
const state = await engine.run();
if (closing === 'closing') {
  await connection.opened;
  await connection.close();
}
console.log(state);
