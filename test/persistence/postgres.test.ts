import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { put } from '../../src/persistence/atom-details.js';
import { postgresBackend } from '../../src/persistence/backends/sql/postgres.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { newSqlPlace } from '../servers/place.js';
import { postgres } from '../servers/postgres.js';
import { describeWithServer } from '../servers/server.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { describeServerBackend } from './server-suite.js';

await describeWithServer(postgres, (url) => {
  describeServerBackend({
    name: 'PostgreSQL',
    url,
    driver: 'pg',
    make: postgresBackend,
    commitRequest: 'advanced',
    back: [
      'drop index flow_details_by_state',
      'alter table flow_details drop created_at, drop updated_at, drop fence, drop last_commit',
      'drop table journal_entries',
      "delete from flowstate_migrations where name > '0002'",
    ],
    cut: (place) =>
      place.run(
        `select pg_terminate_backend(pid) from pg_stat_activity
         where application_name = 'flowstate' and query like '%${new URL(place.url).searchParams.get('schema')}%'`,
      ),
  });

  describe('PostgreSQL persistence', () => {
    it("uses a pool of the caller's, and leaves it open", async () => {
      const place = await newSqlPlace(url);
      const schema = new URL(place?.url ?? '').searchParams.get('schema') ?? '';
      const pool = new pg.Pool({ connectionString: url, max: 2 });
      try {
        const backend = postgresBackend({ pool, schema });
        const atom = put(aTask('a'), 'SUCCESS', { rows: [1] });
        const flow = aFlow('f', atom);
        await usingConnection(backend, async (connection) => {
          await connection.upgrade();
          const book = await connection.saveLogbook(aBook('book', flow));
          await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, at: 5, atoms: [atom] });
          expect(await connection.getLogbook(book.uuid)).toEqual({
            ...book,
            flows: [{ ...flow, revision: 1, updatedAt: 5 }],
          });
        });
        await backend.close();
        const { rows } = await pool.query<{ type: string }>(
          `select pg_typeof(results)::text as type from ${schema}.atom_details`,
        );
        expect(rows).toEqual([{ type: 'json' }]);
      } finally {
        await pool.end();
        await place?.drop();
      }
    });
  });
});
