import { persistence } from 'flowstate';
import type { Connection, FlowDetail, PersistenceBackend } from 'flowstate';
import { planSchema } from './plan.js';
import type { Plan } from './plan.js';

const NAME = 'publish-directory';
/** Runs whose records are kept. */
const MOST_RUNS = 20;

/** A run, and what its flow is made from. */
export interface StoredRun {
  readonly flowDetail: FlowDetail;
  readonly plan: Plan;
}

/** The run that was begun and is not over; null when there is none. Each run has a logbook of its own. */
export async function findUnfinished(connection: Connection): Promise<StoredRun | null> {
  const book = (await runBooks(connection)).at(-1);
  if (book === undefined) return null;
  const found = (await connection.getFlowsForBook(book.uuid, { lazy: true })).at(-1);
  if (found === undefined || found.state === 'SUCCESS' || found.state === 'REVERTED') return null;
  return { flowDetail: await connection.getFlowDetail(found.uuid), plan: planSchema.parse(book.meta['plan']) };
}

/** Enters a new run. From here on, a process that finds it goes on with it. */
export async function beginRun(backend: PersistenceBackend, plan: Plan): Promise<StoredRun> {
  const book = persistence.newLogBook({ name: NAME, meta: { plan } });
  const { flowDetail } = await persistence.createFlowDetail(NAME, { backend, book });
  return { flowDetail, plan };
}

/** Forgets the records of runs that nobody asks about any more. */
export async function forgetOldRuns(connection: Connection): Promise<void> {
  for (const { uuid } of (await runBooks(connection)).slice(0, -MOST_RUNS)) await connection.destroyLogbook(uuid);
}

async function runBooks(connection: Connection) {
  return (await connection.getLogbooks({ lazy: true })).filter(({ name }) => name === NAME);
}
