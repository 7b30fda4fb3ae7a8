import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { engines, linear, persistence, task } from '../../src/index.js';
import { Desk } from './called.js';
import { hooks } from './fixtures/trip.js';

const desk = Desk.forEach();
const run = (...args: string[]) => desk.run(...args);
const runSuspended = () => desk.runSuspended();

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
