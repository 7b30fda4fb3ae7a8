import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engines, linear, persistence, task } from '../../src/index.js';
import { Desk } from './called.js';
import type { RunAnswer } from './called.js';
import { forget, hooks } from './fixtures/trip.js';

const desk = Desk.forEach();
const run = (...args: string[]) => desk.run(...args);
const runSuspended = () => desk.runSuspended();

describe('a run', () => {
  it('is found by the beginning of its uuid, in any letters, and by the name of its flow', async () => {
    const { run: uuid } = await run();
    for (const text of [uuid, uuid.slice(0, 5).toUpperCase(), 'trip']) {
      expect(await desk.ask(['show', text])).toMatchObject({ run: uuid });
    }
  });

  it('that is not the only one of its name is listed with the others', async () => {
    const uuids = [await run(), await run()].map(({ run: uuid }) => uuid);
    const { code, stderr } = await desk.call(['show', 'trip']);
    expect(code).toBe(2);
    expect(stderr).toContain('trip may mean 2 runs:\n');
    for (const uuid of uuids) expect(stderr).toContain(`  ${uuid}  trip  SUCCESS  `);
  });

  it('is not taken for one whose uuid begins with the name of the flow, but for one that begins like it', async () => {
    const { run: uuid } = await run();
    await using store = await persistence.backend(desk.store);
    const book = persistence.newLogBook({ name: 'locks' });
    const names = [`trip-lock`, uuid.slice(0, 3)];
    const flows = names.map((name, at) => persistence.newFlowDetail({ name, uuid: at === 0 ? name : 'other' }));
    const connection = await store.getConnection();
    await connection.saveLogbook({ ...book, flows });
    await connection.close();
    expect(await desk.ask(['show', 'trip'])).toMatchObject({ run: uuid });
    expect(await desk.ask(['show', 'trip-l'])).toMatchObject({ run: 'trip-lock' });
    expect((await desk.call(['show', uuid.slice(0, 3)])).stderr).toContain('may mean 2 runs');
  });

  it('that is not there is told from the nearest that is', async () => {
    await run();
    expect((await desk.call(['show', 'trap'])).stderr).toContain('There is no run "trap"; did you mean trip?');
    expect((await desk.call(['show', 'zzz'])).stderr).toContain('There is no run "zzz": see flowstate ls');
    expect((await desk.call(['show', ''])).stderr).toContain('A run takes its uuid');
  });
});

describe('ls', () => {
  it('lists what was changed last first, by state, flow and number', async () => {
    const first = await run();
    const second = await desk.ask<RunAnswer>(['run', 'trip.ts#another']);
    const third = await runSuspended();
    const listed = async (...args: string[]) =>
      (await desk.ask<RunAnswer[]>(['ls', ...args])).map(({ run: uuid }) => uuid);
    expect(await listed()).toEqual([third.run, second.run, first.run]);
    expect(await listed('--limit', '1')).toEqual([third.run]);
    expect(await listed('--flow', 'tour')).toEqual([second.run]);
    expect(await listed('--state', 'SUSPENDED')).toEqual([third.run]);
    expect(await listed('--state', 'SUSPENDED,REVERTED', '--flow', 'tour')).toEqual([]);
    expect((await desk.call(['ls', '--state', 'SUCESS'])).stderr).toContain('Did you mean SUCCESS?');
  });

  it('refuses a store that was named and is not there, and makes none', async () => {
    const { code, stderr } = await desk.call(['ls']);
    expect(code).toBe(2);
    expect(stderr).toContain(`There are no runs: ${desk.store} is not there`);
    expect(await desk.ask(['ls'])).toMatchObject({ error: { name: 'UsageError' } });
  });

  it('refuses a store without tables, and names the command that makes them', async () => {
    await writeFile(join(desk.folder, 'runs.db'), '');
    const { code, stderr } = await desk.call(['ls']);
    expect(code).toBe(3);
    expect(stderr).toContain('flowstate upgrade');
    expect(await desk.call(['upgrade'])).toMatchObject({ code: 0 });
    expect(await desk.ask(['ls'])).toEqual([]);
  });
});

describe('show', () => {
  it('shows what the flow no longer has, and a run without a plan', async () => {
    const { run: uuid } = await runSuspended();
    await desk.call(['resume', uuid, '--module', 'trip.ts#shorter', '--accept-plan']);
    const { stdout } = await desk.call(['show', uuid]);
    expect(stdout).toContain('├─ insure SUCCESS');
    expect(stdout).toMatch(/no longer in the flow\n└─ pay PENDING/);
    await using store = await persistence.backend(desk.store);
    const { flowDetail } = await persistence.createFlowDetail('bare', { backend: store });
    expect((await desk.call(['show', flowDetail.uuid])).stdout).toMatch(/\n\nbare PENDING\n$/);
  });

  it('shows stacks and masked results when it is asked to', async () => {
    hooks.onPay = () => {
      throw new Error('declined', { cause: new Error('no money') });
    };
    await run();
    const { stdout } = await desk.call(['show', 'trip']);
    expect(stdout).toContain('pay failed: Error: declined\n    Error: no money\n');
    expect((await desk.call(['show', 'trip', '--stack'])).stdout).toMatch(
      /Error: declined\n +at [^]*trip\.ts[^]*\nError: no money\n +at /,
    );
    forget();
    const { run: uuid } = await run();
    expect((await desk.call(['show', uuid, '--values', '--mask', 'holder'])).stdout).toContain(
      "→ [ 'paid for 12A', { number: '4111', holder: '***' } ]",
    );
    expect((await desk.call(['show', uuid])).stdout).not.toContain('4111');
  });
});

describe('why and explain', () => {
  it('say that nothing waits for a run that has ended', async () => {
    const { run: uuid } = await run();
    expect((await desk.call(['why', uuid])).stdout).toBe('Nothing waits: the run has ended SUCCESS\n');
  });

  it('change nothing, also of a run that was reverted', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    const { run: uuid } = await run();
    const before = await desk.ask(['show', uuid]);
    const { stdout } = await desk.call(['explain', uuid, 'pay', 'seat']);
    expect(stdout).toMatch(/^seat of pay has no value: /);
    expect(stdout).toContain('reserve skipped');
    await desk.call(['why', uuid]);
    expect(await desk.ask(['show', uuid])).toEqual(before);
  });

  it('explain all arguments, and name what may be meant', async () => {
    const { run: uuid } = await run();
    expect((await desk.call(['explain', uuid, 'mail', '--values'])).stdout).toMatch(
      /^receipt of mail comes from pay\n[^]* {2}the value: 'paid for 12A'\n$/,
    );
    expect((await desk.call(['explain', uuid, 'reserve'])).stdout).toContain('takes no arguments');
    expect((await desk.call(['explain', uuid, 'mails'])).stderr).toContain('did you mean mail?');
    expect((await desk.call(['explain', uuid, 'mail', 'recept'])).stderr).toContain('did you mean receipt?');
  });
});

it('finds a run that a program has stored', async () => {
  await using store = await persistence.backend(desk.store);
  await engines.run(linear('job').add(task({ name: 'work', execute: () => 1 })), { backend: store });
  expect((await desk.call(['show', 'job'])).stdout).toContain('job (linear) SUCCESS\n└─ work SUCCESS\n');
});
