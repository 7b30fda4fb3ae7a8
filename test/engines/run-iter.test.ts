import { describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { InvalidStateError } from '../../src/errors.js';
import { WrappedFailureError } from '../../src/failure.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { statesOf } from './announcements.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

describe('running stage by stage', () => {
  it('reports each stage before its work is done', async () => {
    const log: string[] = [];
    const engine = await load(linear('f').add(stepsInto(log)('a')));
    for await (const stage of engine.runIter()) log.push(`${stage} ${engine.storage.getFlowState()}`);
    expect(log).toEqual([
      'RESUMING RUNNING',
      'SCHEDULING RUNNING',
      'execute a',
      'WAITING RUNNING',
      'ANALYZING RUNNING',
      'SUCCESS RUNNING',
    ]);
    expect(engine.storage.getFlowState()).toBe('SUCCESS');
  });

  it('ten tasks in a row are ten rounds', async () => {
    const engine = await load(linear('f').addAll(Array.from({ length: 10 }, (_, i) => step(`t${i}`))));
    const stages: string[] = [];
    for await (const stage of engine.runIter()) stages.push(stage);
    const round = ['SCHEDULING', 'WAITING', 'ANALYZING'];
    expect(stages).toEqual(['RESUMING', ...Array.from({ length: 10 }, () => round).flat(), 'SUCCESS']);
  });

  it('nothing is run when suspension is asked for at the first RESUMING', async () => {
    const log: string[] = [];
    const engine = await load(linear('f').add(stepsInto(log)('a')));
    const stages: string[] = [];
    for await (const stage of engine.runIter()) {
      stages.push(stage);
      if (stage === 'RESUMING') engine.suspend();
    }
    expect(stages).toEqual(['RESUMING', 'SCHEDULING', 'WAITING', 'ANALYZING', 'SUSPENDED']);
    expect(log).toEqual([]);
    expect(engine.storage.getFlowState()).toBe('SUSPENDED');
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('suspension at SCHEDULING prevents that round', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const engine = await load(linear('f').add(step('a'), step('b')));
    let rounds = 0;
    for await (const stage of engine.runIter()) {
      if (stage === 'SCHEDULING' && (rounds += 1) === 2) engine.suspend();
    }
    expect(log).toEqual(['execute a']);
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b']);
  });

  it('sending true asks for suspension', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const engine = await load(linear('f').add(step('a'), step('b')));
    const stages = engine.runIter();
    const seen: unknown[] = [];
    for (let next = await stages.next(); next.done !== true; next = await stages.next(next.value === 'WAITING')) {
      seen.push(next.value);
    }
    expect(seen).toEqual(['RESUMING', 'SCHEDULING', 'WAITING', 'ANALYZING', 'SUSPENDED']);
    expect(log).toEqual(['execute a']);
  });

  it('sending false asks for nothing', async () => {
    const engine = await load(linear('f').add(step('a')));
    const stages = engine.runIter();
    let last: unknown;
    for (let next = await stages.next(); next.done !== true; next = await stages.next(false)) last = next.value;
    expect(last).toBe('SUCCESS');
  });

  it('leaving the loop suspends the run, waits for it, and lets another follow', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const engine = await load(linear('f').add(step('a'), step('b')));
    for await (const stage of engine.runIter()) if (stage === 'WAITING') break;
    expect(engine.storage.getFlowState()).toBe('SUSPENDED');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'PENDING' });
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b']);
  });

  it('leaving the loop at the last stage leaves the flow in it', async () => {
    const engine = await load(linear('f').add(step('a')));
    for await (const stage of engine.runIter()) if (stage === 'SUCCESS') break;
    expect(engine.storage.getFlowState()).toBe('SUCCESS');
  });

  it('an error of the loop itself suspends the run and is what the loop throws', async () => {
    const engine = await load(linear('f').add(step('a')));
    const error = new Error('of the caller');
    const loop = async () => {
      for await (const stage of engine.runIter()) if (stage === 'RESUMING') throw error;
    };
    expect(await rejection(loop())).toBe(error);
    expect(engine.storage.getFlowState()).toBe('SUSPENDED');
  });

  it('an error thrown into the iterator ends the run in FAILURE and comes out of it', async () => {
    const engine = await load(linear('f').add(step('a')));
    const error = new Error('from outside');
    const stages = engine.runIter();
    await stages.next();
    expect(await rejection(stages.throw(error))).toBe(error);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
    expect(await stages.next()).toEqual({ done: true, value: undefined });
  });

  it('an error thrown into the iterator is thrown together with what failed besides', async () => {
    const engine = await load(
      linear('f').add(
        step('a', { revert: throwing(new Error('Gotcha!')) }),
        step('b', { execute: throwing(new Error('Woot!')) }),
      ),
    );
    const stages = engine.runIter();
    let failed: unknown = null;
    try {
      const isReverting = () => statesOf(engine)['a'] === 'REVERTING';
      while (!isReverting()) await stages.next();
      for (let next = await stages.throw(new Error('from outside')); next.done !== true;) next = await stages.next();
    } catch (error) {
      failed = error;
    }
    expect(failed).toBeInstanceOf(WrappedFailureError);
    expect([...(failed as WrappedFailureError)].map(({ message }) => message).sort()).toEqual([
      'Gotcha!',
      'from outside',
    ]);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
  });

  it('an error thrown in before the first stage has nothing to end', async () => {
    const engine = await load(linear('f').add(step('a')));
    await expect(engine.runIter().throw(new Error('early'))).rejects.toThrow('early');
    expect(engine.storage.getFlowState()).toBe('PENDING');
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('does not report FAILURE: it throws from the call that asks for it', async () => {
    const engine = await load(
      linear('f').add(
        step('a', { revert: throwing(new Error('Gotcha!')) }),
        step('b', { execute: throwing(new Error('Woot!')) }),
      ),
    );
    const stages: string[] = [];
    const loop = async () => {
      for await (const stage of engine.runIter()) stages.push(stage);
    };
    await expect(loop()).rejects.toThrow('Gotcha!');
    expect(stages.at(-1)).toBe('ANALYZING');
    expect(stages).not.toContain('FAILURE');
  });

  it('reports REVERTED, then throws', async () => {
    const engine = await load(linear('f').add(step('a', { execute: throwing(new Error('Woot!')) })));
    const stages: string[] = [];
    const loop = async () => {
      for await (const stage of engine.runIter()) stages.push(stage);
    };
    await expect(loop()).rejects.toThrow('Woot!');
    expect(stages.at(-1)).toBe('REVERTED');
  });
});

describe('suspension', () => {
  it('from a listener: what is under way is finished, nothing more is started', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const engine = await load(linear('f').add(step('a'), step('b'), step('c')));
    engine.atomNotifier.register('SUCCESS', (_, details) => {
      if ('taskName' in details && details.taskName === 'b') engine.suspend();
    });
    expect(await engine.run()).toBe('SUSPENDED');
    expect(log).toEqual(['execute a', 'execute b']);
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b', 'execute c']);
  });

  it('a serial round that has begun is finished', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const suspending = (): void => engine.suspend();
    const engine: Engine = await load(unordered('f').add(step('a', { execute: suspending }), step('b')));
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute b']);
  });

  it('of the last atom ends SUCCESS: nothing is left', async () => {
    const suspending = (): void => engine.suspend();
    const engine: Engine = await load(linear('f').add(step('a', { execute: suspending })));
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('failures are resolved, and what they lead to is left for the next run', async () => {
    const log: string[] = [];
    const step = stepsInto(log);
    const failing = step('b', {
      execute: () => {
        engine.suspend();
        throw new Error('Woot!');
      },
    });
    const engine = await load(linear('f').add(step('a'), failing));
    expect(await engine.run()).toBe('SUSPENDED');
    expect(statesOf(engine)).toEqual({ a: 'SUCCESS', b: 'FAILURE' });
    expect(engine.storage.getAtomIntention('a')).toBe('REVERT');
    await expect(engine.run()).rejects.toThrow('Woot!');
    expect(log).toEqual(['execute a', 'execute b', 'revert b', 'revert a']);
  });

  it('while a flow is resuming is an error, which a listener does not see', async () => {
    const first = await load(linear('f').add(step('a')));
    first.storage.setFlowState('RUNNING');
    const engine = await load(linear('f').add(step('a')), { flowDetail: first.storage.flowDetail() });
    const errors: unknown[] = [];
    engine.notifier.register('RESUMING', () => {
      try {
        engine.suspend();
      } catch (error) {
        errors.push(error);
      }
    });
    const states: string[] = [];
    engine.notifier.register('*', (state) => states.push(state));
    expect(await engine.run()).toBe('SUCCESS');
    expect(states).toEqual(['RESUMING', 'SUSPENDED', 'RUNNING', 'SUCCESS']);
    expect(errors).toHaveLength(1);
    expect(errors[0]).toBeInstanceOf(InvalidStateError);
  });
});
