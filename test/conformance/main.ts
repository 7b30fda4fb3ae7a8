import { CasePool } from './case-pool.js';
import { readCaseDirectory } from './case.js';
import type { Entry } from './case.js';
import { newPlace } from '../servers/place.js';
import { seededRandom } from '../../src/testing/seeded-random.js';
import { readCommandLine, USAGE } from './options.js';
import type { CommandLine } from './options.js';
import { sample } from './random.js';

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' | ');
}

/** What is said of crashes beside the cases themselves. */
class CrashSummary {
  #points = 0;
  #resumed = 0;
  readonly #notes = new Map<string, number>();

  add({
    points,
    resumed,
    note,
  }: {
    readonly points: number;
    readonly resumed: number;
    readonly note: string | null;
  }): void {
    this.#points += points;
    this.#resumed += resumed;
    if (note !== null) this.#notes.set(note, (this.#notes.get(note) ?? 0) + 1);
  }

  print(): void {
    for (const [note, cases] of this.#notes) console.log(`${cases} cases not crashed in full: ${note}`);
    console.log(`${this.#points} crash points, ${this.#resumed} resumed to the same end`);
  }
}

/** The cases that are asked for, in their order. */
function casesOf({ directory, filter, sample: count, seed }: CommandLine): Entry[] {
  const all = readCaseDirectory(directory).filter(({ title }) => title.includes(filter));
  if (count === null) return all;
  const taken = new Set(sample(all, count, seededRandom(seed)));
  console.log(`${taken.size} of ${all.length} cases, with the seed ${seed}`);
  return all.filter((entry) => taken.has(entry));
}

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2));
  const place = options.backend === undefined ? null : await newPlace(options.backend);
  try {
    await runCases({ ...options, backend: place?.url ?? options.backend });
  } finally {
    await place?.drop();
  }
}

async function runCases(options: CommandLine): Promise<void> {
  const pool = new CasePool(options);
  const crashes = new CrashSummary();
  let passed = 0;
  let failed = 0;
  for (const entry of casesOf(options)) {
    const verdict = 'test' in entry ? await pool.judge(entry.test) : { reasons: [entry.problem], crashes: null };
    if (verdict.crashes !== null) crashes.add(verdict.crashes);
    const [first, ...others] = verdict.reasons;
    if (first === undefined) passed += 1;
    else {
      failed += 1;
      const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
      console.log(`FAIL ${oneLine(entry.title)}: ${oneLine(first)}${more}`);
    }
  }
  await pool.close();
  if (options.crash !== null) crashes.print();
  if (passed + failed === 0) console.log(`There is no case in ${options.directory}`);
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
  console.log(`${passed} passed, ${failed} failed`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof TypeError ? `${error.message}\n\n${USAGE}` : error);
  console.log('0 passed, 1 failed');
  process.exitCode = 2;
}
