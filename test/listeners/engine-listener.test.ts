import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { CaptureListener } from '../../src/listeners/capture-listener.js';
import type { Captured } from '../../src/listeners/capture-listener.js';
import { EngineListener } from '../../src/listeners/engine-listener.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { rejection, step, throwing } from '../engines/steps.js';

const retried = () =>
  linear('f', { retry: times({ name: 'r', attempts: 1 }) }).add(
    step('a'),
    step('b', { execute: throwing(new Error('Woot!')) }),
  );

const told = ({ kind, state, details }: Captured): string => {
  const name = kind === 'flow' ? details.flowName : kind === 'task' ? details.taskName : details.retryName;
  return `${kind} ${name} ${state}`;
};

describe('a listener', () => {
  it('hears of everything unless it says otherwise', async () => {
    const engine = await load(retried());
    const listener = new CaptureListener(engine).register();
    await rejection(engine.run());
    expect(listener.values.map(told)).toEqual([
      'flow f RUNNING',
      'retry r RUNNING',
      'retry r SUCCESS',
      'task a RUNNING',
      'task a SUCCESS',
      'task b RUNNING',
      'task b FAILURE',
      'task b REVERTING',
      'task b REVERTED',
      'task a REVERTING',
      'task a REVERTED',
      'retry r REVERTING',
      'retry r REVERTED',
      'flow f REVERTED',
    ]);
  });

  it('hears of the states that it was made for, of tasks, retries and the flow each', async () => {
    const engine = await load(retried());
    const listener = new CaptureListener(engine, {
      taskListenFor: ['SUCCESS', 'SUCCESS', 'FAILURE'],
      retryListenFor: null,
      flowListenFor: [],
    }).register();
    await rejection(engine.run());
    expect(listener.values.map(told)).toEqual(['task a SUCCESS', 'task b FAILURE']);
  });

  it('does nothing by itself', async () => {
    const engine = await load(retried());
    new EngineListener(engine).register();
    await rejection(engine.run());
    expect(engine.statistics.listenerErrors).toBe(0);
  });

  it('registers once, and no more after it was deregistered', async () => {
    const engine = await load(linear('f').add(step('a')));
    const listener = new CaptureListener(engine, { flowListenFor: ['SUCCESS'] });
    listener.register().register();
    expect([engine.notifier.size, engine.atomNotifier.size]).toEqual([1, 2]);
    listener.deregister();
    listener.deregister();
    expect([engine.notifier.size, engine.atomNotifier.size]).toEqual([0, 0]);
    await engine.run();
    expect(listener.values).toEqual([]);
    listener.register();
    await engine.run();
    expect(listener.values.map(told)).toContain('flow f SUCCESS');
  });

  it('registers all states of a group or none', async () => {
    const engine = await load(linear('f').add(step('a')));
    const listener = new EngineListener(engine, { flowListenFor: ['RUNNING', 5 as never, 'SUCCESS'] });
    expect(() => listener.register()).toThrow(RangeError);
    expect([engine.notifier.size, engine.atomNotifier.size]).toEqual([0, 2]);
    listener.deregister();
    expect(engine.atomNotifier.size).toBe(0);
  });

  it('listens for as long as a block lasts', async () => {
    const engine = await load(linear('f').add(step('a')));
    {
      using listener = new EngineListener(engine).register();
      expect(listener.engine.notifier.size).toBe(1);
    }
    expect(engine.notifier.size).toBe(0);
  });

  it('listens during some work, whatever comes of it', async () => {
    const engine = await load(retried());
    const listener = new CaptureListener(engine);
    expect(await rejection(listener.during(() => engine.run()))).toMatchObject({ message: 'Woot!' });
    expect(listener.values.length).toBeGreaterThan(10);
    expect(engine.notifier.size).toBe(0);
    expect(await listener.during(() => 5)).toBe(5);
  });

  it('only logs that it could not be taken away at the end of a block', async () => {
    const engine = await load(linear('f').add(step('a')));
    class Stubborn extends EngineListener {
      override deregister(): void {
        throw new Error('no');
      }
    }
    const warnings: string[] = [];
    const nothing = () => undefined;
    const logger = { debug: nothing, info: nothing, warn: (text: string) => void warnings.push(text), error: nothing };
    expect(await new Stubborn(engine, { logger }).during(() => 1)).toBe(1);
    expect(warnings).toEqual(['The listener could not be deregistered: no']);
  });

  it('C3: hears only of what is durable when that is asked for', async () => {
    const engine = await load(linear('f').add(step('a')), { backend: memoryBackend() });
    const commits: Record<string, number[]> = { durable: [], plain: [] };
    class Counting extends EngineListener {
      into: number[] = [];
      protected override onTask(): void {
        this.into.push(engine.storage.ledger.commits);
      }
    }
    for (const [kind, into] of Object.entries(commits)) {
      Object.assign(new Counting(engine, { durable: kind === 'durable' }).register(), { into });
    }
    await engine.run();
    // RUNNING is committed before anybody is told, SUCCESS with the next commit.
    expect(commits).toEqual({ durable: [2, 3], plain: [2, 2] });
  });
});

describe('the capturing listener', () => {
  it('leaves out kinds, and names', async () => {
    const engine = await load(retried());
    const values: Captured[] = [];
    const listener = new CaptureListener(engine, { values, captureTask: false, skipFlows: ['f'] });
    await rejection(listener.during(() => engine.run()));
    expect(listener.values).toBe(values);
    expect(new Set(values.map(({ kind }) => kind))).toEqual(new Set(['retry']));

    const again = await load(retried());
    const other = new CaptureListener(again, { captureFlow: false, captureRetry: false, skipTasks: ['b'] });
    await rejection(other.during(() => again.run()));
    expect(other.values.map(told)).toEqual(['task a RUNNING', 'task a SUCCESS', 'task a REVERTING', 'task a REVERTED']);
    const third = await load(retried());
    const last = new CaptureListener(third, { captureFlow: false, captureTask: false, skipRetries: ['r'] });
    await rejection(last.during(() => third.run()));
    expect(last.values).toEqual([]);
  });

  it('keeps what a subclass makes of it', async () => {
    class Names extends CaptureListener<string> {
      protected override format(captured: Captured): string {
        return told(captured);
      }
    }
    const engine = await load(linear('f').add(step('a')));
    const listener = new Names(engine, { captureTask: false });
    await listener.during(() => engine.run());
    expect(listener.values).toEqual(['flow f RUNNING', 'flow f SUCCESS']);
  });
});
