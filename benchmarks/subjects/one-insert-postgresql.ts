import pg from 'pg';
import type { Plan } from '../plan.js';
import { argumentsOf } from '../plan.js';
import type { Outcome } from './subject.js';

/** What `one-insert` is for SQLite: one row for each task, each insert durable before the next task runs. */
export async function insertIntoPostgresql({ tasks }: Plan, url: string): Promise<Outcome> {
  const schema = new URL(url).searchParams.get('schema') ?? 'public';
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(`create schema ${schema}`);
  await client.query(
    `create table ${schema}.step (position integer primary key, name text not null, state text not null, result json not null)`,
  );
  const text = `insert into ${schema}.step values ($1, $2, $3, $4)`;
  const results: unknown[] = [];
  for (const task of tasks) {
    const result = await task.execute(argumentsOf(task, results));
    results.push(result);
    const values = [results.length, task.name, 'SUCCESS', JSON.stringify(result)];
    await client.query({ name: 'insert', text, values });
  }
  const { rows } = await client.query<{ result: unknown }>(`select result from ${schema}.step order by position`);
  return {
    counters: { readinessChecks: 0, commits: tasks.length, vertices: tasks.length, edges: tasks.length - 1 },
    error: null,
    resultOf: (index) => rows[index]?.result,
    close: () => client.end(),
  };
}
