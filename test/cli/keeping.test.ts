import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Desk } from './called.js';
import { hooks, told } from './fixtures/trip.js';

const desk = Desk.forEach();
const run = (...args: string[]) => desk.run(...args);
const runSuspended = () => desk.runSuspended();

describe('check', () => {
  it('checks all runs of the flow that have not ended', async () => {
    await run();
    expect(await desk.call(['check', 'trip.ts#shorter'])).toMatchObject({
      code: 0,
      stdout: 'There are no runs of trip that have not ended\n',
    });
    const { run: uuid } = await runSuspended();
    const { code, stdout } = await desk.call(['check', 'trip.ts#shorter']);
    expect(code).toBe(1);
    expect(stdout).toBe(
      `${uuid}  trip  SUSPENDED  needs consent\n` +
        '  ! removed task pay (PENDING): was in trip\n' +
        '    added task insure (new): is in trip\n',
    );
    expect(await desk.call(['check', 'trip.ts'])).toMatchObject({ code: 0 });
  });

  it('lets a run of which nothing stands go on with any flow', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    const { run: uuid } = await run();
    expect(await desk.call(['check', 'trip.ts#shorter', uuid])).toMatchObject({ code: 0 });
  });
});

describe('suspend and cancel', () => {
  it('suspend nothing that nobody runs', async () => {
    const { run: uuid } = await runSuspended();
    expect(await desk.call(['suspend', uuid])).toMatchObject({ code: 0, stdout: 'It is suspended already\n' });
    const ended = await run();
    expect(await desk.call(['suspend', ended.run])).toMatchObject({ code: 1 });
    expect(await desk.ask(['suspend', ended.run])).toMatchObject({ asked: false, state: 'SUCCESS' });
  });

  it('undo a run that nobody runs, with the module that it was made from', async () => {
    const { run: uuid } = await runSuspended();
    const { code, stdout } = await desk.call(['cancel', uuid, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'REVERTED' });
    expect(told).toEqual(['reserve', 'give back']);
    expect(await desk.call(['cancel', uuid])).toMatchObject({ code: 2 });
  });

  it('say so when a run cannot be undone', async () => {
    hooks.onGiveBack = () => {
      throw new Error('too late');
    };
    const { run: uuid } = await runSuspended();
    const { code, stderr } = await desk.call(['cancel', uuid]);
    expect(code).toBe(3);
    expect(stderr).toContain('reserve could not be reverted: Error: too late');
  });

  it.each(['suspend', 'cancel'])('%s a run that goes on elsewhere', async (command) => {
    let called: ReturnType<Desk['call']> | undefined;
    let isAsked = false;
    const running = desk.call(['run', 'trip.ts', '--json'], {});
    await new Promise<void>((resolve) => {
      hooks.onPay = () =>
        new Promise<void>((goOn) => {
          called = desk.call([command, 'trip', '--json'], {
            onStderr: (text) => {
              if (!text.startsWith('The process 4711')) return;
              isAsked = true;
              goOn();
            },
          });
          resolve();
        });
    });
    const { code, stdout } = await called!;
    expect({ code, isAsked }).toEqual({ code: 0, isAsked: true });
    const state = command === 'suspend' ? 'SUSPENDED' : 'REVERTED';
    expect(JSON.parse(stdout)).toMatchObject({ pid: 4711, state });
    const ended = await running;
    expect(ended.code).toBe(command === 'suspend' ? 4 : 1);
    expect(ended.stderr).toContain('as another process asks');
  });
});

describe('export, import and prune', () => {
  it('bring a run with all that is stored of it into another store, where it is resumed', async () => {
    const { run: uuid } = await runSuspended();
    const exported = await desk.call(['export', uuid]);
    const other = ['--backend', `sqlite:${join(desk.folder, 'other.db')}`];
    const imported = await desk.call(['import', '-', ...other], { stdin: [exported.stdout] });
    expect(imported.stdout).toBe(`${uuid}  SUSPENDED  trip\n`);
    expect((await desk.call(['import', '-', ...other], { stdin: [exported.stdout] })).stderr).toContain('--replace');
    expect(await desk.call(['import', '-', '--replace', ...other], { stdin: [exported.stdout] })).toMatchObject({
      code: 0,
    });
    expect(await desk.call(['resume', uuid, ...other])).toMatchObject({ code: 0 });
    expect(await desk.ask(['show', uuid])).toMatchObject({ state: 'SUSPENDED' });
  });

  it('refuse what is no export', async () => {
    expect((await desk.call(['import', '-'], { stdin: ['{}'] })).code).toBe(2);
    expect((await desk.call(['import', 'nowhere.json'])).stderr).toContain('The file nowhere.json cannot be read');
  });

  it('remove runs by age, and none that can be resumed', async () => {
    const { run: uuid } = await run();
    await runSuspended();
    expect((await desk.call(['prune'])).stderr).toContain('prune takes either --older-than or --before');
    expect((await desk.call(['prune', '--older-than', '3 weeks'])).stderr).toContain('It takes a duration such as');
    expect(await desk.ask(['prune', '--older-than', '1h'])).toMatchObject({ runs: [] });
    expect(await desk.ask(['prune', '--before', '2999-01-01', '--dry-run'])).toMatchObject({ runs: [{ run: uuid }] });
    const { stdout, stderr } = await desk.call(['prune', '--before', '2999-01-01', '--empty-books']);
    expect(stdout).toContain(`${uuid}  SUCCESS  `);
    expect(stderr).toBe('1 runs and 1 books removed\n');
    expect(await desk.ask<unknown[]>(['ls'])).toHaveLength(1);
  });
});

it.each([
  [['rnu', 'trip.ts'], '(Did you mean run?)'],
  [['run', 'trip.ts', '--stroe', 'a=1'], '(Did you mean --store?)'],
  [['graph', 'trip.ts', '--format', 'mermiad'], 'Did you mean mermaid?'],
  [['run', 'trip.ts', '--engine', 'parallle'], 'did you mean parallel?'],
  [['run', 'trip.ts', '--executor', 'workerThread5'], 'did you mean workerThreads?'],
  [['ls', '--backend', 'sqlit:runs.db'], "did you mean 'sqlite'?"],
  [['run'], "missing required argument 'module'"],
  [['run', 'trip.ts', 'tour.ts'], 'too many arguments'],
  [['run', 'trip.ts', '--deadline', 'soon'], 'It takes a duration'],
])('%j is refused, with what may be meant', async (args, hint) => {
  const { code, stdout, stderr } = await desk.call(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(hint);
  const { error } = await desk.ask<{ error: { message: string } }>(args);
  expect(stderr).toContain(error.message.split('\n')[0]);
});
