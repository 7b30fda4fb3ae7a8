import pg from 'pg';
import type { Steps } from './one-insert.js';

/** What `one-insert` is for SQLite: one row for each task, each insert durable before the next task runs. */
export async function openPostgresql(url: string): Promise<Steps> {
  const schema = new URL(url).searchParams.get('schema') ?? 'public';
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create schema ${schema}`);
  await client.query(
    `create table ${schema}.step (position integer primary key, name text not null, state text not null, result json not null)`,
  );
  const text = `insert into ${schema}.step values ($1, $2, $3, $4)`;
  return {
    insert: (...values) => client.query({ name: 'insert', text, values }),
    async results() {
      const { rows } = await client.query<{ result: unknown }>(`select result from ${schema}.step order by position`);
      return (index) => rows[index]?.result;
    },
    close: () => client.end(),
  };
}
