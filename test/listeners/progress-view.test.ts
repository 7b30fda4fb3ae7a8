import { describe, expect, it, vi } from 'vitest';
import { load } from '../../src/engines/load.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { StorageError } from '../../src/errors.js';
import { graph } from '../../src/flows/graph.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { DurationListener } from '../../src/listeners/duration-listener.js';
import { progressView } from '../../src/listeners/progress-view.js';
import type { ProgressViewOptions } from '../../src/listeners/progress-view.js';
import { durationsOf } from '../../src/listeners/time-left.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { failAfter, interrupting } from '../../src/testing/interrupting-backend.js';
import { Gate, manualEnvironment, settled } from '../engines/manual-environment.js';
import { rejection, step, throwing } from '../engines/steps.js';
import { Screen } from './screen.js';

const environment = manualEnvironment();
const { clock } = environment;
const taking = (ms: number) => () => {
  clock.advance(ms);
  return null;
};

/** An engine whose run is shown on a screen. */
async function shown(flow: Flow, screen: Screen, options: ProgressViewOptions = {}, others: LoadOptions = {}) {
  const engine = await load(flow, { environment, ...others });
  return { engine, view: progressView(engine, { stream: screen, ...options }) };
}

describe('the view of progress, on a terminal', () => {
  it('draws a bar, counts by state, what is under way and how far', async () => {
    const screen = new Screen();
    const [first, second] = [new Gate(), new Gate()];
    const flow = linear('publish').add(
      step('scan'),
      unordered('pack').add(
        step('left', {
          execute: async (_, { progress }) => {
            progress(0.25);
            await first.promise;
            progress(0.75);
            await second.promise;
          },
        }),
        step('right', { execute: () => first.promise }),
      ),
      step('switch'),
    );
    const { engine } = await shown(flow, screen, {}, { engine: 'parallel' });
    const running = engine.run();
    await settled();
    clock.advance(4100);
    expect(screen.lines).toEqual([
      '██████░░░░░░░░░░░░░░ 31 %  1/4  publish RUNNING  4.1 s',
      '  1 PENDING, 2 RUNNING, 1 SUCCESS',
      '  left  4.1 s  25 %',
      '  right  4.1 s',
      '',
    ]);
    first.open();
    await settled();
    clock.advance(100);
    expect(screen.lines).toEqual([
      '██████████████░░░░░░ 68 %  2/4  publish RUNNING  4.2 s',
      '  1 PENDING, 1 RUNNING, 2 SUCCESS',
      '  left  4.2 s  75 %',
      '',
    ]);
    second.open();
    await running;
    expect(screen.lines).toEqual(['publish SUCCESS: 4 of 4 done, in 4.2 s', '']);
    expect(clock.pending).toBe(0);
  });

  it('draws no more often than it may, and once a second when nothing happens', async () => {
    const screen = new Screen();
    const gate = new Gate();
    const many = Array.from({ length: 200 }, (_, at) => step(`t${at}`));
    const flow = linear('f').addAll([...many, step('last', { execute: () => gate.promise })]);
    const { engine } = await shown(flow, screen, { refreshMs: 100 }, { engine: 'parallel' });
    const running = engine.run();
    while (engine.storage.find('last')?.state !== 'RUNNING') await settled();
    expect(screen.writes).toBe(1);
    clock.advance(100);
    expect(screen.writes).toBe(2);
    clock.advance(5000);
    expect(screen.writes).toBe(7);
    gate.open();
    await running;
  });

  it('never hides the cursor, and leaves it on a line of its own after each drawing', async () => {
    const screen = new Screen();
    const ends: string[] = [];
    const write = screen.write.bind(screen);
    screen.write = (text) => {
      write(text);
      ends.push(screen.lines.at(-1)!);
    };
    const { engine } = await shown(linear('f').add(step('a', { execute: taking(500) }), step('b')), screen);
    await engine.run();
    expect(screen.written).not.toContain('\u001b[?');
    expect(ends.length).toBeGreaterThan(3);
    expect(new Set(ends)).toEqual(new Set(['']));
  });

  it('says what failed and stays, and that it is reverting', async () => {
    const screen = new Screen();
    const seen: string[] = [];
    const flow = linear('f').add(
      step('a', { revert: () => seen.push(...screen.lines) }),
      step('b', { execute: throwing(new Error('Woot!')) }),
    );
    const { engine } = await shown(flow, screen, { refreshMs: 0 });
    await rejection(engine.run());
    expect(seen).toEqual([
      '  FAILED b',
      expect.stringContaining('f RUNNING'),
      '  1 REVERTING, 1 REVERTED',
      '  reverting a  0.0 s',
      '',
    ]);
    expect(screen.lines).toEqual(['  FAILED b', 'f REVERTED: 0 of 2 done, in 0.0 s', '']);
  });

  it('lets lines be written above it', async () => {
    const screen = new Screen();
    const view = { line: (_: string) => {} };
    const flow = linear('f').add(step('a', { execute: () => view.line('found 3\u001b[31m files') }));
    const shownView = await shown(flow, screen);
    view.line = (text) => shownView.view.line(text);
    await shownView.engine.run();
    expect(screen.lines).toEqual(['found 3\\x1b[31m files', 'f SUCCESS: 1 of 1 done, in 0.0 s', '']);
  });

  it('fits into the terminal, and lets no name give it orders', async () => {
    const screen = new Screen(40, 7);
    const gate = new Gate();
    const tasks = Array.from({ length: 9 }, (_, at) =>
      step(`${at}\u001b[2J日本日本日本日本日本日本日本日本`, { execute: () => gate.promise }),
    );
    const { engine } = await shown(unordered('f').addAll(tasks), screen, {}, { engine: 'parallel' });
    const running = engine.run();
    await settled();
    clock.advance(100);
    expect(screen.lines).toHaveLength(7);
    expect(screen.lines.slice(2)).toEqual([
      expect.stringMatching(/^ {2}0\\x1b\[2J(日本)+/),
      expect.stringMatching(/^ {2}1/),
      expect.stringMatching(/^ {2}2/),
      '  … and 6 more',
      '',
    ]);
    for (const line of screen.lines) {
      expect(Array.from(line).reduce((width, each) => width + (each > '\u3000' ? 2 : 1), 0)).toBeLessThan(40);
    }
    gate.open();
    await running;
  });

  it('knows what was done before, and says that it was suspended', async () => {
    const backend = memoryBackend();
    const flow = () => linear('f').add(step('a'), step('b'));
    const first = await shown(flow(), new Screen(), {}, { backend });
    const screen = new Screen();
    first.engine.atomNotifier.register('SUCCESS', () => first.engine.suspend());
    await first.engine.run();
    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.engine.storage.flowUuid);
    const { engine } = await shown(flow(), screen, {}, { backend, flowDetail });
    await engine.run();
    expect(screen.written).toContain('50 %  1/2  f RUNNING');
    expect(screen.lines).toEqual(['f SUCCESS: 2 of 2 done, in 0.0 s', '']);
  });

  it('takes itself away when it is disposed of, also after a run that broke off', async () => {
    const backend = interrupting(memoryBackend(), failAfter(3, new StorageError('gone')));
    const screen = new Screen();
    const task = step('a', { execute: taking(200) });
    const { engine, view } = await shown(
      linear('f').add(task, step('b')),
      screen,
      {},
      { backend, commitRetry: { attempts: 1 } },
    );
    expect(await rejection(engine.run())).toBeInstanceOf(StorageError);
    expect(screen.lines.length).toBeGreaterThan(2);
    expect(clock.pending).toBe(1);
    view[Symbol.dispose]();
    expect(screen.lines).toEqual(['']);
    expect([clock.pending, engine.notifier.size, engine.atomNotifier.size, task.notifier.size]).toEqual([0, 0, 0, 0]);
    view.register();
    await engine.run();
    expect(screen.lines).toEqual(['f SUCCESS: 2 of 2 done, in 0.0 s', '']);
  });

  it('keeps no process alive', async () => {
    const unref = vi.fn();
    const setTimer = (ms: number, callback: () => void) => ({ ...clock.setTimer(ms, callback), unref });
    const { engine } = await shown(linear('f').add(step('a')), new Screen(), {
      environment: { ...environment, clock: { now: () => clock.now(), yield: () => clock.yield(), setTimer } },
    });
    await engine.run();
    expect(unref).toHaveBeenCalled();
  });
});

describe('the view of progress, elsewhere', () => {
  const failing = () =>
    linear('f').add(
      step('a'),
      step('b', { execute: taking(2000) }),
      step('c', { execute: throwing(new Error('Woot!')) }),
    );
  const PLAIN = [
    '  1/3 a',
    '  2/3 b',
    '  FAILED c',
    '  reverted c',
    '  reverted b',
    '  reverted a',
    'f REVERTED: 0 of 3 done, in 2.0 s',
    '',
  ].join('\n');

  it('writes plain lines, and draws nothing', async () => {
    const screen = new Screen(0, 0, false);
    const { engine } = await shown(failing(), screen);
    await rejection(engine.run());
    expect(screen.written).toBe(PLAIN);
    expect(clock.pending).toBe(0);
  });

  it('does so on a terminal that cannot draw, and where that is asked for', async () => {
    const dumb = new Screen();
    vi.stubEnv('TERM', 'dumb');
    const first = await shown(failing(), dumb);
    await rejection(first.engine.run());
    vi.unstubAllEnvs();
    const asked = new Screen();
    const second = await shown(failing(), asked, { live: false });
    await rejection(second.engine.run());
    expect([dumb.written, asked.written]).toEqual([PLAIN, PLAIN]);
  });

  it('writes nothing when it is silenced', async () => {
    const screen = new Screen();
    const { engine, view } = await shown(failing(), screen, { silent: true });
    view.line('hello');
    await rejection(engine.run());
    view[Symbol.dispose]();
    expect([screen.written, engine.atomNotifier.size]).toEqual(['', 0]);
  });

  it('writes to the standard error output by itself', async () => {
    const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    const engine = await load(linear('f').add(step('a')), { environment });
    using _view = progressView(engine, { live: false });
    await engine.run();
    expect(written.mock.calls.map(([text]) => text)).toEqual(['  1/1 a\n', 'f SUCCESS: 1 of 1 done, in 0.0 s\n']);
    vi.restoreAllMocks();
  });
});

describe('the time that is left', () => {
  const durations = new Map([
    ['a', 10_000],
    ['b', 30_000],
    ['c', 5000],
    ['d', 20_000],
  ]);
  /** a → b → d, a → c → d: the critical path is a, b, d. */
  const diamond = (gate: Gate) =>
    graph('f').add(
      step('a', { provides: 'a', execute: () => gate.promise }),
      step('b', { requires: ['a'], provides: 'b' }),
      step('c', { requires: ['a'], provides: 'c' }),
      step('d', { requires: ['b', 'c'] }),
    );
  const leftIn = (screen: Screen) => / {2}about (.*) left$/.exec(screen.lines[0]!)?.[1];

  it('is that of the critical path, less what has passed', async () => {
    const [screen, gate] = [new Screen(), new Gate()];
    const { engine } = await shown(diamond(gate), screen, { durations }, { engine: 'parallel' });
    const running = engine.run();
    await settled();
    clock.advance(1100);
    expect(leftIn(screen)).toBe('59 s');
    clock.advance(3000);
    expect(leftIn(screen)).toBe('56 s');
    clock.advance(60_000);
    expect(leftIn(screen)).toBe('50 s');
    gate.open();
    await running;
  });

  it('is the sum where atoms run one after the other', async () => {
    const screen = new Screen();
    const seen: unknown[] = [];
    const gate = new Gate();
    gate.open();
    const flow = unordered('f').add(
      step('a', {
        execute: () => {
          clock.advance(4100);
          seen.push(leftIn(screen));
        },
      }),
      step('b'),
    );
    const { engine } = await shown(flow, screen, { durations });
    await engine.run();
    expect(seen).toEqual(['36 s']);
  });

  it('is judged by how far a task is, where nobody knows how long it takes', async () => {
    const [screen, gate] = [new Screen(), new Gate()];
    const report = { progress: (_: number) => {} };
    const flow = linear('f').add(
      step('x', {
        execute: (_, context) => {
          report.progress = context.progress;
          return gate.promise;
        },
      }),
      step('d'),
    );
    const { engine } = await shown(flow, screen, { durations }, { engine: 'parallel' });
    const running = engine.run();
    await settled();
    clock.advance(10_000);
    expect(leftIn(screen)).toBeUndefined();
    report.progress(0.25);
    expect(leftIn(screen)).toBe('50 s');
    gate.open();
    await running;
  });

  it('is not told where it is not known of each', async () => {
    const [screen, gate] = [new Screen(), new Gate()];
    const flow = diamond(gate);
    const some = new Map([...durations].filter(([name]) => name !== 'c'));
    const { engine } = await shown(flow, screen, { durations: some }, { engine: 'parallel' });
    const running = engine.run();
    await settled();
    clock.advance(1000);
    expect(screen.lines[0]).toContain('f RUNNING');
    expect(leftIn(screen)).toBeUndefined();
    gate.open();
    await running;
  });

  it('follows from an earlier run that was timed', async () => {
    const flow = () => linear('f').add(step('a', { execute: taking(7000) }), step('b', { execute: taking(9000) }));
    const engine = await load(flow(), { environment });
    await new DurationListener(engine).during(() => engine.run());
    const known = durationsOf(engine.storage.flowDetail());
    expect(known).toEqual(new Map([['a', 7000], ['b', 9000]])); // prettier-ignore
    const screen = new Screen();
    const { engine: again } = await shown(flow(), screen, { durations: known });
    await again.run();
    expect(screen.written).toContain('about 16 s left');
  });
});
