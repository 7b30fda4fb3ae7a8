import type { Plan } from '../plan.js';
import { argumentsOf } from '../plan.js';
import type { Outcome, RunOptions, Subject } from './subject.js';

const TABLE = `create table step (
  position integer primary key, name text not null, state text not null, result text not null
)`;

/**
 * Runs tasks one after another and commits one row for each: what durability costs by itself, on the same driver and
 * with the same settings as the backend.
 */
export const oneInsert: Subject = {
  build: (plan) => ({ run: (options) => run(plan, options) }),
};

async function run(plan: Plan, { store }: RunOptions): Promise<Outcome> {
  if (store === null) throw new TypeError('one-insert takes a durable workload, got one without a store');
  if (store.kind === 'postgresql')
    return (await import('./one-insert-postgresql.js')).insertIntoPostgresql(plan, store.url);
  const { tasks } = plan;
  const { default: Database } = await import('libsql');
  const database = new Database(store.file);
  database.exec(`PRAGMA synchronous = ${store.synchronous}`);
  database.prepare('PRAGMA journal_mode = WAL').all([]);
  database.exec(TABLE);
  const insert = database.prepare('insert into step values (?, ?, ?, ?)');
  const results: unknown[] = [];
  for (const task of tasks) {
    const result = await task.execute(argumentsOf(task, results));
    results.push(result);
    insert.run([results.length, task.name, 'SUCCESS', JSON.stringify(result)]);
  }
  let stored: unknown[] | undefined;
  const read = () => (stored ??= database.prepare('select result from step order by position').all([]));
  return {
    counters: { readinessChecks: 0, commits: tasks.length, vertices: tasks.length, edges: tasks.length - 1 },
    error: null,
    resultOf: (index) => resultIn(read()[index]),
    close: async () => void database.close(),
  };
}

function resultIn(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || !('result' in row) || typeof row.result !== 'string') return undefined;
  return JSON.parse(row.result);
}
