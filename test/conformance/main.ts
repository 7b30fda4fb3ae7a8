import { CasePool } from './case-pool.js';
import { readCaseDirectory } from './case.js';
import { readCommandLine, USAGE } from './options.js';

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

async function main(): Promise<void> {
  const options = readCommandLine(process.argv.slice(2));
  const pool = new CasePool(options);
  const crashes = new CrashSummary();
  let passed = 0;
  let failed = 0;
  for (const entry of readCaseDirectory(options.directory).filter(({ title }) => title.includes(options.filter))) {
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
