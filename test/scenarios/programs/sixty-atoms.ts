import { appendFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { task } from '../../../src/atoms/function-task.js';
import { times } from '../../../src/atoms/retries.js';
import type { Task } from '../../../src/atoms/task.js';
import { load } from '../../../src/engines/load.js';
import type { Flow } from '../../../src/flows/flow.js';
import { linear } from '../../../src/flows/linear.js';
import { unordered } from '../../../src/flows/unordered.js';
import { createFlowDetail, newLogBook } from '../../../src/persistence/books.js';
import { sqliteBackend } from '../../../src/persistence/backends/sql/sqlite.js';
import { usingConnection } from '../../../src/persistence/using-connection.js';

/*
 * Runs a flow of sixty atoms on a database file, and writes a line to another file whenever an atom begins and ends.
 * It takes up the run that it finds in the database; it can be killed at any time.
 *
 * Arguments: the database file, the other file, the kind of engine.
 */

const [database = '', ledger = '', kind = 'serial'] = process.argv.slice(2);

/** One line is one write: it is there whole, or not at all. */
function note(line: string): void {
  appendFileSync(ledger, `${line}\n`);
}

function atom(number: number): Task {
  const name = `t${number}`;
  return task({
    name,
    provides: `s${number}`,
    requires: number % 10 === 0 ? [] : [`s${number - 1}`],
    execute: async (_, { idempotencyKey }) => {
      note(`begin ${name} ${idempotencyKey}`);
      await setTimeout(2);
      note(`end ${name} ${idempotencyKey}`);
      return number;
    },
  });
}

/** Five chains of ten side by side, then one of nine, under a retry. */
function sixtyAtoms(): Flow {
  const chain = (first: number, length: number) =>
    linear(`chain ${first}`).addAll(Array.from({ length }, (_, i) => atom(first + i)));
  const chains = unordered('chains').addAll(Array.from({ length: 5 }, (_, i) => chain(10 * i, 10)));
  return linear('sixty', { retry: times({ name: 'again' }) }).add(chains, chain(50, 9));
}

const backend = sqliteBackend({ path: database });
await usingConnection(backend, (connection) => connection.upgrade());
const books = await usingConnection(backend, (connection) => connection.getLogbooks());
const found = books[0]?.flows[0];
const flowDetail =
  found ?? (await createFlowDetail('sixty', { backend, book: newLogBook({ name: 'runs' }) })).flowDetail;
const engine = await load(sixtyAtoms(), {
  backend,
  flowDetail,
  engine: kind === 'parallel' ? 'parallel' : 'serial',
  maxWorkers: 4,
});
note(`ran ${await engine.run()}`);
await engine.close();
await backend.close();
