import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { engines, linear, persistence, task } from '../../src/index.js';
import type { FlowDetail } from '../../src/index.js';
import { Desk } from './called.js';
import { forget, hooks, told } from './fixtures/trip.js';

let desk: Desk;
beforeEach(async () => {
  desk = await Desk.open();
  forget();
});
afterEach(() => desk[Symbol.asyncDispose]());

interface RunAnswer {
  readonly run: string;
  readonly state: string;
  readonly results: Readonly<Record<string, unknown>>;
  readonly resume?: string;
}

const run = (...args: string[]) => desk.ask<RunAnswer>(['run', 'trip.ts', ...args]);
const runSuspended = async () => {
  const { code, stdout } = await desk.call(['run', 'trip.ts', '--json'], {
    onStderr: (text, send) => {
      if (text.includes('1/3 reserve')) send('SIGINT');
    },
  });
  return { code, ...(JSON.parse(stdout) as RunAnswer) };
};

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

describe('journal', () => {
  interface Entry {
    readonly sequence: number;
    readonly entity: { readonly name: string };
    readonly to: string;
  }

  it('lists every change of a run, also across a suspension', async () => {
    const { run: uuid } = await runSuspended();
    await desk.call(['resume', uuid]);
    const { entries } = await desk.ask<{ entries: Entry[] }>(['journal', uuid]);
    expect(entries.map(({ sequence }) => sequence)).toEqual(entries.map((_, at) => at + 1));
    const states = (name: string) => entries.filter(({ entity }) => entity.name === name).map(({ to }) => to);
    expect(states('reserve').slice(-2)).toEqual(['RUNNING', 'SUCCESS']);
    expect(states('trip')).toContain('SUSPENDED');
    expect(states('trip').at(-1)).toBe('SUCCESS');
  });

  it('shows the part that is asked for', async () => {
    hooks.onPay = () => {
      throw new Error('declined');
    };
    const { run: uuid } = await run();
    const { stdout } = await desk.call(['journal', uuid, '--atom', 'pay']);
    expect(stdout).toMatch(
      / {2}task pay {2}PENDING → RUNNING .*\n.* {2}task pay {2}RUNNING → FAILURE {2}failed: .*declined/,
    );
    expect(stdout).not.toContain('reserve');
    const { entries } = await desk.ask<{ entries: Entry[] }>(['journal', uuid, '--after', '3', '--limit', '2']);
    expect(entries.map(({ sequence }) => sequence)).toEqual([4, 5]);
    expect((await desk.call(['journal', uuid, '--atom', 'nobody'])).stderr).toBe('There are no such entries\n');
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

describe('graph', () => {
  it.each([
    ['mermaid', /^flowchart TB\n/],
    ['dot', /^digraph /],
    ['svg', /^<svg /],
    ['stately', /createMachine/],
  ])('draws a flow and a run as %s', async (format, shape) => {
    const { run: uuid } = await run();
    const flow = await desk.ask<{ graph: string; run: null }>(['graph', 'trip.ts', '--format', format]);
    expect(flow).toMatchObject({ run: null, flow: 'trip', format });
    expect(flow.graph).toMatch(shape);
    const { stdout } = await desk.call(['graph', uuid, '--format', format]);
    expect(stdout).toMatch(shape);
    if (format !== 'stately') {
      expect(stdout).toContain('SUCCESS');
      expect(flow.graph).not.toContain('SUCCESS');
    }
  });
});

describe('a run whose module is not to be had', () => {
  it('is drawn, and asked why it has not ended, as it was stored', async () => {
    await using store = await persistence.backend(desk.store);
    const flow = linear('far').add(
      task({ name: 'near', provides: 'x', execute: () => 1 }),
      task({ name: 'there', execute: () => 2 }),
    );
    const engine = await engines.load(flow, { backend: store });
    engine.atomNotifier.register('SUCCESS', () => engine.suspend());
    await engine.run();
    await engine.close();
    const drawn = await desk.call(['graph', 'far']);
    expect(drawn.code).toBe(0);
    expect(drawn.stdout).toMatch(/near[^]*SUCCESS[^]*there[^]*PENDING/);
    expect(drawn.stderr).toContain('What is shown is the flow that the run was stored with.');
    expect((await desk.call(['why', 'far'])).stdout).toBe('there waits: the run is suspended\n');
    expect(await desk.call(['explain', 'far', 'near'])).toMatchObject({ code: 2 });
  });
});

describe('inspect', () => {
  it('serves a page of the run that was changed last, until Ctrl-C', async () => {
    const { run: uuid } = await run();
    let page: Promise<string> = Promise.resolve('');
    const { code, stdout } = await desk.call(['inspect', '--json'], {
      onStdout: (text, send) => {
        const { url } = JSON.parse(text) as { url: string };
        page = fetch(url)
          .then((response) => response.text())
          .finally(() => send('SIGINT'));
      },
    });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      run: uuid,
      flow: 'trip',
      url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/) as string,
    });
    expect(await page).toContain(uuid);
  });

  it('saves the page of a run, without values unless they are asked for', async () => {
    const { run: uuid } = await run();
    const file = join(desk.folder, 'page.html');
    const saved = async (...args: string[]) => {
      expect(await desk.call(['inspect', uuid, '--save', file, ...args])).toMatchObject({ code: 0 });
      return readFile(file, 'utf8');
    };
    const hidden = await saved();
    expect(hidden).toContain(uuid);
    expect(hidden).not.toContain('4111');
    expect(await saved('--values')).toContain('4111');
    expect(await saved('--values', '--mask', 'number')).not.toContain('4111');
  });

  it('refuses what is no port, and a store without runs', async () => {
    expect((await desk.call(['inspect', '--port', '99999'])).stderr).toContain('It takes the number of a port');
    await desk.call(['upgrade']);
    expect((await desk.call(['inspect'])).stderr).toBe('There are no runs in the store yet\n');
  });
});

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

it('runs a run that cannot be announced to other processes, and says so', async () => {
  const { code, stderr } = await desk.call(['run', 'trip.ts'], {
    env: { XDG_RUNTIME_DIR: join(desk.folder, 'missing') },
  });
  expect(code).toBe(0);
  expect(stderr).toContain(
    'The run cannot be suspended or cancelled from another terminal: Runs cannot be announced in',
  );
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

it('finds a run that a program has stored', async () => {
  await using store = await persistence.backend(desk.store);
  await engines.run(linear('job').add(task({ name: 'work', execute: () => 1 })), { backend: store });
  expect((await desk.call(['show', 'job'])).stdout).toContain('job (linear) SUCCESS\n└─ work SUCCESS\n');
});
