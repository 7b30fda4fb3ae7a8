import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import { NotFoundError } from '../../src/errors.js';
import { load, run } from '../../src/engines/load.js';
import { linear } from '../../src/flows/linear.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import { newLogBook } from '../../src/persistence/books.js';

const idle = () => linear('idle', { meta: { team: 'billing' } }).add(task({ name: 'rest', execute: () => 1 }));

describe('loading an engine', () => {
  it("keeps the flow's metadata with the run", async () => {
    const backend = memoryBackend();
    const engine = await load(idle(), { backend });
    expect(engine.storage.flowMeta).toEqual({ team: 'billing' });
    const connection = await backend.getConnection();
    expect((await connection.getFlowDetail(engine.storage.flowUuid)).meta).toEqual({ team: 'billing' });
  });

  it('enters a new run in the book that it is given', async () => {
    const backend = memoryBackend();
    const book = newLogBook({ name: 'trips' });
    const first = await load(idle(), { backend, book });
    const second = await load(idle(), { backend, book });
    const connection = await backend.getConnection();
    const flows = await connection.getFlowsForBook(book.uuid);
    expect(flows.map(({ uuid }) => uuid)).toEqual([first.storage.flowUuid, second.storage.flowUuid]);
  });

  it('opens a backend by its URL, and closes it with the engine', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'flowstate-load-'));
    try {
      const engine = await load(idle(), { backend: `sqlite:${join(folder, 'runs.db')}` });
      expect(await engine.run()).toBe('SUCCESS');
      await engine.close();
      await expect(engine.run()).rejects.toThrow('is closed');
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('leaves a backend open that it was given', async () => {
    const backend = memoryBackend();
    const engine = await load(idle(), { backend });
    await engine.close();
    await expect((await backend.getConnection()).getLogbooks()).resolves.toHaveLength(1);
  });

  it('names the backends that there are', async () => {
    await expect(load(idle(), { backend: 'mongodb:runs' })).rejects.toThrow(NotFoundError);
    await expect(load(idle(), { backend: 'mongodb:runs' })).rejects.toThrow(/memory.*sqlite/);
  });

  it('runs a single task', async () => {
    expect(await run(task({ name: 'only', provides: 'answer', execute: () => 42 }))).toEqual({ answer: 42 });
  });
});
