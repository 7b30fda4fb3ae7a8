import { describe, expect, it } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import { isCancelled } from '../../src/engines/cancellation.js';
import { InvalidStateError, TimeoutError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { rejection, step, stepsInto, throwing } from './steps.js';

describe.each(['serial', 'parallel'] as const)('cancelling, in a %s engine', (engineKind) => {
  const loaded = (flow: Flow, more: LoadOptions = {}) => load(flow, { engine: engineKind, ...more });

  /** A run of which `a` is done and `b` is not. */
  async function suspended(log: string[], more: LoadOptions = {}) {
    const steps = stepsInto(log);
    const engine = await loaded(linear('f').add(steps('a'), steps('b')), more);
    engine.atomNotifier.register('SUCCESS', () => engine.suspend());
    expect(await engine.run()).toBe('SUSPENDED');
    return engine;
  }

  it('undoes a run that was suspended', async () => {
    const log: string[] = [];
    const engine = await suspended(log);
    expect(await engine.cancel()).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'revert a']);
  });

  it('undoes a run that was loaded', async () => {
    const backend = memoryBackend();
    const first = await suspended([], { backend });
    const log: string[] = [];
    const steps = stepsInto(log);
    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
    const engine = await loaded(linear('f').add(steps('a'), steps('b')), { backend, flowDetail });
    expect(await engine.cancel()).toBe('REVERTED');
    expect(log).toEqual(['revert a']);
  });

  it.each([
    ['was not compiled', false],
    ['was prepared', true],
  ])('ends a run REVERTED that has not begun, and %s: nothing runs', async (_, isPrepared) => {
    const log: string[] = [];
    const engine = await loaded(linear('f', { retry: times() }).add(stepsInto(log)('a', { requires: ['x'] })));
    if (isPrepared) {
      engine.compile();
      await engine.prepare();
    }
    expect(await engine.cancel()).toBe('REVERTED');
    expect(log).toEqual([]);
  });

  it('ends an empty flow REVERTED', async () => {
    const engine = await loaded(linear('f'));
    expect(await engine.cancel()).toBe('REVERTED');
    expect(await engine.run()).toBe('SUCCESS');
  });

  it.each(['SUCCESS', 'REVERTED', 'FAILURE'] as const)('is refused when the flow is %s', async (state) => {
    const execute = state === 'SUCCESS' ? () => 1 : throwing(new Error('no'));
    const revert = state === 'FAILURE' ? throwing(new Error('stuck')) : () => 1;
    const engine = await loaded(linear('f').add(step('a', { execute, revert })));
    await engine.run().catch(() => undefined);
    expect(engine.storage.getFlowState()).toBe(state);
    const before = engine.storage.flowDetail();
    await expect(engine.cancel()).rejects.toThrow(InvalidStateError);
    await expect(engine.cancel()).rejects.toThrow(`A flow that is ${state} cannot be cancelled`);
    expect(engine.storage.flowDetail()).toEqual(before);
  });

  it('is refused when the engine is closed', async () => {
    const engine = await suspended([]);
    await engine.close();
    await expect(engine.cancel()).rejects.toThrow(InvalidStateError);
  });

  it('is over with reset(): the flow can be run again', async () => {
    const log: string[] = [];
    const engine = await suspended(log);
    await engine.cancel();
    await engine.reset();
    expect(isCancelled(engine.storage)).toBe(false);
  });

  it('ends FAILURE when something cannot be undone, and run() throws why', async () => {
    const gate = new Gate();
    const error = new Error('stuck');
    const flow = linear('f').add(step('a', { revert: throwing(error) }), step('b', { execute: () => gate.promise }));
    const engine = await loaded(flow);
    const thrown = rejection(engine.run());
    await settled();
    const cancelled = engine.cancel();
    gate.open();
    expect([await thrown, await cancelled]).toEqual([error, 'FAILURE']);
  });

  it('tells the atoms why, each by its own signal, and asks no retry', async () => {
    const signals: AbortSignal[] = [];
    let asked = 0;
    const retry = times({ attempts: 9 });
    retry.onFailure = () => {
      asked += 1;
      return 'RETRY';
    };
    const waits = (name: string) =>
      step(name, {
        execute: (_, { signal }) => {
          signals.push(signal);
          return new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(new Error('of its own')));
          });
        },
      });
    const engine = await loaded(unordered('f', { retry }).add(waits('a'), waits('b')));
    const ended = engine.run().catch(() => 'rejected');
    await settled();
    const reason = new Error('the customer left');
    await engine.cancel(reason);
    await ended;
    expect(signals.map((signal) => signal.reason as unknown)).toEqual(signals.map(() => reason));
    expect(new Set(signals).size).toBe(engineKind === 'serial' ? 1 : 2);
    expect(asked).toBe(0);
  });

  it('is durable: from every commit of a cancelled run a new engine comes to REVERTED', async () => {
    const flow = (gate: Promise<unknown>) =>
      linear('f').add(
        step('a'),
        linear('inner', { retry: times({ attempts: 2 }) }).add(step('b'), step('c')),
        unordered('u').add(step('d', { execute: () => gate }), step('e')),
        step('g'),
      );
    const gate = new Gate();
    const engine = await loaded(flow(gate.promise), { checkpoint: 'change' });
    const snapshots: FlowDetail[] = [];
    const { ledger } = engine.storage;
    const before = ledger.onCommitted;
    ledger.onCommitted = () => {
      before?.();
      if (isCancelled(engine.storage)) snapshots.push(engine.storage.flowDetail());
    };
    const ended = engine.run();
    await settled();
    await settled();
    const cancelled = engine.cancel();
    gate.open();
    expect([await ended, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
    expect(snapshots.length).toBeGreaterThan(15);
    for (const flowDetail of snapshots) {
      if (flowDetail.state === 'REVERTED') continue;
      const next = await loaded(flow(Promise.resolve()), { flowDetail });
      expect(await next.run()).toBe('REVERTED');
      const states = [...next.storage.getAtomsStates(next.storage.atomNames()).values()].map(([state]) => state);
      expect(states.every((state) => state === 'REVERTED' || state === 'PENDING')).toBe(true);
    }
  });

  it('undoes a flow that was just to be tried again when its process ended', async () => {
    const log: string[] = [];
    const steps = stepsInto(log);
    const flow = (fails: boolean) =>
      linear('f', { retry: times({ attempts: 3 }) }).add(
        steps('a', { execute: fails ? throwing(new Error('no')) : () => 1 }),
      );
    const first = await loaded(flow(true), { checkpoint: 'change' });
    let found: FlowDetail | undefined;
    first.atomNotifier.register('RETRYING', () => (found ??= first.storage.flowDetail()));
    await rejection(first.run());
    log.length = 0;
    const second = await loaded(flow(false), { flowDetail: found });
    expect(await second.cancel().catch((error: unknown) => (error as Error).message)).toBe('no');
    expect(second.storage.getFlowState()).toBe('REVERTED');
    expect(second.storage.getAtomState('f_retry')).toBe('REVERTED');
    expect(log).toEqual([]);
  });
});

describe.each(['serial', 'parallel'] as const)('deadlineMs, in a %s engine', (engineKind) => {
  const slow = (log: string[], gate: Promise<unknown>) => {
    const steps = stepsInto(log);
    return linear('f', { retry: times({ attempts: 3 }) }).add(
      steps('a'),
      steps('slow', {
        execute: (_, { signal }) =>
          Promise.race([
            gate,
            new Promise((_resolve, reject) => {
              signal.addEventListener('abort', () => reject(signal.reason as Error));
            }),
          ]),
      }),
    );
  };

  it('cancels a run that takes longer, which rejects with a TimeoutError when it is undone', async () => {
    const environment = manualEnvironment();
    const log: string[] = [];
    const engine = await load(slow(log, new Gate().promise), { engine: engineKind, environment, deadlineMs: 1000 });
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(999);
    await settled();
    expect(log).toEqual(['execute a', 'execute slow']);
    environment.clock.advance(1);
    const error = await thrown;
    expect(error).toBeInstanceOf(TimeoutError);
    expect((error as Error).message).toBe('The run of f took longer than 1000 ms');
    expect(log.slice(2)).toEqual(['revert slow', 'revert a']);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(environment.clock.pending).toBe(0);
  });

  it('leaves no timer behind a run that is done in time', async () => {
    const environment = manualEnvironment();
    const engine = await load(slow([], Promise.resolve()), { engine: engineKind, environment, deadlineMs: 1000 });
    expect(await engine.run()).toBe('SUCCESS');
    expect(environment.clock.delays).toContain(1000);
    expect(environment.clock.pending).toBe(0);
  });

  it('is for each run anew, and a run that ended SUCCESS stays so', async () => {
    const environment = manualEnvironment();
    const engine = await load(slow([], Promise.resolve()), { engine: engineKind, environment, deadlineMs: 1000 });
    await engine.run();
    environment.clock.advance(5000);
    expect(await engine.run()).toBe('SUCCESS');
    await engine.reset();
    expect(await engine.run()).toBe('SUCCESS');
  });

  it('is durable: whoever takes the run up, has what is left', async () => {
    const backend = memoryBackend();
    const dead = manualEnvironment();
    const options = { engine: engineKind, backend };
    const first = await load(slow([], new Gate().promise), { ...options, environment: dead, deadlineMs: 1000 });
    void first.run();
    await settled();
    await settled();
    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
    const environment = manualEnvironment();
    environment.clock.advance(600);
    const log: string[] = [];
    const second = await load(slow(log, new Gate().promise), { ...options, environment, flowDetail });
    const thrown = rejection(second.run());
    await settled();
    await settled();
    expect(environment.clock.delays).toContain(400);
    environment.clock.advance(400);
    expect(await thrown).toMatchObject({ name: 'TimeoutError', limitMs: 1000 });
    expect(log).toEqual(['execute slow', 'revert slow', 'revert a']);
  });
});

describe('what is refused', () => {
  it.each([0, -1, NaN, Infinity, '5', null])('deadlineMs of %j', async (deadlineMs) => {
    await expect(load(linear('f'), { deadlineMs: deadlineMs as number })).rejects.toThrow(
      /deadlineMs takes milliseconds above 0, got/,
    );
  });

  it('options of suspend() that it does not take', async () => {
    const engine = await load(linear('f'));
    expect(() => engine.suspend({ abort: true } as object)).toThrow(/suspend\(\) takes abortRunning, got abort/);
    expect(() => engine.suspend({ abortRunning: 1 as unknown as boolean })).toThrow(
      /abortRunning takes true or false, got 1/,
    );
  });
});
