import { describe, expect, it, vi } from 'vitest';
import { times } from '../../src/atoms/retries.js';
import type { Engine } from '../../src/engines/engine.js';
import { load } from '../../src/engines/load.js';
import { StorageError } from '../../src/errors.js';
import { linear } from '../../src/flows/linear.js';
import { DurationListener, PrintingDurationListener } from '../../src/listeners/duration-listener.js';
import { EventTimeListener } from '../../src/listeners/event-time-listener.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { manualEnvironment } from '../engines/manual-environment.js';
import { rejection, step } from '../engines/steps.js';
import { RecordingLogger } from './recording-logger.js';

const environment = manualEnvironment();
const { clock } = environment;
const taking = (ms: number) => () => {
  clock.advance(ms);
  return null;
};
const failing = (ms: number) => () => {
  clock.advance(ms);
  throw new Error('Woot!');
};

async function stored(engine: Engine, backend: ReturnType<typeof memoryBackend>) {
  const connection = await backend.getConnection();
  const { meta, atoms } = await connection.getFlowDetail(engine.storage.flowUuid);
  return { meta, atoms: new Map(atoms.map((atom) => [atom.name, atom.meta])) };
}

describe('the duration listener', () => {
  it('keeps with the run how long the flow and its tasks took, in milliseconds', async () => {
    const backend = memoryBackend();
    const flow = linear('f', { retry: times({ name: 'r' }) }).add(
      step('a', { execute: taking(100) }),
      step('b', { execute: taking(2500) }),
    );
    const engine = await load(flow, { environment, backend });
    await new DurationListener(engine).during(() => engine.run());
    const { meta, atoms } = await stored(engine, backend);
    expect(meta).toMatchObject({ durationMs: 2600 });
    expect(atoms.get('a')).toMatchObject({ durationMs: 100 });
    expect(atoms.get('b')).toMatchObject({ durationMs: 2500 });
    expect(atoms.get('r')).not.toHaveProperty('durationMs');
  });

  it('times an undoing for itself', async () => {
    const flow = linear('f').add(
      step('a', { execute: taking(100), revert: taking(30) }),
      step('b', { execute: failing(5) }),
    );
    const engine = await load(flow, { environment });
    await rejection(new DurationListener(engine).during(() => engine.run()));
    expect(engine.storage.detail('a').meta).toMatchObject({ durationMs: 30 });
    expect(engine.storage.flowMeta).toMatchObject({ durationMs: 135 });
  });

  it('goes on timing a flow that is suspended', async () => {
    const engine = await load(
      linear('f').add(step('a', { execute: taking(100) }), step('b', { execute: taking(50) })),
      {
        environment,
      },
    );
    const logger = new RecordingLogger();
    const listener = new DurationListener(engine, { logger }).register();
    using _suspending = engine.atomNotifier.register('SUCCESS', (_, details) => {
      if ('taskName' in details && details.taskName === 'a') engine.suspend();
    });
    expect(await engine.run()).toBe('SUSPENDED');
    expect(engine.storage.flowMeta).not.toHaveProperty('durationMs');
    listener.deregister();
    expect(logger.entries).toEqual([['warn', '1 tasks or flows were begun and have not ended: they were not timed']]);
    listener.register().deregister();
    expect(logger.entries).toHaveLength(1);
  });

  it('forgets what goes back to PENDING', async () => {
    const engine = await load(linear('f').add(step('a')), { environment });
    const listener = new DurationListener(engine).register();
    await engine.run();
    const details = { taskName: 'a', taskUuid: 'u', oldState: 'PENDING' } as const;
    engine.storage.updateAtomMetadata('a', { durationMs: null });
    for (const state of ['RUNNING', 'PENDING', 'SUCCESS']) engine.atomNotifier.notify(state, details);
    expect(engine.storage.detail('a').meta).toMatchObject({ durationMs: null });
    listener.deregister();
  });

  it('warns once of each duration that cannot be kept', async () => {
    const engine = await load(linear('f').add(step('a')), { environment });
    const logger = new RecordingLogger();
    vi.spyOn(engine.storage, 'updateAtomMetadata').mockImplementation(() => {
      throw new StorageError('Woot!');
    });
    await new DurationListener(engine, { logger }).during(() => engine.run());
    expect(logger.entries).toEqual([['warn', "The duration of the task 'a' could not be kept: Woot!"]]);
    expect(engine.statistics.listenerErrors).toBe(0);
    expect(engine.storage.flowMeta).toMatchObject({ durationMs: 0 });
  });

  it('prints when that is asked for', async () => {
    const output = { text: '', write: (text: string) => (output.text += text) };
    const engine = await load(linear('f').add(step('a', { execute: taking(1234) })), { environment });
    await new PrintingDurationListener(engine, { output }).during(() => engine.run());
    expect(output.text).toBe(
      [
        "'f' flow started.",
        "'a' task started.",
        "It took task 'a' 1.23 seconds to finish.",
        "It took flow 'f' 1.23 seconds to finish.",
        '',
      ].join('\n'),
    );
  });
});

describe('the event time listener', () => {
  it('keeps with the run when the flow, its tasks and its retries came into their states', async () => {
    const backend = memoryBackend();
    const begin = clock.now();
    const flow = linear('f', { retry: times({ name: 'r' }) }).add(step('a', { execute: taking(100) }));
    const engine = await load(flow, { environment, backend });
    await new EventTimeListener(engine).during(() => engine.run());
    const { meta, atoms } = await stored(engine, backend);
    expect(meta).toMatchObject({ 'RUNNING-timestampMs': begin, 'SUCCESS-timestampMs': begin + 100 });
    expect(atoms.get('a')).toMatchObject({ 'RUNNING-timestampMs': begin, 'SUCCESS-timestampMs': begin + 100 });
    expect(atoms.get('r')).toMatchObject({ 'RUNNING-timestampMs': begin, 'SUCCESS-timestampMs': begin });
  });

  it('warns of what cannot be kept', async () => {
    const engine = await load(linear('f').add(step('a')), { environment });
    const logger = new RecordingLogger();
    vi.spyOn(engine.storage, 'updateFlowMetadata').mockImplementation(() => {
      throw new StorageError('Woot!');
    });
    await new EventTimeListener(engine, { logger }).during(() => engine.run());
    expect(logger.entries).toEqual([
      ['warn', "The time at which the flow 'f' became RUNNING could not be kept: Woot!"],
      ['warn', "The time at which the flow 'f' became SUCCESS could not be kept: Woot!"],
    ]);
  });
});
