import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { persistence } from '../../src/index.js';
import type { FlowDetail } from '../../src/index.js';
import { Desk } from './called.js';
import type { RunAnswer } from './called.js';
import { forget, hooks, told } from './fixtures/trip.js';

const desk = Desk.forEach();
const run = (...args: string[]) => desk.run(...args);
const runSuspended = () => desk.runSuspended();

describe('run', () => {
  it('runs what a module exports', async () => {
    const { code, stdout, stderr } = await desk.call(['run', 'trip.ts', '--mask', 'number']);
    expect(code).toBe(0);
    expect(stdout).toBe("seat: '12A'\nreceipt: 'paid for 12A'\ncard: { number: '***', holder: 'ann' }\n");
    expect(stderr).toMatch(/^Run [\da-f-]{36} of trip\n {2}1\/3 reserve\n {2}2\/3 pay\n {2}3\/3 mail\ntrip SUCCESS/);
  });

  it('says nothing beside the answer when it is to be quiet', async () => {
    const { stdout, stderr } = await desk.call(['run', 'trip.ts', '--quiet', '--json', '--mask', 'number']);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ results: { card: { number: '***', holder: 'ann' } } });
  });

  it('enters each run in a book of its own, which has the name of the flow', async () => {
    await run();
    await using store = await persistence.backend(desk.store);
    expect((await persistence.listLogbooks(store)).map(({ name }) => name)).toEqual(['trip']);
  });

  it.each([
    ['trip.ts#price', 'it is a number'],
    ['trip.ts#NoFlow', 'it is a class'],
    ['trip.ts#told', 'it is a list'],
    ['trip.ts#anothr', 'did you mean another?'],
    ['.', 'A module is a file, got the folder'],
    ['missing.js', 'There is no module'],
  ])('refuses %s, which is no flow', async (module, why) => {
    const { code, stderr } = await desk.call(['run', module]);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
    expect(await desk.ask(['ls', '--backend', desk.store])).toHaveProperty('error');
  });

  it('takes arguments for a function that makes a flow, and for nothing else', async () => {
    const { code, stderr } = await desk.call(['run', 'trip.ts', '--arg', '1']);
    expect(code).toBe(2);
    expect(stderr).toContain('--arg is for a function that makes a flow');
  });

  it('ends with 3 when something could not be reverted, and resume tries again', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    hooks.onGiveBack = () => {
      throw new Error('too late');
    };
    const failed = await desk.call(['run', 'trip.ts', '--json']);
    expect(failed.code).toBe(3);
    expect(failed.stderr).toContain('pay failed: Error: declined\n');
    expect(failed.stderr).toContain('reserve could not be reverted: Error: too late\n');
    const { state, resume } = JSON.parse(failed.stdout) as RunAnswer;
    expect(state).toBe('FAILURE');
    hooks.onGiveBack = () => undefined;
    expect(await desk.call(resume!.split(' ').slice(1))).toMatchObject({ code: 1 });
  });

  it('shows arguments and results of what came before a failure only when it is asked to', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    const { stderr } = await desk.call(['run', 'trip.ts']);
    expect(stderr).toContain("Atom 'reserve' { intention: 'EXECUTE', state: 'SUCCESS' }");
    expect(stderr).not.toContain('12A');
    expect((await desk.call(['run', 'trip.ts', '--values'])).stderr).toContain("provides: '12A'");
  });

  it('in memory keeps nothing, and says so when it is suspended', async () => {
    const { code, stderr } = await desk.call(['run', 'trip.ts', '--backend', 'memory'], {
      onStderr: (text, send) => {
        if (text.includes('1/3')) send('SIGTERM');
      },
    });
    expect(code).toBe(143);
    expect(stderr).toMatch(/1\/3 reserve\n/);
  });

  it('prints names as they can be shown on a terminal', async () => {
    const module = join(desk.folder, 'hostile.mjs');
    await writeFile(module, 'export default () => { throw new Error("\\u001b[31mred\\u0007"); };');
    const { stderr } = await desk.call(['run', module]);
    expect(stderr).toContain('\\x1b[31mred\\x07');
    expect(stderr).not.toContain('\u001b');
  });
});

describe('Ctrl-C', () => {
  it('suspends a run, which is resumed by the command that it names', async () => {
    const { code, state, resume, run: uuid } = await runSuspended();
    expect({ code, state, resume }).toEqual({ code: 130, state: 'SUSPENDED', resume: `flowstate resume ${uuid}` });
    expect(told).toEqual(['reserve']);
    expect(await desk.call(resume!.split(' ').slice(1))).toMatchObject({ code: 0 });
    expect(told).toEqual(['reserve', 'pay', 'mail']);
  });

  it('suspends a run that has hardly begun', async () => {
    const ended = await desk.call(['run', 'trip.ts', '--json'], {
      onStderr: (text, send) => {
        if (text.startsWith('Run ')) queueMicrotask(() => send('SIGINT'));
      },
    });
    expect(ended.exits).toEqual([]);
    expect([0, 130]).toContain(ended.code);
  });

  it('names the store in the command when it was given, and never its password', async () => {
    const store = `dir:${join(desk.folder, "ann's runs")}`;
    const { stdout } = await desk.call(['run', 'trip.ts', '--json', '--backend', store], {
      onStderr: (text, send) => {
        if (text.includes('1/3')) send('SIGINT');
      },
    });
    const { run: uuid, resume } = JSON.parse(stdout) as RunAnswer;
    expect(resume).toBe(`flowstate resume ${uuid} --backend '${store.replace("'", `'\\''`)}'`);
  });

  it('twice leaves at once', async () => {
    let signals = 0;
    let goOn = () => {};
    hooks.onPay = () => new Promise<void>((resolve) => (goOn = resolve));
    const ended = await desk.call(['run', 'trip.ts'], {
      onStderr: (text, send) => {
        if (text.includes('1/3')) setImmediate(() => send('SIGINT'));
        if (text.includes('Suspending')) {
          signals += 1;
          setImmediate(() => {
            send('SIGINT');
            goOn();
          });
        }
      },
    });
    expect(signals).toBe(1);
    expect(ended.exits).toEqual([130]);
    expect(ended.stderr).toMatch(/Left at once\. Go on with: flowstate resume [\da-f-]{36}\n/);
  });
});

describe('resume', () => {
  it('gives the results of a run that has succeeded, and runs nothing', async () => {
    const { run: uuid } = await run();
    forget();
    const { code, stdout } = await desk.call(['resume', uuid, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'SUCCESS', results: { seat: '12A' } });
    expect(told).toEqual([]);
  });

  it('begins again with a run that was reverted only when it is told to', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    const { run: uuid } = await run();
    forget();
    const refused = await desk.call(['resume', uuid]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('--again begins with it again');
    expect(await desk.call(['resume', uuid, '--again'])).toMatchObject({ code: 0 });
    expect(told).toEqual(['reserve', 'pay', 'mail']);
  });

  it('runs a run in the engine that it was begun in', async () => {
    const { stdout } = await desk.call(['run', 'trip.ts', '--json', '--executor', 'async', '--max-workers', '3'], {
      onStderr: (text, send) => {
        if (text.includes('1/3')) send('SIGINT');
      },
    });
    const { run: uuid } = JSON.parse(stdout) as RunAnswer;
    expect(await desk.ask(['show', uuid])).toMatchObject({ engine: 'parallel', executor: 'async', maxWorkers: 3 });
    await desk.call(['resume', uuid]);
    expect(await desk.ask(['show', uuid])).toMatchObject({ state: 'SUCCESS', engine: 'parallel' });
  });

  /** A run that a program of its own has stored. */
  const stored = async (meta: FlowDetail['meta'], name = 'trip') => {
    await using store = await persistence.backend(desk.store);
    const { flowDetail } = await persistence.createFlowDetail(name, { backend: store, meta });
    return flowDetail.uuid;
  };

  it('takes a module for a run that does not say where its flow comes from', async () => {
    const uuid = await stored({});
    const refused = await desk.call(['resume', uuid]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('does not say which module it came from: give the module with --module');
    expect(await desk.call(['resume', uuid, '--module', 'trip.ts'])).toMatchObject({ code: 0 });
  });

  it('takes a module that registers the factory that the run names', async () => {
    const uuid = await stored({ factory: { name: 'trips/registered@1', args: ['Ann'] } }, 'Ann');
    expect((await desk.call(['resume', uuid])).stderr).toContain('was made by the factory "trips/registered@1"');
    expect(await desk.ask(['resume', uuid, '--module', 'registers-only.ts'])).toMatchObject({
      results: { greeting: 'hello Ann' },
    });
  });

  it.each([
    'data:text/javascript,globalThis.wasHere=true;export default 1#default',
    'node:fs#default',
    'https://example.com/flow.js#default',
    'file://somewhere/flow.js#default',
  ])('imports nothing but files, whatever a store says: %s', async (name) => {
    const uuid = await stored({ factory: { name, args: [] } });
    const { code, stderr } = await desk.call(['resume', uuid]);
    expect(code).toBe(2);
    expect(stderr).toContain('which is no file: give the module with --module');
    expect(globalThis).not.toHaveProperty('wasHere');
  });

  it('says which module is gone, and how to give another', async () => {
    const uuid = await stored({ factory: { name: `file://${desk.folder}/gone.js#default`, args: [] } });
    const { stderr } = await desk.call(['resume', uuid]);
    expect(stderr).toContain(`There is no module ${desk.folder}/gone.js`);
    expect(stderr).toContain('give it with --module');
  });
});

it('runs a run that cannot be announced to other processes, and says so', async () => {
  const { code, stderr } = await desk.call(['run', 'trip.ts'], {
    env: { XDG_RUNTIME_DIR: join(desk.folder, 'missing') },
  });
  expect(code).toBe(0);
  expect(stderr).toContain(
    'The run cannot be suspended or cancelled from another terminal: Runs cannot be announced in',
  );
});
