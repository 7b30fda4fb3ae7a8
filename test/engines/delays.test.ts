import { describe, expect, it } from 'vitest';
import type { Backoff, Delay } from '../../src/atoms/delay.js';
import type { History } from '../../src/atoms/history.js';
import { times } from '../../src/atoms/retries.js';
import type { Task } from '../../src/atoms/task.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { virtualEnvironment } from '../../src/testing/virtual-environment.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

/** A task that fails so many times, and writes down when it was called. */
function failing(environment: { clock: { now(): number } }, failures: number, at: number[]): Task {
  const start = environment.clock.now();
  return step('fails', {
    execute: () => {
      at.push(environment.clock.now() - start);
      if (at.length <= failures) throw new Error(`no ${at.length}`);
      return 'done';
    },
  });
}

const retrying = (task: Task, delay: Delay | undefined, attempts = 4): Flow =>
  linear('f', { retry: times({ attempts, delay }) }).add(task);

const KINDS = ['serial', 'parallel'] as const;

describe.each(KINDS)('the delay of a retry, in a %s engine', (engineKind) => {
  async function calledAt(delay: Delay | undefined, random = () => 0.5): Promise<number[]> {
    const environment = { ...virtualEnvironment({ advancesByItself: true }), random };
    const at: number[] = [];
    const engine = await load(retrying(failing(environment, 3, at), delay), { engine: engineKind, environment });
    expect(await engine.run()).toBe('SUCCESS');
    expect(environment.clock.pending).toBe(0);
    return at;
  }

  it.each<[what: string, delay: Delay | undefined, at: number[]]>([
    ['is none by default', undefined, [0, 0, 0, 0]],
    ['of 0 is none', 0, [0, 0, 0, 0]],
    ['is the same each time', 1000, [0, 1000, 2000, 3000]],
    ['doubles each time', { firstMs: 100 }, [0, 100, 300, 700]],
    ['grows by a factor', { firstMs: 100, factor: 10 }, [0, 100, 1100, 11_100]],
    ['grows up to a limit', { firstMs: 100, factor: 10, maxMs: 150 }, [0, 100, 250, 400]],
    ['is partly random', { firstMs: 100, jitter: 0.2 }, [0, 90, 270, 630]],
    ['is what a function of the history gives', ({ length }) => length * 7, [0, 7, 21, 42]],
    ['may be hours', 3_600_000, [0, 3_600_000, 7_200_000, 10_800_000]],
  ])('%s', async (_, delay, at) => {
    expect(await calledAt(delay)).toEqual(at);
  });

  it('gives the function what failed', async () => {
    const seen: string[] = [];
    await calledAt((history: History) => {
      const [, failure] = [...history.outcomes(-1)][0] ?? [];
      seen.push(failure?.message ?? '');
      return 1;
    });
    expect(seen).toEqual(['no 1', 'no 2', 'no 3']);
  });

  it('begins with the failure: what the flow did is undone meanwhile, and other parts go on', async () => {
    const environment = manualEnvironment();
    const log: string[] = [];
    const steps = stepsInto(log);
    const flow = unordered('all').add(
      linear('f', { retry: times({ attempts: 2, delay: 1000 }) }).add(
        steps('a'),
        steps('b', { execute: () => (log.includes('revert a') ? 1 : throwing(new Error('no'))()) }),
      ),
      linear('other').add(steps('c'), steps('d'), steps('e')),
    );
    const engine = await load(flow, { engine: engineKind, environment });
    const ended = engine.run();
    await settled();
    expect(log.toSorted()).toEqual(
      ['execute a', 'execute b', 'revert b', 'revert a', 'execute c', 'execute d', 'execute e'].toSorted(),
    );
    environment.clock.advance(999);
    await settled();
    expect(log).toHaveLength(7);
    environment.clock.advance(1);
    expect(await ended).toBe('SUCCESS');
    expect(log.slice(7)).toEqual(['execute a', 'execute b']);
  });

  it('is counted from the failure, not from when the flow was undone', async () => {
    const environment = manualEnvironment();
    const undone = new Gate();
    let calls = 0;
    const flow = linear('f', { retry: times({ attempts: 2, delay: 1000 }) }).add(
      step('a', { revert: () => undone.promise }),
      step('b', {
        execute: () => {
          calls += 1;
          if (calls === 1) throw new Error('no');
        },
      }),
    );
    const engine = await load(flow, { engine: engineKind, environment });
    const ended = engine.run();
    await settled();
    environment.clock.advance(1500);
    undone.open();
    expect(await ended).toBe('SUCCESS');
    expect(calls).toBe(2);
  });

  it('is broken off at once by suspend(), and the next run waits for what is left of it', async () => {
    const environment = manualEnvironment();
    const at: number[] = [];
    const engine = await load(retrying(failing(environment, 1, at), 1000), { engine: engineKind, environment });
    const ended = engine.run();
    await settled();
    environment.clock.advance(300);
    engine.suspend();
    expect(await ended).toBe('SUSPENDED');
    expect(environment.clock.pending).toBe(0);
    environment.clock.advance(300);
    const resumed = engine.run();
    await settled();
    environment.clock.advance(399);
    await settled();
    expect(at).toEqual([0]);
    environment.clock.advance(1);
    expect(await resumed).toBe('SUCCESS');
    expect(at).toEqual([0, 1000]);
  });

  it.each(['round', 'change'] as const)(
    'is durable with the decision to try again: another engine waits for what is left (checkpoint %s)',
    async (checkpoint) => {
      const backend = memoryBackend();
      const dead = manualEnvironment();
      const options = { engine: engineKind, checkpoint, backend };
      const first = await load(retrying(failing(dead, 1, []), 1000), { ...options, environment: dead });
      void first.run();
      await settled();
      // The first engine is never heard of again.
      const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
      const environment = manualEnvironment();
      environment.clock.advance(600);
      const at: number[] = [];
      const second = await load(retrying(failing(environment, 0, at), 1000), { ...options, environment, flowDetail });
      const ended = second.run();
      await settled();
      expect(environment.clock.delays.at(-1)).toBe(400);
      environment.clock.advance(400);
      expect(await ended).toBe('SUCCESS');
      expect(at).toEqual([1000 - 600]);

      const later = manualEnvironment();
      later.clock.advance(5000);
      const third = await load(retrying(failing(later, 0, []), 1000), {
        engine: engineKind,
        environment: later,
        flowDetail,
      });
      expect(await third.run()).toBe('SUCCESS');
      expect(later.clock.delays).toEqual([]);
    },
  );

  it('leaves no timer when the engine is closed', async () => {
    const environment = manualEnvironment();
    const engine = await load(retrying(failing(environment, 1, []), 1000), { engine: engineKind, environment });
    const ended = engine.run();
    await settled();
    expect(environment.clock.pending).toBe(1);
    await engine.close();
    expect(await ended).toBe('SUSPENDED');
    expect(environment.clock.pending).toBe(0);
  });

  it('is not waited for when the flow is given up meanwhile', async () => {
    const environment = manualEnvironment();
    const gate = new Gate();
    const at: number[] = [];
    const flow = unordered('all').add(
      retrying(failing(environment, 9, at), 1_000_000),
      step('other', { priority: 1, execute: () => gate.promise }),
    );
    const engine = await load(flow, { engine: engineKind, environment });
    const thrown = rejection(engine.run());
    await settled();
    gate.fail(new Error('other failed'));
    await thrown;
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(engine.storage.getAtomState('f_retry')).toBe('REVERTED');
    expect(environment.clock.pending).toBe(0);
  });

  it.each([[-1], [NaN], ['5'], [undefined]])('of a function that gives %j ends the run FAILURE', async (given) => {
    const flow = retrying(step('fails', { execute: throwing(new Error('no')) }), () => given as number);
    const engine = await load(flow, { engine: engineKind, environment: manualEnvironment() });
    expect(String(await rejection(engine.run()))).toMatch(/delay of the retry f_retry takes milliseconds from 0, got/);
    expect(engine.storage.getFlowState()).toBe('FAILURE');
  });
});

describe('delay refuses', () => {
  const made = (delay: unknown) => () => times({ name: 'r', delay: delay as Delay });
  it.each([-1, NaN, Infinity])('%s', (given) => {
    expect(made(given)).toThrow(RangeError);
    expect(made(given)).toThrow(/delay of retry 'r' takes milliseconds from 0, a function.*got/);
  });
  it.each(['5', null, [5], true])('%j', (given) => {
    expect(made(given)).toThrow(TypeError);
  });
  it.each<[part: keyof Backoff, value: unknown]>([
    ['firstMs', -1],
    ['factor', 0.5],
    ['maxMs', Infinity],
    ['jitter', 1.1],
    ['jitter', '1'],
  ])('%s of %j', (part, value) => {
    expect(made({ firstMs: 1, [part]: value })).toThrow(new RegExp(`delay\\.${part} of retry 'r' takes .*, got`));
  });
  it('an object without firstMs, or with another name', () => {
    expect(made({})).toThrow(/delay\.firstMs of retry 'r'/);
    expect(made({ firstMs: 1, max: 5 })).toThrow(/firstMs, factor, maxMs and jitter, got "max"/);
  });
});
