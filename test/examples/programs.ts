import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { buildPackage } from '../package/build.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/** Programs that were built for one test file. */
export interface Built extends AsyncDisposable {
  /** The path of a built file. */
  file(source: string): string;
}

/** Builds the examples, apart from what else may be building, and where they find their packages. */
export async function buildExamples(): Promise<Built> {
  const cache = join(REPOSITORY, 'node_modules', '.cache');
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'examples-'));
  // Also for another user, as whom a test may run them.
  await chmod(folder, 0o755);
  // They import the package by its name, as in the repository: it is the one that they are in.
  await cp(join(REPOSITORY, 'package.json'), join(folder, 'package.json'));
  const dist = join(folder, 'dist');
  await buildPackage(dist, { declarations: false });
  return {
    file: (source) => join(dist, source.replace(/\.ts$/, '.js')),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly pid: number | undefined;
}

export interface RunOptions {
  /** Called for each line of output, while the program runs. */
  readonly onLine?: (line: string, child: ChildProcessByStdio<null, Readable, Readable>) => void;
  /** Whether a file's mode keeps root from reading it, as it keeps anybody. @default false */
  readonly obeysModes?: boolean;
  readonly env?: NodeJS.ProcessEnv;
}

/** Node.js, for root without the right to read what modes forbid. Another user would not see a checkout that is root's. */
const RIGHTS = '-dac_override,-dac_read_search';
const asOrdinary: readonly string[] =
  process.getuid?.() === 0
    ? ['setpriv', `--bounding-set=${RIGHTS}`, `--inh-caps=${RIGHTS}`, process.execPath]
    : [process.execPath];

/** Runs a program to its end. */
export function run(
  file: string,
  args: readonly string[],
  { onLine, obeysModes = false, env }: RunOptions = {},
): Promise<Ended> {
  const { promise, resolve, reject } = withResolvers<Ended>();
  const [command = '', ...first] = obeysModes ? asOrdinary : [process.execPath];
  const child = spawn(command, [...first, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  const lines: string[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    onLine?.(line, child);
  });
  child.on('error', reject);
  child.on('close', (code, signal) =>
    resolve({ code, signal, stdout: lines.map((line) => `${line}\n`).join(''), stderr, pid: child.pid }),
  );
  return promise;
}

function withResolvers<Value>() {
  let resolve!: (value: Value) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<Value>((settle, fail) => {
    resolve = settle;
    reject = fail;
  });
  return { promise, resolve, reject };
}
