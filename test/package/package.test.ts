import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InstalledPackage } from './installed-package.js';
import { installPackage } from './installed-package.js';

const DOORS = ['flowstate', 'flowstate/machines', 'flowstate/visualizations', 'flowstate/testing'];
const execute = promisify(execFile);

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await installPackage();
  await writeFile(join(installed.folder, 'package.json'), '{ "type": "module" }');
}, 180_000);
afterAll(() => installed[Symbol.asyncDispose]());

/** Runs a program that has installed the package. @returns what it printed, as JSON. */
async function run(name: string, text: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const file = join(installed.folder, name);
  await writeFile(file, text);
  const { stdout } = await execute(process.execPath, [file], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

/** The files that a process loads which imports this: how many of the package, and of which other packages. */
async function loadedWith(door: string): Promise<{ files: number; packages: string[] }> {
  const coverage = join(installed.folder, `loaded-${door.replace('/', '-')}`);
  await mkdir(coverage);
  await run('loads.js', `import '${door}'; console.log(0);`, { NODE_V8_COVERAGE: coverage });
  const [report = ''] = await readdir(coverage);
  const { result } = JSON.parse(await readFile(join(coverage, report), 'utf8')) as { result: { url: string }[] };
  const paths = result.filter(({ url }) => url.startsWith('file:')).map(({ url }) => fileURLToPath(url));
  const packages = paths.map((path) => /.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? '');
  return {
    files: packages.filter((name) => name === 'flowstate').length,
    packages: [...new Set(packages)].filter((name) => name !== 'flowstate' && name !== '').sort(),
  };
}

describe('the package', { timeout: 60_000 }, () => {
  it('is a few files, and imports no package before it needs it', async () => {
    const { files, packages } = await loadedWith('flowstate');
    expect(files).toBeLessThanOrEqual(5);
    expect(packages).toEqual(['@dagrejs/graphlib', 'devalue', 'immer', 'mitt', 'xstate']);
  });

  it('has machines that need nothing but XState', async () => {
    const { files, packages } = await loadedWith('flowstate/machines');
    expect(files).toBeLessThanOrEqual(3);
    expect(packages).toEqual(['xstate']);
  });

  it('exports what the sources export, and its classes have their names', async () => {
    const sources = await Promise.all([
      import('../../src/index.js'),
      import('../../machines/index.js'),
      import('../../visualizations/index.js'),
      import('../../src/testing/index.js'),
    ]);
    const namesOf = (exports: object) =>
      Object.entries(exports)
        .map(([name, value]) => [name, typeof value === 'function' ? (value as { name: string }).name : typeof value])
        .sort(([left = ''], [right = '']) => (left < right ? -1 : 1));
    const text = `${DOORS.map((door, at) => `import * as door${at} from '${door}';`).join('\n')}
      const namesOf = ${String(namesOf)};
      console.log(JSON.stringify([${DOORS.map((_, at) => `door${at}`).join()}].map(namesOf)));`;
    expect(await run('names.js', text)).toEqual(sources.map((exports) => namesOf(exports)));
  });

  const TASKS = `import { NotFoundError, registerErrorClass, task } from 'flowstate';
    registerErrorClass(NotFoundError);
    export const seek = task({ name: 'seek', execute: () => { throw new NotFoundError('no such seat'); } });`;

  it('is one package, whichever part of it is imported', async () => {
    await writeFile(join(installed.folder, 'tasks.js'), TASKS);
    const text = `
      import { UncrossableValueError } from 'flowstate';
      import { assertTaskCanCross } from 'flowstate/testing';
      import { seek } from './tasks.js';
      const options = { taskModules: [new URL('./tasks.js', import.meta.url)], result: () => 'a function' };
      const error = await assertTaskCanCross(seek, options).catch((error) => error);
      console.log(JSON.stringify([error.name, error instanceof UncrossableValueError]));`;
    expect(await run('one.js', text)).toEqual(['UncrossableValueError', true]);
  });

  it.each(['workerThreads', 'childProcess'])('runs tasks with %s, where it is the same package', async (executor) => {
    await writeFile(join(installed.folder, 'tasks.js'), TASKS);
    const text = `
      import { engines, linear, NotFoundError } from 'flowstate';
      import { seek } from './tasks.js';
      const engine = await engines.load(linear('trip').add(seek), {
        engine: 'parallel', executor: '${executor}', taskModules: [new URL('./tasks.js', import.meta.url)], maxWorkers: 1,
      });
      const error = await engine.run().catch((error) => error);
      await engine.close();
      console.log(JSON.stringify([String(error), error instanceof NotFoundError]));`;
    expect(await run('pooled.js', text)).toEqual(['NotFoundError: no such seat', true]);
  });
});
