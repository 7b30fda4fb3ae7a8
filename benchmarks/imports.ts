import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from './table.js';

export const USAGE = `npm run bench -- import [--repeats 15]

What it takes to import flowstate in a new process, beside a process that imports nothing, and one that imports xstate.
The processes take turns. Files are those of the whole import, with those of other packages.`;

const require = createRequire(import.meta.url);
const urlOf = (path: string) => pathToFileURL(path).href;

/** What is imported, by name; null for nothing. */
const SUBJECTS = {
  nothing: null,
  xstate: urlOf(require.resolve('xstate')),
  flowstate: import.meta.resolve('flowstate'),
  'flowstate/machines': import.meta.resolve('flowstate/machines'),
} as const;
type Subject = keyof typeof SUBJECTS;

/** Measures imports, and prints them as a table. @returns the exit code. */
export function measureImports(args: readonly string[]): number {
  const { values } = parseArgs({
    args: [...args],
    options: { repeats: { type: 'string', default: '15' }, help: { type: 'boolean', default: false } },
  });
  const repeats = Number(values.repeats);
  if (values.help || !Number.isSafeInteger(repeats) || repeats < 1) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const subjects = Object.keys(SUBJECTS) as Subject[];
  const times = new Map<Subject, number[]>(subjects.map((subject) => [subject, []]));
  for (let round = 0; round <= repeats; round++) {
    for (const subject of subjects) {
      const ms = timeOf(subject);
      // The first round fills the caches of the system.
      if (round > 0) times.get(subject)?.push(ms);
    }
  }
  const median = (subject: Subject) => {
    const sorted = (times.get(subject) ?? []).toSorted((left, right) => left - right);
    return sorted[Math.floor(sorted.length / 2)] ?? NaN;
  };
  const own = (subject: Subject) => median(subject) - median('nothing');
  const rows = subjects.map((subject) => [
    subject,
    median(subject).toFixed(1),
    own(subject).toFixed(1),
    (median(subject) / median('nothing')).toFixed(2),
    subject === 'nothing' ? '' : (own(subject) / own('xstate')).toFixed(2),
    String(filesOf(subject)),
  ]);
  console.log(table(['import', 'process ms', 'import ms', '× nothing', '× xstate', 'files'], rows, 1));
  return 0;
}

/** How long a process takes that imports it, in milliseconds. */
function timeOf(subject: Subject): number {
  const began = performance.now();
  run(subject, {});
  return performance.now() - began;
}

/** How many files are loaded. */
function filesOf(subject: Subject): number {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-imports-'));
  try {
    run(subject, { NODE_V8_COVERAGE: folder });
    const files = new Set<string>();
    for (const name of readdirSync(folder)) {
      const { result } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as { result: { url: string }[] };
      for (const { url } of result) if (url.startsWith('file:')) files.add(url);
    }
    return files.size;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function run(subject: Subject, env: Readonly<Record<string, string>>): void {
  const url = SUBJECTS[subject];
  const text = url === null ? '0' : `import(${JSON.stringify(url)})`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', text], { env: { ...process.env, ...env } });
  if (status !== 0) throw new Error(`${subject} cannot be imported: ${String(stderr)}`);
}
