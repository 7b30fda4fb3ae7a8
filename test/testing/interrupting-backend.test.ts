import { describe, expect, it } from 'vitest';
import { put } from '../../src/persistence/atom-details.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { describePersistenceBackend } from '../persistence/backend-suite.js';
import {
  dieAfter,
  dieBefore,
  failAfter,
  failBefore,
  interrupting,
  never,
  restored,
  snapshotOf,
} from '../../src/testing/interrupting-backend.js';
import type { Interruption } from '../../src/testing/interrupting-backend.js';
import { aBook, aFlow, aTask } from '../persistence/made-up-runs.js';

describePersistenceBackend('never interrupted memory', () => interrupting(memoryBackend(), never), { runs: false });

describe('an interrupting backend', () => {
  const atom = aTask('a');
  const flow = aFlow('f', atom);

  async function openedWith(interruption: Interruption) {
    const within: PersistenceBackend = memoryBackend();
    const backend = interrupting(within, interruption);
    const connection = await backend.getConnection();
    await connection.saveLogbook(aBook('book', flow));
    const revision = async () => (await (await within.getConnection()).getFlowDetail(flow.uuid)).revision;
    return { backend, connection, revision };
  }

  const step = (connection: Connection, expectedRevision: number) =>
    connection.commit({ flowUuid: flow.uuid, expectedRevision, atoms: [put(atom, 'SUCCESS', expectedRevision)] });

  it('counts commits and keeps what they were', async () => {
    const { backend, connection } = await openedWith(never);
    await step(connection, 0);
    await step(await backend.getConnection(), 1);
    expect(backend.commits).toBe(2);
    expect(backend.units.map((unit) => unit.expectedRevision)).toEqual([0, 1]);
  });

  it('fails one before it is made', async () => {
    const { connection, revision } = await openedWith(failBefore(2, new Error('no')));
    await step(connection, 0);
    await expect(step(connection, 1)).rejects.toThrow('no');
    expect(await revision()).toBe(1);
    await step(connection, 1);
  });

  it('fails one after it was made', async () => {
    const { connection, revision } = await openedWith(failAfter(1, new Error('no')));
    await expect(step(connection, 0)).rejects.toThrow('no');
    expect(await revision()).toBe(1);
  });

  it.each([
    ['before', dieBefore(2), 1],
    ['after', dieAfter(2), 2],
  ])('dies %s one, and answers no more', async (_when, death, expected) => {
    const { connection, revision } = await openedWith(death);
    await step(connection, 0);
    let answered = false;
    void step(connection, 1).finally(() => (answered = true));
    await death.died;
    void step(connection, 2).finally(() => (answered = true));
    expect([await revision(), answered]).toEqual([expected, false]);
  });

  it('can be photographed, and the photograph lived in', async () => {
    const { backend, connection } = await openedWith(never);
    await step(connection, 0);
    const snapshot = await snapshotOf(backend);
    await step(connection, 1);
    const copy = await restored(snapshot, memoryBackend());
    expect(await snapshotOf(copy)).toEqual(snapshot);
    await step(await copy.getConnection(), 1);
    expect(await snapshotOf(copy)).toEqual(await snapshotOf(backend));
  });
});
