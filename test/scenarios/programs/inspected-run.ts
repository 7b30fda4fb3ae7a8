/** Serves the page of its run, runs when it is told to, and closes nothing. */
import { once } from 'node:events';
import { task } from '../../../src/atoms/function-task.js';
import { load } from '../../../src/engines/load.js';
import { linear } from '../../../src/flows/linear.js';
import { inspector } from '../../../visualizations/inspector/inspector.js';

const engine = await load(linear('inspected').add(task({ name: 'greet', execute: () => 'hello' })));
const { url } = await inspector(engine);
process.stdout.write(`${url}\n`);
await once(process.stdin, 'data');
process.stdin.destroy();
process.stdout.write(`${await engine.run()}\n`);
