import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { alwaysRevert, times } from '../../src/atoms/retries.js';
import { Retry } from '../../src/atoms/retry.js';
import type { RetryDecision } from '../../src/atoms/retry.js';
import type { AtomContext, Task, TaskContext } from '../../src/atoms/task.js';
import { load } from '../../src/engines/load.js';
import { TimeoutError } from '../../src/errors.js';
import { asyncExecutor } from '../../src/executors/async.js';
import { Failure } from '../../src/failure.js';
import { linear } from '../../src/flows/linear.js';
import { unordered } from '../../src/flows/unordered.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import { rejection, stepsInto } from './steps.js';

const never = () => new Promise<never>(() => undefined);

/** Gives up as soon as it is told to. */
async function obedient(_: object, { signal }: AtomContext): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

describe.each(['serial', 'parallel'] as const)('timeoutMs, in a %s engine', (engineKind) => {
  const loaded = (flow: Parameters<typeof load>[0], more: object = {}) => {
    const environment = manualEnvironment();
    return load(flow, { engine: engineKind, environment, ...more }).then((engine) => ({ engine, environment }));
  };

  it('fails an atom that takes longer, by name, method and limit, and what ran is reverted', async () => {
    const log: string[] = [];
    const late = task({ name: 'late', timeoutMs: 500, execute: never });
    const { engine, environment } = await loaded(linear('f').add(stepsInto(log)('before'), late));
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(499);
    await settled();
    expect(engine.storage.getAtomState('late')).toBe('RUNNING');
    environment.clock.advance(1);
    const error = await thrown;
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ atom: 'late', method: 'execute', limitMs: 500 });
    expect((error as Error).message).toBe('execute of late took longer than 500 ms');
    expect(log).toEqual(['execute before', 'revert before']);
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(environment.clock.pending).toBe(0);
  });

  it('aborts the signal of that atom alone, with the same error for its reason', async () => {
    const reasons: unknown[] = [];
    let other: AbortSignal | undefined;
    const late = task({
      name: 'late',
      timeoutMs: { execute: 10 },
      execute: async (args, context) => {
        await obedient(args, context).catch((error: unknown) => reasons.push(error));
        throw new Error('not looked at');
      },
    });
    const early = task({ name: 'early', execute: (_, { signal }) => void (other = signal) });
    const { engine, environment } = await loaded(linear('f').add(early, late));
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(10);
    expect([await thrown]).toEqual(reasons);
    expect(other?.aborted).toBe(false);
  });

  it('drops what comes later: result, progress and events', async () => {
    const gate = new Gate<string>();
    let context: TaskContext | undefined;
    const late = task({
      name: 'late',
      provides: 'x',
      timeoutMs: 10,
      execute: (_, given): Promise<string> => {
        context = given;
        return gate.promise;
      },
    });
    const heard: unknown[] = [];
    late.notifier.register('*', (event, { progress }) => heard.push([event, progress]));
    const { engine, environment } = await loaded(linear('f').add(late));
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(10);
    await thrown;
    heard.length = 0;
    context?.progress(0.5);
    gate.open('too late');
    await settled();
    expect(heard).toEqual([]);
    expect(engine.storage.detail('late').results).toBeNull();
    expect(engine.storage.getAtomState('late')).toBe('REVERTED');
  });

  it('is for revert, too: the run ends FAILURE', async () => {
    const stuck = task({ name: 'stuck', timeoutMs: { revert: 20 }, execute: () => 1, revert: never });
    const fails = task({
      name: 'fails',
      execute: () => {
        throw new Error('no');
      },
    });
    const { engine, environment } = await loaded(linear('f').add(stuck, fails));
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(20);
    expect(await thrown).toMatchObject({ name: 'TimeoutError', method: 'revert', limitMs: 20 });
    expect(engine.storage.getAtomState('stuck')).toBe('REVERT_FAILURE');
    expect(engine.storage.getFlowState()).toBe('FAILURE');
  });

  it('is for retries, too', async () => {
    class Slow extends Retry {
      override execute(): Promise<never> {
        return never();
      }
      override onFailure(): RetryDecision {
        return 'REVERT';
      }
    }
    const { engine, environment } = await loaded(linear('f', { retry: new Slow({ timeoutMs: 5 }) }));
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(5);
    expect(await thrown).toMatchObject({ name: 'TimeoutError', atom: 'f_retry' });
  });

  it('is a failure like others: a retry tries again, each time with the whole limit', async () => {
    let calls = 0;
    const flaky = task({ name: 'flaky', timeoutMs: 10, execute: () => (++calls < 3 ? never() : Promise.resolve(1)) });
    const { engine, environment } = await loaded(linear('f', { retry: times({ attempts: 3 }) }).add(flaky));
    const ended = engine.run();
    for (let attempt = 1; attempt < 3; attempt++) {
      await settled();
      expect(calls).toBe(attempt);
      environment.clock.advance(10);
    }
    expect(await ended).toBe('SUCCESS');
    expect(environment.clock.pending).toBe(0);
  });

  it('leaves no timer when the atom ends in time, whether at once or later', async () => {
    const gate = new Gate();
    const soon = task({ name: 'soon', timeoutMs: 10, execute: () => 1 });
    const later = task({ name: 'later', timeoutMs: 10, execute: () => gate.promise });
    const { engine, environment } = await loaded(linear('f').add(soon, later));
    const ended = engine.run();
    await settled();
    expect(environment.clock.pending).toBe(1);
    gate.open();
    expect(await ended).toBe('SUCCESS');
    expect(environment.clock.pending).toBe(0);
    expect(environment.clock.delays).toContain(10);
  });

  it('is kept with the run as a failure that says the same', async () => {
    const backend = memoryBackend();
    const late = task({ name: 'late', timeoutMs: 500, execute: never });
    const { engine, environment } = await loaded(linear('f', { retry: alwaysRevert() }).add(late), { backend });
    const thrown = rejection(engine.run());
    await settled();
    environment.clock.advance(500);
    await thrown;
    const stored = await (await backend.getConnection()).getFlowDetail(engine.storage.flowUuid);
    const failure = stored.atoms.find(({ name }) => name === 'late')?.failure;
    expect(failure).toBeInstanceOf(Failure);
    expect(failure?.check('ExecutionError')).toBe('ExecutionError');
    expect(failure?.properties).toMatchObject({ atom: 'late', method: 'execute', limitMs: 500 });
  });
});

it('timeoutMs does not count time in which an atom waits for a worker', async () => {
  const environment = manualEnvironment();
  const gates = [new Gate(), new Gate()];
  const [first, second] = gates.map((gate, at) =>
    task({ name: `t${at}`, timeoutMs: 10, execute: () => gate.promise }),
  ) as [Task, Task];
  const executor = asyncExecutor({ maxWorkers: 1 });
  const engine = await load(unordered('f').add(first, second), { engine: 'parallel', executor, environment });
  const ended = engine.run();
  await settled();
  environment.clock.advance(9);
  gates[0]?.open();
  await settled();
  environment.clock.advance(9);
  gates[1]?.open();
  expect(await ended).toBe('SUCCESS');
});

it('timeoutMs gives the place of an atom that does not listen to others', async () => {
  const environment = manualEnvironment();
  const log: string[] = [];
  const [deaf, other] = [0, 1].map((at) =>
    task({
      name: `t${at}`,
      timeoutMs: 10,
      execute: never,
      revert: () => void log.push(`revert t${at}`),
    }),
  ) as [Task, Task];
  const executor = asyncExecutor({ maxWorkers: 1 });
  const engine = await load(unordered('f').add(deaf, other), { engine: 'parallel', executor, environment });
  const thrown = rejection(engine.run());
  for (let round = 0; round < 2; round++) {
    await settled();
    environment.clock.advance(10);
  }
  expect((await thrown) as Error).toMatchObject({ name: 'WrappedFailureError' });
  expect(log.toSorted()).toEqual(['revert t0', 'revert t1']);
});

describe('timeoutMs refuses', () => {
  const made = (timeoutMs: unknown) => () => task({ name: 'a', timeoutMs: timeoutMs as number, execute: () => 1 });
  it.each([0, -1, NaN, Infinity])('%s', (given) => {
    expect(made(given)).toThrow(RangeError);
    expect(made(given)).toThrow(/timeoutMs of task 'a' takes milliseconds above 0.*got/);
    expect(made({ revert: given })).toThrow(/timeoutMs\.revert of task 'a' takes milliseconds above 0, got/);
  });
  it.each(['5', null, [5], true])('%j', (given) => {
    expect(made(given)).toThrow(TypeError);
    expect(made({ execute: given })).toThrow(/timeoutMs\.execute of task 'a'/);
  });
  it('an object with another name', () => {
    expect(made({ exec: 5 })).toThrow(/execute and revert, got "exec"|execute and revert, got 'exec'/);
  });
});
