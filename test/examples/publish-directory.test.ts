import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { STEPS } from '../../examples/publish-directory/command-line.js';
import { runCommand } from '../../examples/publish-directory/command.js';
import type { Built, RunOptions } from './programs.js';
import { buildExamples, run } from './programs.js';
import { atomsIn, expectVersion, finishedIn, SOURCES, treeOf, write } from './published.js';

const MAIN = 'examples/publish-directory/main.ts';
const FILES = Object.entries(SOURCES);
/** One for each file, and the steps that are one atom each. */
const ATOMS = FILES.length + STEPS.length - 1;

/** Does something while a process stands still. One that was stopped in the middle of a commit goes on a little first. */
async function whileStopped<Result extends { readonly stderr: string }>(
  child: { kill(signal: NodeJS.Signals): boolean },
  act: () => Promise<Result>,
): Promise<Result> {
  for (;;) {
    child.kill('SIGSTOP');
    const result = await act().finally(() => child.kill('SIGCONT'));
    if (!result.stderr.includes('database is locked')) return result;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('publish-directory', () => {
  let built: Built;
  /** What a run makes of the files that nothing interrupts. */
  let uninterrupted: Record<string, string>;
  beforeAll(async () => {
    built = await buildExamples();
    const elsewhere = await mkdtemp(join(tmpdir(), 'publish-directory-'));
    await write(join(elsewhere, 'source'), FILES);
    await run(built.file(MAIN), [join(elsewhere, 'source'), '--out', join(elsewhere, 'out')]);
    uninterrupted = await treeOf(join(elsewhere, 'out', 'published'));
    await rm(elsewhere, { recursive: true });
  });
  afterAll(() => built[Symbol.asyncDispose]());

  let folder: string;
  let source: string;
  let out: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'publish-directory-'));
    source = join(folder, 'source');
    out = join(folder, 'out');
    await write(source, FILES);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const publish = (args: readonly string[] = [], options: RunOptions = {}) =>
    run(built.file(MAIN), [source, '--out', out, ...args], options);
  /** The same without a process of its own, which takes longer to start than to publish. */
  const publishHere = async (args: readonly string[] = []) => {
    const output = { text: '', write: (text: string) => (output.text += text) };
    const errors = { text: '', write: (text: string) => (errors.text += text) };
    const code = await runCommand([source, '--out', out, ...args], output, errors);
    return { code, stdout: stripVTControlCharacters(output.text), stderr: errors.text };
  };
  const published = () => treeOf(join(out, 'published'));
  const expectNothingElse = async () => {
    expect(await treeOf(join(out, 'staging'))).toEqual({});
    // SQLite may keep its journal beside the state.
    const names = (await readdir(out)).filter((name) => !name.startsWith('state.db-'));
    expect(names.sort()).toEqual(['published', 'run.html', 'staging', 'state.db']);
  };

  it('publishes every file, compressed, listed and verified', async () => {
    const { code, stdout, stderr } = await publish();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    await expectVersion(join(out, 'published', 'latest'), FILES);
    await expectNothingElse();
    expect(finishedIn(stdout)).toHaveLength(ATOMS);
    expect(stdout).toMatch(/result +published\n +version +1\n +files +6\n/);
    expect(stdout).toContain(join(out, 'published', '1'));
  });

  it('writes plain lines where there is no terminal', async () => {
    const { stdout } = await publish();
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f]/);
  });

  it('makes a new version each time, and keeps as many as it is told to', async () => {
    for (const version of [1, 2, 3]) {
      await writeFile(join(source, 'readme.md'), `Version ${version}\n`);
      expect(await publishHere(['--keep', '2'])).toMatchObject({ code: 0 });
    }
    expect((await readdir(join(out, 'published'))).sort()).toEqual(['2', '3', 'latest']);
    await expectVersion(join(out, 'published', 'latest'), [...FILES.slice(1), ['readme.md', 'Version 3\n']]);
    await expectNothingElse();
  });

  it('says by its exit code that it failed', async () => {
    expect(await publish(['--fail-at', 'verify'])).toMatchObject({ code: 1, stderr: '' });
  });

  it.each(STEPS)('failing at %s, leaves nothing behind, and what was there as it was', async (step) => {
    const args = ['--keep', '1', '--fail-at', step];
    const first = await publishHere(args);
    expect(first.code).toBe(1);
    expect(first.stdout).toContain(`Failing at ${step}, as --fail-at asks for`);
    expect(await readdir(join(out, 'published')).catch(() => [])).toEqual([]);
    expect(await treeOf(join(out, 'staging'))).toEqual({});

    await publishHere();
    const before = await published();
    await writeFile(join(source, 'readme.md'), 'changed\n');
    expect(await publishHere(args)).toMatchObject({ code: 1 });
    expect(await published()).toEqual(before);
    await expectNothingElse();
  });

  it.each([1, 4, ATOMS - 5, ATOMS - 4, ATOMS - 3, ATOMS - 2, ATOMS - 1])(
    'killed after %i atoms, goes on and executes no finished atom again',
    async (atoms) => {
      const args = ['--workers', '2', '--kill-after', String(atoms)];
      const killed = await publish(args);
      expect(killed).toMatchObject({ signal: 'SIGKILL', code: null });
      const finished = await atomsIn(out, 'SUCCESS');
      expect(finished.length).toBeGreaterThanOrEqual(atoms);
      const resumed = await publish(args);
      expect(resumed).toMatchObject({ code: 0, stderr: '' });
      expect(resumed.stdout).toContain(`${finished.length} of ${ATOMS} atoms finished`);
      const executed = finishedIn(resumed.stdout);
      expect(executed.filter((atom) => finished.includes(atom))).toEqual([]);
      expect(executed).toHaveLength(ATOMS - finished.length);
      expect(await published()).toEqual(uninterrupted);
      await expectNothingElse();
    },
  );

  it('does not touch the files of finished atoms again', async () => {
    await publish(['--kill-after', '4']);
    const compressed = (await atomsIn(out, 'SUCCESS')).filter((atom) => atom.startsWith('compress '));
    const inodes = (version: string) =>
      Promise.all(compressed.map(async (atom) => (await stat(join(version, 'files', `${atom.slice(9)}.gz`))).ino));
    const before = await inodes(join(out, 'staging', '1'));
    expect(before.length).toBeGreaterThan(0);
    await publishHere();
    expect(await inodes(join(out, 'published', '1'))).toEqual(before);
  });

  it('killed while it is reverted, goes on being reverted', async () => {
    await publishHere();
    const before = await published();
    const killed = await publish(['--fail-at', 'prune'], {
      onLine: (line, child) => {
        if (line === '  reverted publish') child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    const resumed = await publishHere();
    expect(resumed.code).toBe(1);
    expect(resumed.stdout).toContain('it failed and goes on being reverted');
    expect(resumed.stdout).toContain('Failing at prune');
    expect(await published()).toEqual(before);
    await expectNothingElse();
  });

  it('interrupted, stops and goes on', async () => {
    const interrupted = await publish(['--workers', '1'], {
      onLine: (line, child) => {
        if (line.endsWith('scan')) child.kill('SIGINT');
      },
    });
    expect(interrupted).toMatchObject({ code: 130, stderr: '' });
    expect(interrupted.stdout).toContain('interrupted; the same command goes on');
    expect(await published()).toEqual({});
    expect(await publishHere()).toMatchObject({ code: 0 });
    await expectVersion(join(out, 'published', 'latest'), FILES);
  });

  it('fails when a file changed while nobody was looking', async () => {
    await publish(['--workers', '1', '--kill-after', '1']);
    await writeFile(join(source, 'src/deep/er/c.ts'), 'export const c = 33;\n');
    const { code, stdout } = await publishHere();
    expect(code).toBe(1);
    expect(stdout).toContain('src/deep/er/c.ts could not be compressed\n  Error: it has changed since it was scanned');
    expect(await published()).toEqual({});
    await expectNothingElse();
  });

  it('fails when a compressed file is damaged', async () => {
    await publish(['--kill-after', String(ATOMS - 4)]);
    const atoms = await atomsIn(out, 'SUCCESS');
    expect(atoms).toContain('manifest');
    if (atoms.includes('verify')) return;
    await writeFile(join(out, 'staging', '1', 'files', 'readme.md.gz'), 'damaged');
    expect(await publishHere()).toMatchObject({ code: 1 });
    expect(await published()).toEqual({});
  });

  it('says which directory is missing', async () => {
    await rm(source, { recursive: true });
    expect(await publishHere()).toMatchObject({ code: 2, stderr: `There is no directory ${source}\n` });
    await writeFile(source, 'a file');
    expect(await publishHere()).toMatchObject({ code: 2, stderr: `${source} is not a directory\n` });
  });

  it('says which file is unreadable, and publishes nothing', async () => {
    await chmod(join(source, 'src/a.ts'), 0);
    const { code, stdout } = await publish([], { obeysModes: true });
    expect(stdout).toContain('compress src/a.ts failed: src/a.ts could not be compressed\n  Error: EACCES');
    expect(code).toBe(1);
    expect(await published()).toEqual({});
    await expectNothingElse();
  });

  it('lets one process at a time publish, and names it', async () => {
    let second: ReturnType<typeof publish> | undefined;
    const first = await publish([], {
      onLine: (line, child) => {
        if (second !== undefined || !line.endsWith('scan')) return;
        second = whileStopped(child, () => publish());
      },
    });
    const refused = await second;
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused?.stderr).toContain(`The process ${first.pid ?? ''} is publishing into ${out} right now`);
    expect(first).toMatchObject({ code: 0 });
    await expectVersion(join(out, 'published', 'latest'), FILES);
  });

  it('of many that are started at once, lets one publish', async () => {
    const all = await Promise.all(Array.from({ length: 4 }, () => publish()));
    const codes = all.map(({ code }) => code);
    expect(codes).toContain(0);
    expect(codes.filter((code) => code !== 0 && code !== 2)).toEqual([]);
    const versions = codes.filter((code) => code === 0).length;
    expect((await readdir(join(out, 'published'))).length).toBe(Math.min(versions, 3) + 1);
    await expectVersion(join(out, 'published', 'latest'), FILES);
  });

  it('does not begin another directory before the unfinished one is finished', async () => {
    await publish(['--kill-after', '3']);
    const finished = source;
    source = join(folder, 'another');
    await write(source, FILES);
    const { code, stderr } = await publishHere();
    expect(code).toBe(2);
    expect(stderr).toContain(`Version 1 of ${finished} is unfinished`);
  });

  it('begins nothing when it is used wrongly', async () => {
    const { code, stdout, stderr } = await publish(['--worker', '2']);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('The options are --out, --keep, --workers, --fail-at, --kill-after, --help');
    expect(await readdir(folder)).toEqual(['source']);
  });

  it('publishes names of all kinds, and says what it skips', async () => {
    const odd = [
      '__proto__',
      'constructor',
      'ünï cödé 日本/🎉 .txt',
      'a.gz',
      'new\nline\u001b[31m',
      '-dir/--out',
      'latest',
    ];
    const files = [...FILES, ...odd.map((path): [string, string] => [path, `this is ${path}`])];
    await write(source, files);
    await mkdir(join(source, 'empty folder'));
    await symlink('/etc', join(source, 'link'));
    const { code, stdout } = await publishHere();
    expect(code).toBe(0);
    expect(stdout).toContain('  skipped link: neither a file nor a directory\n');
    expect(stdout).toContain(' compress new\\nline\\x1b[31m\n');
    await expectVersion(join(out, 'published', 'latest'), files);
  });

  it('publishes an empty directory', async () => {
    await rm(source, { recursive: true });
    await mkdir(source);
    expect(await publishHere()).toMatchObject({ code: 0 });
    await expectVersion(join(out, 'published', 'latest'), []);
    expect(await publishHere(['--fail-at', 'compress'])).toMatchObject({ code: 2 });
  });

  it('leaves its own output out', async () => {
    out = join(source, 'out');
    await publishHere();
    expect(await publishHere()).toMatchObject({ code: 0 });
    await expectVersion(join(out, 'published', 'latest'), FILES);
  });

  it('tries again what could not be reverted', async () => {
    await publish(['--kill-after', String(ATOMS - 1)]);
    expect(await atomsIn(out, 'SUCCESS')).toContain('latest');
    // In the way of the version that is to be moved back.
    const obstacle = join(out, 'staging', '1');
    await write(obstacle, [['in-the-way', '']]);
    const stuck = await publishHere(['--fail-at', 'prune']);
    expect(stuck.code).toBe(3);
    expect(stuck.stdout).toContain('Not everything could be reverted');
    await unlink(join(obstacle, 'in-the-way'));
    const again = await publishHere();
    expect(again.code).toBe(1);
    expect(await published()).toEqual({});
    await expectNothingElse();
  });

  describe('on a full disk', () => {
    const kilobytes = 2600;
    let isMounted = false;
    beforeEach(async () => {
      await mkdir(out);
      try {
        execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kilobytes}k`, 'tmpfs', out], { stdio: 'pipe' });
        isMounted = true;
      } catch {
        isMounted = false;
      }
    });
    afterEach(() => {
      if (isMounted) execFileSync('umount', [out]);
    });

    it('reverts everything and says so', async ({ skip }) => {
      if (!isMounted) {
        console.warn('SKIPPED: a full disk needs a small file system, which only root can mount');
        skip();
      }
      const incompressible = Array.from({ length: 40 }, (_, index): [string, string] => [
        `${index}.txt`,
        Array.from({ length: 2000 }, (__, at) => Math.sin(index * 2000 + at)).join(),
      ]);
      await write(source, incompressible);
      const { code, stdout } = await publish();
      expect(stdout).toMatch(/ENOSPC|is full/);
      expect(stdout).toContain('Everything was reverted');
      expect(code).toBe(1);
      expect(await published()).toEqual({});
      await expectNothingElse();
    });

    it('does not begin without any room', async ({ skip }) => {
      if (!isMounted) skip();
      await writeFile(join(out, 'ballast'), Buffer.alloc((kilobytes - 300) * 1024));
      const { code, stderr } = await publish();
      expect(code).toBe(2);
      expect(stderr).toContain('ENOSPC');
    });
  });
});
