/**
 * Packs what is built into one file, as `npm publish` would, and refuses files that users have no use for.
 *
 * `node scripts/pack.mjs FILE`: `check:package` lets other tools look at FILE.
 */
import { execFileSync } from 'node:child_process';
import { renameSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const EXPECTED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^dist\/package\/[a-z-]+\.js(\.map)?$/,
  /^dist\/(src|machines|visualizations)\/.+\.d\.ts$/,
  /^visualizations\/diagrams\//,
  /^schemas\/[a-z-]+\.json$/,
];
const REQUIRED = ['README.md', 'LICENSE', 'CHANGELOG.md'];

const target = process.argv[2];
if (target === undefined) throw new Error('pack.mjs takes the file to write');

// Without scripts: `prepack` would empty dist/ under the feet of whatever else is running.
const options = ['--json', '--ignore-scripts', '--pack-destination', dirname(target)];
const [packed] = JSON.parse(execFileSync('npm', ['pack', ...options], { encoding: 'utf8' }));
renameSync(join(dirname(target), packed.filename), target);

/** @type {string[]} */
const paths = packed.files.map((/** @type {{ path: string }} */ file) => file.path);
const surplus = paths.filter((path) => !EXPECTED.some((pattern) => pattern.test(path)));
const missing = REQUIRED.filter((path) => !paths.includes(path));
for (const path of surplus) console.error(`The package should not have ${path}`);
for (const path of missing) console.error(`The package lacks ${path}`);
console.log(`${basename(target)}: ${paths.length} files, ${Math.ceil(packed.size / 1024)} kB`);
process.exitCode = surplus.length + missing.length === 0 ? 0 : 1;
