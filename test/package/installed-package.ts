import { execFile, spawn } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { buildPackage } from './build.js';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const execute = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** A folder into which the package was installed, and nothing else but one driver. */
export interface InstalledPackage extends AsyncDisposable {
  readonly folder: string;
  /** Where npm puts the command. */
  readonly command: string;
}

/**
 * Builds and packs the package and unpacks it where a user would have it.
 *
 * In place of the network its dependencies come from the repository's own: each is linked beside it, so that one which
 * package.json does not name is missing here, too.
 */
export async function installPackage(): Promise<InstalledPackage> {
  const place = await mkdtemp(join(tmpdir(), 'flowstate-installed-'));
  const staging = join(place, 'staging');
  await mkdir(staging);
  const parts = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'visualizations/diagrams'];
  await Promise.all([
    buildPackage(join(staging, 'dist'), { declarations: true }),
    ...parts.map((part) => cp(join(REPOSITORY, part), join(staging, part), { recursive: true })),
  ]);
  const packing = ['pack', '--json', '--ignore-scripts', '--pack-destination', place];
  const [packed] = JSON.parse((await execute('npm', packing, { cwd: staging })).stdout) as { filename: string }[];
  const folder = join(place, 'app');
  const modules = join(folder, 'node_modules');
  const own = join(modules, 'flowstate');
  await mkdir(own, { recursive: true });
  await execute('tar', ['-xzf', join(place, packed!.filename), '-C', own, '--strip-components', '1']);
  const { dependencies, bin } = JSON.parse(await readFile(join(own, 'package.json'), 'utf8')) as Manifest;
  for (const name of [...Object.keys(dependencies), 'libsql']) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(REPOSITORY, 'node_modules', name), join(modules, name));
  }
  const command = join(modules, '.bin', 'flowstate');
  await mkdir(dirname(command));
  await chmod(join(own, bin['flowstate']!), 0o755);
  await symlink(join('..', 'flowstate', bin['flowstate']!), command);
  return { folder, command, [Symbol.asyncDispose]: () => rm(place, { recursive: true, force: true }) };
}

export interface Called {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Calling extends Promise<Called> {
  readonly pid: number;
  kill(signal: NodeJS.Signals): void;
  /** Resolves when a line with the text has been written to stderr. */
  said(text: string): Promise<void>;
  /** Calls with each piece of what is written to stdout from now on. */
  onStdout(hear: (text: string) => void): void;
}

export interface CallOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
}

/** Calls a command as a shell would. */
export function call(command: string, args: readonly string[], { cwd, env, input }: CallOptions): Calling {
  const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: 'pipe' });
  child.stdin.end(input ?? '');
  const stdout = collect(child.stdout);
  const waiting = new Map<string, () => void>();
  const lines: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    lines.push(line);
    for (const [text, tell] of waiting) if (line.includes(text)) tell();
  });
  const ended = new Promise<Called>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve({ code, signal, stdout: stdout.text, stderr: lines.map((line) => `${line}\n`).join('') }),
    );
  });
  const said = (text: string) =>
    new Promise<void>((resolve, reject) => {
      if (lines.some((line) => line.includes(text))) resolve();
      waiting.set(text, resolve);
      void ended.then(() => reject(new Error(`It ended without saying ${text}:\n${lines.join('\n')}`)));
    });
  const onStdout = (hear: (text: string) => void) => void child.stdout.on('data', hear);
  return Object.assign(ended, {
    pid: child.pid!,
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    said,
    onStdout,
  });
}

function collect(stream: Readable): { text: string } {
  const collected = { text: '' };
  stream.setEncoding('utf8').on('data', (text: string) => (collected.text += text));
  return collected;
}
