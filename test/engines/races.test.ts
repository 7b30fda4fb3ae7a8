import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { times } from '../../src/atoms/retries.js';
import type { Task, TaskContext } from '../../src/atoms/task.js';
import type { LoadOptions } from '../../src/engines/load.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import { linear } from '../../src/flows/linear.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { VirtualEnvironment } from '../../src/testing/virtual-environment.js';
import { Gate, manualEnvironment, settled } from './manual-environment.js';
import type { StepOptions } from './steps.js';
import { rejection, stepsInto, throwing } from './steps.js';

/* Every row of the table in ARCHITECTURE.md is a test of its name. */

/** Gives up as soon as it is told to. */
async function obedient({ signal }: TaskContext): Promise<never> {
  if (!signal.aborted) await once(signal, 'abort');
  throw signal.reason;
}

interface Stage {
  readonly log: string[];
  readonly environment: VirtualEnvironment;
  readonly steps: (name: string, options?: StepOptions) => Task;
  loaded(flow: Flow, more?: LoadOptions): Promise<Engine>;
}

const RACES: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  async 'an atom completes while its run is being cancelled'({ log, steps, loaded }) {
    const gate = new Gate<string>();
    let result: unknown;
    const slow = steps('slow', { execute: () => gate.promise, revert: (given) => void (result = given.result) });
    const engine = await loaded(linear('f').add(steps('a'), slow, steps('never')));
    const ended = engine.run();
    await settled();
    const cancelled = engine.cancel();
    gate.open('done all the same');
    expect([await ended, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
    expect(log).toEqual(['execute a', 'execute slow', 'revert slow', 'revert a']);
    expect(result).toBe('done all the same');
  },

  async 'the last atom completes while its run is being cancelled'({ log, steps, loaded }) {
    const gate = new Gate();
    const engine = await loaded(linear('f').add(steps('last', { execute: () => gate.promise })));
    const ended = engine.run();
    await settled();
    const cancelled = engine.cancel();
    gate.open();
    expect([await ended, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
    expect(log).toEqual(['execute last', 'revert last']);
  },

  async 'a run is cancelled when all is done, before it has ended'({ log, steps, loaded }) {
    const engine = await loaded(linear('f').add(steps('a')));
    const stages: string[] = [];
    let cancelled: Promise<string> | undefined;
    for await (const stage of engine.runIter()) {
      stages.push(stage);
      if (stage === 'SUCCESS') cancelled = engine.cancel();
    }
    expect(await cancelled).toBe('REVERTED');
    expect(stages.filter((stage) => ['SUCCESS', 'REVERTED'].includes(stage))).toEqual(['SUCCESS', 'REVERTED']);
    expect(log).toEqual(['execute a', 'revert a']);
  },

  async 'an atom gives up because its run is cancelled'({ log, steps, loaded }) {
    let result: unknown = 'none';
    const willing = steps('willing', {
      execute: (_, context) => obedient(context),
      revert: (given) => void (result = given.result),
    });
    const flow = linear('f', { retry: times({ attempts: 5 }) }).add(steps('a'), willing);
    const engine = await loaded(flow);
    const ended = engine.run();
    await settled();
    expect(await engine.cancel(new Error('the customer left'))).toBe('REVERTED');
    expect(await ended).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'execute willing', 'revert willing', 'revert a']);
    expect(result).toBeNull();
    expect(engine.storage.getExecuteFailures().size).toBe(0);
  },

  async 'an atom fails while its run is being cancelled'({ log, steps, loaded }) {
    const gate = new Gate();
    const flow = linear('f', { retry: times({ attempts: 5 }) }).add(
      steps('a'),
      steps('fails', { execute: () => gate.promise }),
    );
    const engine = await loaded(flow);
    const thrown = rejection(engine.run());
    await settled();
    const cancelled = engine.cancel();
    const error = new Error('of its own');
    gate.fail(error);
    expect([await thrown, await cancelled]).toEqual([error, 'REVERTED']);
    expect(log).toEqual(['execute a', 'execute fails', 'revert fails', 'revert a']);
  },

  async 'the time of an atom is up while its run is being cancelled'({ log, steps, environment, loaded }) {
    const deaf = task({ name: 'deaf', timeoutMs: 10, execute: () => new Promise(() => undefined) });
    const engine = await loaded(linear('f').add(steps('a'), deaf));
    const thrown = rejection(engine.run());
    await settled();
    const cancelled = engine.cancel();
    await settled();
    environment.clock.advance(10);
    expect(await thrown).toMatchObject({ name: 'TimeoutError', atom: 'deaf' });
    expect(await cancelled).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'revert a']);
  },

  async 'the time of an atom is up in the same turn as its result'({ environment, loaded }) {
    for (const isInTime of [true, false]) {
      const gate = new Gate();
      const engine = await loaded(linear('f').add(task({ name: 'a', timeoutMs: 10, execute: () => gate.promise })));
      const ended = engine.run().catch((error: unknown) => (error as Error).name);
      await settled();
      if (isInTime) {
        gate.open();
        await settled();
        environment.clock.advance(10);
      } else {
        environment.clock.advance(10);
        gate.open();
      }
      expect(await ended).toBe(isInTime ? 'SUCCESS' : 'TimeoutError');
    }
  },

  async 'an atom fails while its run is being suspended'({ log, steps, loaded }) {
    const gate = new Gate();
    const engine = await loaded(linear('f').add(steps('a'), steps('fails', { execute: () => gate.promise })));
    const ended = engine.run();
    await settled();
    engine.suspend();
    gate.fail(new Error('of its own'));
    expect(await ended).toBe('SUSPENDED');
    expect(log).toEqual(['execute a', 'execute fails']);
    expect(await rejection(engine.run())).toMatchObject({ message: 'of its own' });
    expect(log.slice(2)).toEqual(['revert fails', 'revert a']);
  },

  async 'an atom gives up because its run is suspended with abortRunning'({ log, steps, loaded }) {
    let isObedient = true;
    const willing = steps('willing', { execute: (_, context) => (isObedient ? obedient(context) : 1) });
    const engine = await loaded(linear('f').add(steps('a'), willing, steps('b')));
    const ended = engine.run();
    await settled();
    engine.suspend({ abortRunning: true });
    expect(await ended).toBe('SUSPENDED');
    expect(engine.storage.getAtomState('willing')).toBe('RUNNING');
    isObedient = false;
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a', 'execute willing', 'execute willing', 'execute b']);
  },

  async 'a revert gives up because its run is suspended with abortRunning'({ log, steps, loaded }) {
    let isObedient = true;
    const willing = steps('willing', { revert: (_, context) => (isObedient ? obedient(context) : 1) });
    const engine = await loaded(linear('f').add(willing, steps('fails', { execute: throwing(new Error('no')) })));
    const ended = engine.run();
    await settled();
    engine.suspend({ abortRunning: true });
    expect(await ended).toBe('SUSPENDED');
    expect(engine.storage.getAtomState('willing')).toBe('REVERTING');
    isObedient = false;
    expect(await rejection(engine.run())).toMatchObject({ message: 'no' });
    expect(log.slice(2)).toEqual(['revert fails', 'revert willing', 'revert willing']);
  },

  async 'a run is suspended while a retry waits'({ environment, steps, loaded }) {
    let calls = 0;
    const flow = linear('f', { retry: times({ attempts: 2, delay: 1000 }) }).add(
      steps('a', { execute: () => ((calls += 1) === 1 ? throwing(new Error('no'))() : 1) }),
    );
    const engine = await loaded(flow);
    const ended = engine.run();
    await settled();
    environment.clock.advance(400);
    engine.suspend();
    expect(await ended).toBe('SUSPENDED');
    expect(environment.clock.pending).toBe(0);
    const resumed = engine.run();
    await settled();
    environment.clock.advance(600);
    expect(await resumed).toBe('SUCCESS');
  },

  async 'a run is cancelled while a retry waits'({ log, environment, steps, loaded }) {
    const flow = linear('f', { retry: times({ attempts: 2, delay: 1000 }) }).add(
      steps('a', { execute: throwing(new Error('no')) }),
    );
    const engine = await loaded(linear('all').add(steps('before'), flow));
    const thrown = rejection(engine.run());
    await settled();
    expect(await engine.cancel()).toBe('REVERTED');
    // Nothing has overcome the failure.
    expect(await thrown).toMatchObject({ message: 'no' });
    expect(environment.clock.pending).toBe(0);
    expect(log).toEqual(['execute before', 'execute a', 'revert a', 'revert before']);
  },

  async 'a run is cancelled while a flow is undone to be tried again'({ log, steps, loaded }) {
    const gate = new Gate();
    const flow = linear('f', { retry: times({ attempts: 5 }) }).add(
      steps('a', { revert: () => gate.promise }),
      steps('fails', { execute: throwing(new Error('no')) }),
    );
    const engine = await loaded(flow);
    const thrown = rejection(engine.run());
    await settled();
    const cancelled = engine.cancel();
    gate.open();
    expect([await thrown, await cancelled]).toEqual([expect.objectContaining({ message: 'no' }), 'REVERTED']);
    expect(log).toEqual(['execute a', 'execute fails', 'revert fails', 'revert a']);
  },

  async 'a run is cancelled while it is being reverted'({ log, steps, loaded }) {
    const gate = new Gate();
    let signal: AbortSignal | undefined;
    const slow = steps('slow', {
      revert: (_, context) => {
        signal = context.signal;
        return gate.promise;
      },
    });
    const flow = linear('f').add(steps('a'), slow, steps('fails', { execute: throwing(new Error('no')) }));
    const engine = await loaded(flow);
    const thrown = rejection(engine.run());
    await settled();
    const cancelled = engine.cancel();
    await settled();
    expect(signal?.aborted).toBe(false);
    gate.open();
    expect([await thrown, await cancelled]).toEqual([expect.objectContaining({ message: 'no' }), 'REVERTED']);
    expect(log.slice(3)).toEqual(['revert fails', 'revert slow', 'revert a']);
  },

  async 'a run is cancelled twice'({ log, steps, loaded }) {
    let reason: unknown;
    const willing = steps('willing', {
      execute: (_, context) =>
        obedient(context).finally(() => {
          reason = context.signal.reason;
        }),
    });
    const engine = await loaded(linear('f').add(steps('a'), willing));
    const ended = engine.run();
    await settled();
    const both = [engine.cancel('first'), engine.cancel('second')];
    expect(await Promise.all([...both, ended])).toEqual(['REVERTED', 'REVERTED', 'REVERTED']);
    expect(reason).toBe('first');
    expect(log).toEqual(['execute a', 'execute willing', 'revert willing', 'revert a']);
  },

  async 'a run is cancelled while it is being prepared'({ log, steps, loaded }) {
    const engine = await loaded(linear('f').add(steps('a')), { backend: memoryBackend() });
    const ended = engine.run();
    const cancelled = engine.cancel();
    expect([await ended, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
    expect(log).toEqual([]);
    expect(await engine.run()).toBe('SUCCESS');
    expect(log).toEqual(['execute a']);
  },

  async 'a run is cancelled when an atom is marked, and has not begun'({ log, steps, loaded }) {
    const engine = await loaded(linear('f').add(steps('a'), steps('b')), { backend: memoryBackend() });
    let cancelled: Promise<string> | undefined;
    engine.atomNotifier.register('RUNNING', (_, details) => {
      if ('taskName' in details && details.taskName === 'b') cancelled ??= engine.cancel();
    });
    expect(await engine.run()).toBe('REVERTED');
    expect(await cancelled).toBe('REVERTED');
    // It may have had effects, for all that is known of it.
    expect(log).toEqual(['execute a', 'revert b', 'revert a']);
  },

  async 'a run is suspended while it is being undone'({ log, steps, loaded }) {
    const [executing, undoing] = [new Gate(), new Gate()];
    const slow = steps('slow', { execute: () => executing.promise, revert: () => undoing.promise });
    const engine = await loaded(linear('f').add(steps('a'), slow));
    const ended = engine.run();
    await settled();
    const cancelled = engine.cancel();
    executing.open();
    await settled();
    engine.suspend();
    undoing.open();
    expect([await ended, await cancelled]).toEqual(['SUSPENDED', 'SUSPENDED']);
    expect(log).toEqual(['execute a', 'execute slow', 'revert slow']);
    expect(await engine.run()).toBe('REVERTED');
    expect(log.slice(3)).toEqual(['revert a']);
  },

  async 'a process ends while it undoes a run'({ steps, log, loaded }) {
    const backend = memoryBackend();
    const flow = (undone: () => unknown) => linear('f').add(steps('a'), steps('b', { revert: undone }), steps('c'));
    const first = await loaded(
      flow(() => new Promise(() => undefined)),
      { backend },
    );
    first.atomNotifier.register('SUCCESS', (_, details) => {
      if ('taskName' in details && details.taskName === 'c') void first.cancel();
    });
    void first.run();
    await settled();
    await settled();
    expect(log.slice(3)).toEqual(['revert c', 'revert b']);
    // The first engine is never heard of again.
    const flowDetail = await (await backend.getConnection()).getFlowDetail(first.storage.flowUuid);
    const second = await loaded(
      flow(() => null),
      { flowDetail },
    );
    expect(await second.run()).toBe('REVERTED');
    expect(log.filter((line) => line === 'revert c')).toHaveLength(1);
    expect(log.slice(-2)).toEqual(['revert b', 'revert a']);
  },

  async 'an engine is closed while its run is being cancelled'({ steps, log, loaded }) {
    const backend = memoryBackend();
    const gate = new Gate();
    const flow = () => linear('f').add(steps('a'), steps('slow', { execute: () => gate.promise }));
    const engine = await loaded(flow(), { backend });
    const ended = engine.run();
    await settled();
    const cancelled = engine.cancel();
    const closed = engine.close();
    gate.open();
    await closed;
    expect([await ended, await cancelled]).toEqual(['SUSPENDED', 'SUSPENDED']);
    const flowDetail = await (await backend.getConnection()).getFlowDetail(engine.storage.flowUuid);
    expect(await (await loaded(flow(), { flowDetail })).run()).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'execute slow', 'revert slow', 'revert a']);
  },

  async 'a deadline passes while its run is suspended'({ steps, log, environment, loaded }) {
    const engine = await loaded(linear('f').add(steps('a'), steps('b')), { deadlineMs: 1000 });
    engine.atomNotifier.register('SUCCESS', () => engine.suspend());
    expect(await engine.run()).toBe('SUSPENDED');
    expect(environment.clock.pending).toBe(0);
    environment.clock.advance(1000);
    expect(await rejection(engine.run())).toMatchObject({ name: 'TimeoutError', atom: null, limitMs: 1000 });
    expect(engine.storage.getFlowState()).toBe('REVERTED');
    expect(log).toEqual(['execute a', 'revert a']);
  },

  async 'a deadline passes while its run is being cancelled'({ steps, environment, loaded }) {
    const gate = new Gate();
    const flow = linear('f').add(steps('slow', { execute: () => gate.promise }));
    const engine = await loaded(flow, { deadlineMs: 1000 });
    const ended = engine.run();
    await settled();
    const cancelled = engine.cancel();
    environment.clock.advance(1000);
    gate.open();
    expect([await ended, await cancelled]).toEqual(['REVERTED', 'REVERTED']);
    expect(environment.clock.pending).toBe(0);
  },
};

const CONFIGURATIONS: [name: string, options: LoadOptions][] = [
  ['serial', { engine: 'serial' }],
  ['serial, checkpoint change', { engine: 'serial', checkpoint: 'change' }],
  ['parallel', { engine: 'parallel' }],
  ['parallel, XState', { engine: 'parallel', interpreter: 'native' }],
];

describe.each(CONFIGURATIONS)('races of %s', (_, options) => {
  it.each(Object.entries(RACES))('%s', async (_name, race) => {
    const environment = manualEnvironment();
    const log: string[] = [];
    const steps = stepsInto(log);
    await race({ log, environment, steps, loaded: (flow, more) => load(flow, { environment, ...options, ...more }) });
  });
});

it('the table of races in ARCHITECTURE.md has a row for each, and no other', async () => {
  const text = await readFile(new URL('../../ARCHITECTURE.md', import.meta.url), 'utf8');
  const section = /^### Races$([\s\S]*?)^##/m.exec(text)?.[1] ?? '';
  const rows = [...section.matchAll(/^\| (?!When|---)(.*?) *\|/gm)].map(([, row]) => row);
  expect(rows).toEqual(Object.keys(RACES));
});
