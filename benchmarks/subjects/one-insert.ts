import { argumentsOf } from '../plan.js';
import type { Store, Subject } from './subject.js';

const TABLE = `create table step (
  position integer primary key, name text not null, state text not null, result text not null
)`;

/**
 * Runs tasks one after another and commits one row for each: what durability costs by itself, on the same driver and
 * with the same settings as the backend.
 */
export const oneInsert: Subject = {
  build({ tasks }) {
    let steps: Steps | null = null;
    return {
      async prepare({ store }) {
        steps = await open(store);
      },
      async run() {
        if (steps === null) throw new TypeError('one-insert takes an open store');
        const { insert, results: stored, close } = steps;
        const results: unknown[] = [];
        for (const task of tasks) {
          const result = await task.execute(argumentsOf(task, results));
          results.push(result);
          const inserted = insert(results.length, task.name, 'SUCCESS', JSON.stringify(result));
          if (inserted !== undefined) await inserted;
        }
        return {
          counters: { readinessChecks: 0, commits: tasks.length, vertices: tasks.length, edges: tasks.length - 1 },
          error: null,
          resultOf: await stored(),
          close,
        };
      },
    };
  },
};

/** The open table of steps. */
export interface Steps {
  /** It is durable when what is returned resolves, or at once. */
  insert(position: number, name: string, state: string, result: string): Promise<unknown> | undefined;
  /** Gives what is kept of each step. */
  results(): Promise<(index: number) => unknown>;
  close(): Promise<void>;
}

async function open(store: Store | null): Promise<Steps> {
  if (store === null) throw new TypeError('one-insert takes a durable workload, got one without a store');
  if (store.kind === 'postgresql') return (await import('./one-insert-postgresql.js')).openPostgresql(store.url);
  const { default: Database } = await import('libsql');
  const database = new Database(store.file);
  database.exec(`PRAGMA synchronous = ${store.synchronous}`);
  database.prepare('PRAGMA journal_mode = WAL').all([]);
  database.exec(TABLE);
  const statement = database.prepare('insert into step values (?, ?, ?, ?)');
  return {
    insert: (...step) => void statement.run(step),
    async results() {
      let rows: unknown[] | undefined;
      const read = () => (rows ??= database.prepare('select result from step order by position').all([]));
      return (index) => resultIn(read()[index]);
    },
    close: async () => void database.close(),
  };
}

function resultIn(row: unknown): unknown {
  if (typeof row !== 'object' || row === null || !('result' in row) || typeof row.result !== 'string') return undefined;
  return JSON.parse(row.result);
}
