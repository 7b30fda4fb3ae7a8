/**
 * `npm run check`: every `check:…` script of package.json, one after the other, each with its time.
 *
 * All are run, also after one has failed, so that one run tells everything. A name chooses: `npm run check -- lint`; and
 * `npm run check -- --except lint` runs all others.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
const known = Object.keys(scripts).filter((name) => name.startsWith('check:'));
const isExcept = process.argv[2] === '--except';
const named = process.argv.slice(isExcept ? 3 : 2).map((name) => `check:${name}`);
const unknown = named.find((name) => !known.includes(name));
if (unknown !== undefined) {
  throw new Error(`There is no script ${unknown}; there are ${known.join(', ')}`);
}

const chosen = isExcept ? known.filter((name) => !named.includes(name)) : named.length === 0 ? known : named;
const results = chosen.map((name) => {
  console.log(`\n── ${name} ──`);
  const started = performance.now();
  const { status } = spawnSync('npm', ['run', '--silent', name], { stdio: 'inherit' });
  return { name, passed: status === 0, seconds: (performance.now() - started) / 1000 };
});

console.log('\n── check ──');
for (const { name, passed, seconds } of results) {
  console.log(`${passed ? 'passed' : 'FAILED'}  ${seconds.toFixed(1).padStart(5)} s  ${name}`);
}
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
