import { describe, expect, it } from 'vitest';
import { StorageError } from '../../src/errors.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { postgresBackend } from '../../src/persistence/backends/sql/postgres.js';
import type { PgClient, PgPool, PgQuery, PgResult } from '../../src/persistence/backends/sql/postgres-driver.js';

interface Scripted {
  readonly pool: PgPool;
  readonly asked: string[];
  /** For each release, whether the connection was destroyed. */
  readonly released: boolean[];
}

/** A pool whose queries end as they are told, one after another; then each affects one row. */
function scripted(...ends: readonly Error[]): Scripted {
  const left = [...ends];
  const asked: string[] = [];
  const released: boolean[] = [];
  const client: PgClient = {
    async query({ text }: PgQuery): Promise<PgResult> {
      asked.push(text);
      const end = left.shift();
      if (end !== undefined) throw end;
      return { command: 'UPDATE', rowCount: 1, rows: [] };
    },
    on: () => undefined,
    release: (destroy) => void released.push(destroy),
    getTypeParser: () => (text) => text,
  };
  const pool = { connect: async () => ({ ...client }), end: async () => undefined, on: () => undefined };
  return { pool, asked, released };
}

const failure = (message: string, code?: string) =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

async function commit(backend: PersistenceBackend): Promise<void> {
  const connection = await backend.getConnection();
  await connection.commit({ flowUuid: 'f', expectedRevision: 0, atoms: [] });
}

describe('PostgreSQL persistence', () => {
  it.each([
    ['a deadlock', failure('deadlock detected', '40P01')],
    ['a transaction that could not be serialized', failure('could not serialize access', '40001')],
  ])('asks again after %s', async (_what, end) => {
    const { pool, asked, released } = scripted(end, end);
    await commit(postgresBackend({ pool }));
    expect(asked).toHaveLength(3);
    expect(new Set(asked).size).toBe(1);
    expect(released).toEqual([false, false, false]);
  });

  it.each([
    failure('Connection terminated unexpectedly'),
    failure('Query read timeout'),
    failure('read ECONNRESET', 'ECONNRESET'),
    failure('terminating connection due to administrator command', '57P01'),
    failure('connection does not exist', '08003'),
  ])('gives up a connection, and does not say that nothing was done, after: %s', async (end) => {
    const { pool, asked, released } = scripted(end);
    const error: unknown = await commit(postgresBackend({ pool })).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StorageError);
    expect((error as StorageError).cause).toBe(end);
    expect([asked.length, released]).toEqual([1, [true]]);
  });

  it('reads again, once, when a connection of the pool turns out to be dead', async () => {
    const end = failure('write EPIPE', 'EPIPE');
    const { pool, asked } = scripted(end);
    const connection = await postgresBackend({ pool }).getConnection();
    expect(await connection.findFlowDetails()).toEqual([]);
    expect(asked.filter((text) => text.startsWith('start transaction'))).toHaveLength(2);
    const dead = await postgresBackend({ pool: scripted(end, end).pool }).getConnection();
    await expect(dead.findFlowDetails()).rejects.toThrow('write EPIPE');
  });

  it('commits a step in one statement, which the server keeps prepared', async () => {
    const { pool, asked } = scripted();
    await commit(postgresBackend({ pool }));
    expect(asked).toHaveLength(1);
  });

  it('does not know errors of no known kind', async () => {
    const { pool, released } = scripted(failure('disk full', '53100'));
    await expect(commit(postgresBackend({ pool }))).rejects.toThrow(
      'postgresql could not commit revision 1 of the flow detail f: disk full',
    );
    expect(released).toEqual([false]);
  });
});
