import { parseArgs } from 'node:util';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { killDrill } from './kill-drill.js';

/* `npm run worker-kills -- --url URL --kills N --seed S`: kills workers and engines at random, and counts. */

const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    kills: { type: 'string', default: '50' },
    seed: { type: 'string', default: '1' },
  },
});
const { url } = values;
const [kills, seed] = [Number(values.kills), Number(values.seed)];
if (url === undefined || !(kills >= 1) || !Number.isSafeInteger(seed)) {
  throw new TypeError('worker-kills takes --url URL [--kills N] [--seed S]');
}
// Here everything is compiled already.
const compiled = {
  pathOf: (source: string) => new URL(`../../${source.replace(/\.ts$/, '.js')}`, import.meta.url).pathname,
  [Symbol.dispose]: () => undefined,
};
const isLeased = /^(redis|filesystem|file)/.test(url);
const broker = { url, ...(isLeased ? { transportOptions: { leaseMs: 1500 } } : {}) };
const report = await killDrill({ compiled, broker, kills, random: seededRandom(seed) });
const { flows, workerKills, engineKills, effects, repeated, problems } = report;
console.log(`${url.split(':')[0]}, seed ${seed}`);
console.log(`${flows} flows ended right, after ${workerKills} kills of workers and ${engineKills} of engines`);
console.log(`${effects} effects, of which ${repeated} were done again under the same key`);
for (const problem of problems) console.log(`PROBLEM ${problem}`);
console.log(problems.length === 0 ? '1 passed, 0 failed' : '0 passed, 1 failed');
process.exitCode = problems.length === 0 ? 0 : 1;
