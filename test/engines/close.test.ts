import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import type { TaskContext } from '../../src/atoms/task.js';
import { load } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';

/** Resolves when the task is told to stop. */
async function aborted({ signal }: TaskContext): Promise<string> {
  if (!signal.aborted) await once(signal, 'abort');
  return 'told to stop';
}

const flow = (started: () => void) =>
  linear('f').add(
    task({
      name: 'a',
      execute: (_, context) => {
        started();
        return aborted(context);
      },
    }),
    task({ name: 'b', execute: () => 'b' }),
  );

describe.each(['serial', 'parallel'] as const)('closing a %s engine', (engineKind) => {
  it('in the middle of a run suspends it, tells its atoms, and waits for them', async () => {
    const backend = memoryBackend();
    let closed: Promise<void> | undefined;
    const engine = await load(
      flow(() => {
        closed ??= engine.close();
      }),
      { backend, engine: engineKind },
    );
    expect(await engine.run()).toBe('SUSPENDED');
    await closed;
    expect(engine.storage.get('a')).toBe('told to stop');
    expect(engine.storage.getAtomState('b')).toBe('PENDING');
    const stored = await (await backend.getConnection()).getFlowDetail(engine.storage.flowUuid);
    expect(stored.state).toBe('SUSPENDED');
    await expect(engine.run()).rejects.toThrow('closed');
  });

  it('brings a run to its end whose stages nobody asks for any more', async () => {
    const engine = await load(linear('f').add(task({ name: 'a', execute: () => 1 })), { engine: engineKind });
    const stages = engine.runIter();
    expect((await stages.next()).value).toBe('RESUMING');
    await engine.close();
    expect(engine.storage.getFlowState()).toBe('SUSPENDED');
    expect(await stages.next()).toEqual({ value: undefined, done: true });
  });

  it('tells once those who asked to be told, and at once who asks later', async () => {
    const engine = await load(linear('f').add(task({ name: 'a', execute: () => 1 })), { engine: engineKind });
    const told: string[] = [];
    engine.onClose(() => told.push('one'));
    engine.onClose(() => told.push('another'))[Symbol.dispose]();
    expect(told).toEqual([]);
    await engine.close();
    await engine.close();
    expect(told).toEqual(['one']);
    engine.onClose(() => told.push('late'));
    expect(told).toEqual(['one', 'late']);
  });

  it('twice is once', async () => {
    const engine = await load(linear('f').add(task({ name: 'a', execute: () => 1 })), { engine: engineKind });
    await Promise.all([engine.close(), engine.close()]);
    await engine.close();
  });
});
