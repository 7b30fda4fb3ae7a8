import mysql from 'mysql2';
import { describe, expect, it } from 'vitest';
import { DuplicateError, StorageError } from '../../src/errors.js';
import { put } from '../../src/persistence/atom-details.js';
import { mysqlBackend } from '../../src/persistence/backends/sql/mysql.js';
import { fetch } from '../../src/persistence/fetch.js';
import { usingConnection } from '../../src/persistence/using-connection.js';
import { mariadb } from '../servers/mariadb.js';
import { newSqlPlace } from '../servers/place.js';
import type { SqlPlace } from '../servers/place.js';
import { describeWithServer } from '../servers/server.js';
import { aBook, aFlow, aTask } from './made-up-runs.js';
import { describeServerBackend } from './server-suite.js';

await describeWithServer(mariadb, (url) => {
  describeServerBackend({
    name: 'MySQL',
    url,
    driver: 'mysql2',
    make: mysqlBackend,
    commitRequest: 'last_commit',
    back: [
      'drop index flow_details_by_state on flow_details',
      ...['created_at', 'updated_at', 'fence', 'last_commit'].map(
        (column) => `alter table flow_details drop column ${column}`,
      ),
      'drop table journal_entries',
      "delete from flowstate_migrations where name > '0002'",
    ],
    async cut(place) {
      const sessions = await place.run(
        `select id from information_schema.processlist where db = database() and id <> connection_id()`,
      );
      for (const { id } of sessions) await place.run(`kill ${String(id)}`);
    },
  });

  describe('MySQL persistence', () => {
    async function inPlace(work: (place: SqlPlace) => Promise<void>): Promise<void> {
      const place = await newSqlPlace(url);
      if (place === null) throw new Error(`${url} names no server`);
      try {
        await work(place);
      } finally {
        await place.drop();
      }
    }

    it('goes on with an upgrade that died half-way', () =>
      inPlace(async (place) => {
        const first = await fetch(place.url);
        await usingConnection(first, (connection) => connection.upgrade());
        await first.close();
        // What there is when it died: some of the changes of the second step, and no note that it was made.
        await place.run('drop table journal_entries');
        await place.run("delete from flowstate_migrations where name > '0002'");
        await place.run('alter table flow_details drop column last_commit');
        await place.run('drop index flow_details_by_state on flow_details');
        const backend = await fetch(place.url);
        const flow = aFlow('f', aTask('a'));
        await usingConnection(backend, async (connection) => {
          await connection.upgrade();
          await connection.validate();
          const book = await connection.saveLogbook(aBook('book', flow));
          await connection.commit({ flowUuid: flow.uuid, id: 'x', expectedRevision: 0, atoms: [] });
          expect((await connection.getLogbook(book.uuid)).flows).toEqual([{ ...flow, revision: 1, lastCommit: 'x' }]);
        });
        await backend.close();
      }));

    it.each(['callbacks', 'promises'])(
      "uses a pool of the caller's in the manner of %s, and leaves it open",
      (manner) =>
        inPlace(async (place) => {
          const pool = mysql.createPool({ uri: place.url, supportBigNumbers: true, bigNumberStrings: true });
          const backend = mysqlBackend({ pool: manner === 'callbacks' ? pool : pool.promise() });
          const [a, b] = [aTask('a', 0), aTask('b', 1)];
          const flow = aFlow('f', a, b);
          await usingConnection(backend, async (connection) => {
            await connection.upgrade();
            const book = await connection.saveLogbook(aBook('book', flow));
            const done = put(a, 'SUCCESS', 'it\'s \\ "done" \n ?');
            await connection.commit({ flowUuid: flow.uuid, expectedRevision: 0, at: 7, atoms: [done] });
            expect(await connection.getLogbook(book.uuid)).toEqual({
              ...book,
              flows: [{ ...flow, revision: 1, updatedAt: 7, atoms: [done, b] }],
            });
            const stolen = connection.commit({ flowUuid: flow.uuid, expectedRevision: 1, atoms: [aTask('b', 2)] });
            await expect(stolen).rejects.toThrow(DuplicateError);
          });
          await backend.close();
          await expect(pool.promise().query('select 1')).resolves.toBeDefined();
          await pool.promise().end();
        }),
    );

    it('does not let anybody in with a wrong password, nor tell it', () =>
      inPlace(async (place) => {
        const user = `flowstate_${process.pid}`;
        await place.run(`create or replace user ${user} identified by 'right'`);
        try {
          const backend = await fetch({ connection: place.url, user, password: 'geheim' });
          const refused = usingConnection(backend, (connection) => connection.upgrade());
          await expect(refused).rejects.toThrow(StorageError);
          await expect(refused).rejects.toThrow(/Access denied for user/);
          await expect(refused).rejects.not.toThrow(/geheim/);
          await backend.close();
        } finally {
          await place.run(`drop user ${user}`);
        }
      }));
  });
});
