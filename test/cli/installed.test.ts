import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/cli/exit-codes.js';
import { Screen } from '../listeners/screen.js';
import { openGate, PASS } from './gate.js';
import type { Gate } from './gate.js';
import { call, installPackage } from '../package/installed-package.js';
import type { Called, InstalledPackage } from '../package/installed-package.js';
import { transcriptOf, withoutChance } from './transcript.js';

/** What a user would write: it says on stderr what it does, and can be told to fail and to wait. */
const TRIP = `${PASS}
import { linear, task } from 'flowstate';

const say = (text) => process.stderr.write(text + '\\n');
const reserve = (version) => task({
  name: 'reserve',
  version,
  requires: ['flight'],
  provides: 'seat',
  execute: ({ flight }) => (say('do reserve'), \`12A on \${flight}\`),
  revert: () => say('undo reserve'),
});
const pay = task({
  name: 'pay',
  requires: ['seat'],
  provides: 'receipt',
  execute: async ({ seat }) => {
    say('do pay');
    console.log('paying');
    await pass('pay');
    if (process.env.FAIL !== undefined) throw new Error('the card was declined');
    return \`paid for \${seat}\`;
  },
});
const mail = task({ name: 'mail', requires: ['receipt'], execute: () => say('do mail') });

export default linear('trip').add(reserve('1.0'), pay, mail);
export const rebooked = () => linear('trip').add(reserve('2.0'), pay, mail);
export const to = (place, { via }) => linear('trip').add(
  task({ name: 'go', provides: 'way', execute: () => \`to \${place} via \${via}\` }),
);
`;

interface RunDocument {
  readonly run: string;
  readonly state: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly failures: readonly { readonly atom: string; readonly failure: { readonly message: string } }[];
  readonly resume?: string;
}

// Each test starts processes, which takes long on a machine that is busy.
describe('the command of the installed package', { timeout: 120_000 }, () => {
  let installed: InstalledPackage;
  beforeAll(async () => {
    installed = await installPackage();
    await writeFile(join(installed.folder, 'package.json'), '{ "type": "module" }');
    await writeFile(join(installed.folder, 'trip.js'), TRIP);
  }, 180_000);
  afterAll(() => installed[Symbol.asyncDispose]());

  let folder: string;
  let gate: Gate;
  let env: Record<string, string>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'flowstate-cli-'));
    gate = await openGate(folder);
    env = { XDG_RUNTIME_DIR: folder, FLOWSTATE_BACKEND: `sqlite:${join(folder, 'runs.db')}` };
  });
  afterEach(async () => {
    await gate[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  const flowstate = (args: readonly string[], more: Record<string, string> = {}, input?: string) =>
    call(installed.command, args, {
      cwd: installed.folder,
      env: { ...env, ...more },
      ...(input === undefined ? {} : { input }),
    });
  const documentOf = ({ stdout }: Called) => JSON.parse(stdout) as RunDocument;
  const begin = (...args: string[]) =>
    flowstate(['run', 'trip.js', '--store', 'flight=LH 400', ...args], { GATE: gate.path });

  it('runs a flow, and says what it provides', async () => {
    const { code, stdout, stderr } = await flowstate(['run', 'trip.js', '--store', 'flight=LH 400']);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "paying\nflight: 'LH 400'\nseat: '12A on LH 400'\nreceipt: 'paid for 12A on LH 400'\n",
    });
    expect(stderr).toMatch(/ {2}1\/3 reserve\n[^]* {2}2\/3 pay\n[^]* {2}3\/3 mail\ntrip SUCCESS: 3 of 3 done/);
  });

  it('keeps runs beside where it is called, unless told otherwise', async () => {
    const { code } = await call(installed.command, ['run', join(installed.folder, 'trip.js'), '--store', 'flight=1'], {
      cwd: folder,
      env: { XDG_RUNTIME_DIR: folder },
    });
    expect(code).toBe(0);
    expect(await readdir(folder)).toContain('flowstate.db');
    const { stdout } = await flowstate(['ls', '--backend', `sqlite:${join(folder, 'flowstate.db')}`]);
    expect(stdout).toMatch(/^[\da-f-]{36} {2}SUCCESS {2}.* {2}trip\n$/);
  });

  it('answers with one document, whatever tasks print', async () => {
    const called = await flowstate(['run', 'trip.js', '--store', 'flight=LH 400', '--json', '--quiet']);
    expect(called.code).toBe(0);
    expect(called.stderr).toBe('do reserve\ndo pay\npaying\ndo mail\n');
    expect(documentOf(called)).toMatchObject({
      state: 'SUCCESS',
      results: { flight: 'LH 400', seat: '12A on LH 400', receipt: 'paid for 12A on LH 400' },
      failures: [],
    });
  });

  it('calls a function that makes a flow with arguments, and runs tasks in threads', async () => {
    const made = await flowstate(['run', 'trip.js#to', '--arg', 'Rome', '--arg', '{"via":"Bern"}', '--json']);
    expect(documentOf(made).results).toEqual({ way: 'to Rome via Bern' });
    const tasks = `import { linear, task } from 'flowstate';
      import { isMainThread } from 'node:worker_threads';
      export const where = task({ name: 'where', provides: 'isMain', execute: () => isMainThread });
      export default linear('threads').add(where);`;
    await writeFile(join(installed.folder, 'threads.js'), tasks);
    const threaded = await flowstate(['run', 'threads.js', '--executor', 'workerThreads', '--json']);
    expect(documentOf(threaded).results).toEqual({ isMain: false });
  });

  it('fails with the failure, its place in the flow, and exit code 1 when all was reverted', async () => {
    const called = await flowstate(['run', 'trip.js', '--store', 'flight=LH 400', '--json', '--values'], { FAIL: '1' });
    expect(called.code).toBe(1);
    const { state, failures } = documentOf(called);
    expect({ state, failures }).toMatchObject({
      state: 'REVERTED',
      failures: [{ atom: 'pay', failure: { message: 'the card was declined' } }],
    });
    expect(called.stderr).toContain('pay failed: Error: the card was declined\n');
    expect(called.stderr).toContain("requires: { flight: 'LH 400' }, provides: '12A on LH 400'");
  });

  it('begins nothing without the values that the flow needs', async () => {
    const { code, stderr } = await flowstate(['run', 'trip.js']);
    expect(code).toBe(2);
    expect(stderr).toContain('The flow lacks values: give them with --store NAME=VALUE');
    expect(await readdir(folder)).toEqual(['gate.sock']);
  });

  it.each([
    [['rnu', 'trip.js'], '(Did you mean run?)'],
    [['run', 'trip.js#rebookd'], 'did you mean rebooked?'],
    [['run', 'tripp.js'], 'There is no module'],
    [['show', 'trip'], 'There are no runs'],
  ])('%j is refused with what may be meant, and exit code 2', async (args, hint) => {
    const { code, stdout, stderr } = await flowstate(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(hint);
  });

  it('suspends on Ctrl-C, and says how to go on', async () => {
    const running = begin('--json');
    const at = await gate.arrival('pay');
    running.kill('SIGINT');
    await running.said('Suspending');
    at.open();
    const called = await running;
    expect(called.code).toBe(130);
    const { run, state, resume } = documentOf(called);
    expect({ state, resume }).toEqual({ state: 'SUSPENDED', resume: `flowstate resume ${run}` });
    const resumed = await flowstate(resume!.split(' ').slice(1));
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).not.toContain('do pay');
    expect(resumed.stderr).toContain('do mail');
  });

  it('leaves at once on the second Ctrl-C, and can be resumed', async () => {
    const running = begin();
    await gate.arrival('pay');
    running.kill('SIGINT');
    await running.said('Suspending');
    running.kill('SIGINT');
    const called = await running;
    expect(called).toMatchObject({ code: 130, signal: null, stdout: 'paying\n' });
    const [, uuid] = /Go on with: flowstate resume (\S+)/.exec(called.stderr) ?? [];
    const resumed = await flowstate(['resume', uuid!]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain('do pay\n');
    expect(resumed.stderr).not.toContain('do reserve');
  });

  it('ends with 143 when it is told to terminate', async () => {
    const running = begin();
    const at = await gate.arrival('pay');
    running.kill('SIGTERM');
    await running.said('Suspending');
    at.open();
    expect(await running).toMatchObject({ code: 143 });
  });

  it('resumes a run whose process was killed, and repeats nothing that has finished', async () => {
    const running = begin();
    await gate.arrival('pay');
    running.kill('SIGKILL');
    expect(await running).toMatchObject({ signal: 'SIGKILL' });
    const shown = await flowstate(['show', 'trip', '--json']);
    expect(documentOf(shown)).toMatchObject({
      state: 'RUNNING',
      module: join(installed.folder, 'trip.js'),
      atoms: [
        { name: 'reserve', state: 'SUCCESS' },
        { name: 'pay', state: 'RUNNING' },
        { name: 'mail', state: 'PENDING' },
      ],
    });
    const nobody = await flowstate(['suspend', 'trip']);
    expect(nobody.code).toBe(1);
    expect(nobody.stdout).toContain('no process that can be reached from here runs it');
    const { code, stderr } = await flowstate(['resume', 'trip']);
    expect(code).toBe(0);
    expect(stderr.match(/^do .*$/gm)).toEqual(['do pay', 'do mail']);
  });

  it('suspends a run of another process, which ends with 4', async () => {
    const running = begin('--json');
    const at = await gate.arrival('pay');
    const suspending = flowstate(['suspend', 'trip', '--json']);
    await suspending.said(`The process ${running.pid} lets`);
    at.open();
    const suspended = await suspending;
    expect(suspended.code).toBe(0);
    expect(documentOf(suspended)).toMatchObject({ pid: running.pid, asked: true, state: 'SUSPENDED' });
    const called = await running;
    expect(called.code).toBe(4);
    expect(documentOf(called)).toMatchObject({ state: 'SUSPENDED' });
  });

  it('cancels a run of another process, which undoes it', async () => {
    const running = begin();
    const at = await gate.arrival('pay');
    const refused = await flowstate(['resume', 'trip']);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain(`is being run by the process ${running.pid}`);
    const cancelling = flowstate(['cancel', 'trip']);
    await cancelling.said(`The process ${running.pid} undoes it`);
    at.open();
    expect(await cancelling).toMatchObject({ code: 0, stdout: 'Cancelled: everything was reverted\n' });
    const called = await running;
    expect(called.code).toBe(1);
    expect(called.stderr).toContain('undo reserve\n');
  });

  it('looks at a run that was suspended: ls, show, why, explain, journal, graph, inspect', async () => {
    const running = begin('--json', '--quiet');
    const at = await gate.arrival('pay');
    await flowstate(['suspend', 'trip', '--no-wait']);
    at.open();
    const { run } = documentOf(await running);

    const listed = await flowstate(['ls', '--state', 'SUSPENDED', '--json']);
    expect(JSON.parse(listed.stdout)).toMatchObject([{ run, flow: 'trip', state: 'SUSPENDED' }]);
    const shown = await flowstate(['show', run.slice(0, 8), '--values']);
    expect(shown.stdout).toContain('trip (linear) SUSPENDED\n├─ reserve SUCCESS');
    expect(shown.stdout).toMatch(/├─ pay SUCCESS .* → 'paid for 12A on LH 400'\n└─ mail PENDING\n$/);
    expect((await flowstate(['why', run])).stdout).toBe('mail waits: the run is suspended\n');
    const explained = await flowstate(['explain', run, 'mail', 'receipt']);
    expect(explained.stdout).toMatch(/^receipt of mail comes from pay\n/);
    const told = await flowstate(['journal', run, '--atom', 'pay']);
    expect(told.stdout).toMatch(/task pay {2}RUNNING → SUCCESS/);
    const drawn = await flowstate(['graph', run]);
    expect(drawn.stdout).toMatch(/^flowchart TB\n[^]*reserve[^]*SUCCESS/);
    const page = await flowstate(['inspect', run, '--save', join(folder, 'trip.html')]);
    expect(page.code).toBe(0);
    expect(await readFile(join(folder, 'trip.html'), 'utf8')).toMatch(/^<!doctype html>/i);
    const serving = flowstate(['inspect', run]);
    await serving.said('Ctrl-C ends it');
    serving.kill('SIGINT');
    const served = await serving;
    expect(served).toMatchObject({ code: 0, signal: null });
    expect(served.stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\n$/);
    const written = await flowstate(['graph', 'trip.js', '--format', 'svg', '--output', join(folder, 'trip.svg')]);
    expect(written.code).toBe(0);
    expect(await readFile(join(folder, 'trip.svg'), 'utf8')).toMatch(/^<svg /);
  });

  it('checks stored runs against a changed flow, with an exit code for CI', async () => {
    const running = begin('--json', '--quiet');
    const at = await gate.arrival('pay');
    await flowstate(['suspend', 'trip', '--no-wait']);
    at.open();
    const { run } = documentOf(await running);
    const same = await flowstate(['check', 'trip.js', run]);
    expect(same).toMatchObject({ code: 0 });
    expect(same.stdout).toContain('can go on\n  nothing is different');
    const changed = await flowstate(['check', 'trip.js#rebooked', '--json']);
    expect(changed.code).toBe(1);
    expect(documentOf(changed)).toMatchObject({
      needsConsent: true,
      runs: [{ run, needsConsent: true, difference: { reversioned: [{ name: 'reserve', classed: 'needsConsent' }] } }],
    });
    const refused = await flowstate(['resume', run, '--module', 'trip.js#rebooked']);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('! reversioned task reserve (SUCCESS): was 1.0, is 2.0');
    expect((await flowstate(['resume', run, '--module', 'trip.js#rebooked', '--accept-plan'])).code).toBe(0);
  });

  it('exports, prunes and imports runs, and upgrades a store', async () => {
    const { run } = documentOf(await flowstate(['run', 'trip.js', '--store', 'flight=1', '--json']));
    const file = join(folder, 'trip.json');
    expect((await flowstate(['export', run, '--output', file])).code).toBe(0);
    const dry = await flowstate(['prune', '--older-than', '0s', '--dry-run', '--json']);
    expect(JSON.parse(dry.stdout)).toMatchObject({ dryRun: true, runs: [{ run }] });
    expect((await flowstate(['prune', '--older-than', '0s', '--empty-books'])).code).toBe(0);
    expect((await flowstate(['ls', '--json'])).stdout).toBe('[]\n');

    const other = ['--backend', `dir:${join(folder, 'runs')}`];
    expect((await flowstate(['upgrade', ...other, '--json'])).code).toBe(0);
    const imported = await flowstate(['import', '-', ...other], {}, await readFile(file, 'utf8'));
    expect(imported).toMatchObject({ code: 0, stdout: `${run}  SUCCESS  trip\n` });
    expect((await flowstate(['import', file, ...other])).code).toBe(2);
    expect((await flowstate(['show', run, ...other])).stdout).toContain('trip (linear) SUCCESS');
  });

  it('draws progress on a terminal, below what tasks print', async () => {
    const command = `${installed.command} run trip.js --store flight=1`;
    const running = call('script', ['-qec', command, '/dev/null'], {
      cwd: installed.folder,
      env: { ...env, TERM: 'xterm', GATE: gate.path },
    });
    const screen = new Screen();
    let isDrawn = () => {};
    const drawn = new Promise<void>((resolve) => (isDrawn = resolve));
    running.onStdout((text) => {
      screen.write(text);
      if (screen.lines.some((line) => line.includes('1/3  trip RUNNING'))) isDrawn();
    });
    const at = await gate.arrival('pay');
    await drawn;
    expect(screen.lines.some((line) => /^[█░]{20} 33 %/.test(line))).toBe(true);
    at.open();
    expect(await running).toMatchObject({ code: 0 });
    const [first, ...lines] = screen.lines;
    expect(first).toMatch(/^Run /);
    expect(lines).toEqual([
      'do reserve',
      'do pay',
      'paying',
      'do mail',
      expect.stringMatching(/^trip SUCCESS: 3 of 3 done, in /),
      'flight: 1',
      "seat: '12A on 1'",
      "receipt: 'paid for 12A on 1'",
      '',
    ]);
  });

  it('prints what the README says', async () => {
    const { files, steps, text } = await transcriptOf('On the command line');
    expect(steps.length).toBeGreaterThan(3);
    const place = join(installed.folder, 'readme');
    await mkdir(place);
    for (const [name, code] of files) await writeFile(join(place, name), code);
    const promised: string[] = [];
    const seen: string[] = [];
    const PATH = `${dirname(installed.command)}:${process.env['PATH'] ?? ''}`;
    for (const { command, output } of steps) {
      // The README's uuids stand for those of this run, in the order in which they come.
      const typed = command.replaceAll(/[\da-f-]{36}/g, (uuid) => seen[promised.indexOf(uuid)] ?? uuid);
      const { stdout } = await call('sh', ['-c', `${typed} 2>&1`], {
        cwd: place,
        env: { PATH, XDG_RUNTIME_DIR: folder },
      });
      expect(withoutChance(stdout, seen)).toBe(withoutChance(output, promised));
    }
    for (const code of Object.values(EXIT)) expect(text).toMatch(new RegExp(`^\\| (?:\\d+, )?${code}\\b`, 'm'));
    for (const name of Array.from(
      (await flowstate(['--help'])).stdout.matchAll(/^ {2}([a-z]+) .*$/gm),
      ([, command]) => command,
    )) {
      if (name !== 'help') expect(text).toMatch(new RegExp(`^\\| .*\`${name}\\b`, 'm'));
    }
  });

  it('says why a module cannot be loaded: TypeScript, another copy of flowstate, an error in it', async () => {
    const refused = async (name: string, code: string) => {
      await writeFile(join(installed.folder, name), code);
      const { code: exit, stderr } = await flowstate(['run', name]);
      expect(exit).toBe(2);
      return stderr;
    };
    expect(await refused('trip.ts', 'enum Nothing { erasable }\nexport default 1;')).toContain(
      'loads TypeScript only as far as it can by itself',
    );
    expect(await refused('broken.js', "throw new Error('no such airline');")).toMatch(
      /^The module .*broken\.js cannot be loaded\n {2}Error: no such airline\n$/,
    );
    const copy = join(installed.folder, 'node_modules', 'copy');
    await cp(join(installed.folder, 'node_modules', 'flowstate'), copy, { recursive: true });
    expect(await refused('foreign.js', "import { linear } from 'copy';\nexport default linear('trip');")).toContain(
      'uses another copy of flowstate than this command',
    );
  });

  it('shows its help and its version', async () => {
    const help = await flowstate(['--help']);
    expect(help).toMatchObject({ code: 0, stderr: '' });
    for (const text of ['sqlite:flowstate.db', 'FLOWSTATE_BACKEND', 'Exit codes', '  130  stopped by Ctrl-C']) {
      expect(help.stdout).toContain(text);
    }
    const { version } = JSON.parse(
      await readFile(join(installed.folder, 'node_modules/flowstate/package.json'), 'utf8'),
    ) as {
      version: string;
    };
    expect((await flowstate(['--version'])).stdout).toBe(`${version}\n`);
  });
});
