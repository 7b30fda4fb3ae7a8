import { engines } from '../../../src/index.js';
import { sqliteBackend } from '../../../src/persistence/backends/sql/sqlite.js';
import { usingConnection } from '../../../src/persistence/using-connection.js';
import { planOf } from '../../../src/compiler/plan.js';
import { compile } from '../../../src/compiler/compile.js';
import { makeInvoice } from './invoice-flow.js';

/*
 * Takes up all runs of a database file that are suspended, by the factories that they name. Writes what came of each,
 * and the fingerprint of its plan as it is made here.
 *
 * Arguments: the database file.
 */

const [database = ''] = process.argv.slice(2);

engines.registerFactory('billing/make-invoice@1', makeInvoice);
engines.allowFactoryModule('invoices', () => import('./invoice-flow.js'));

const backend = sqliteBackend({ path: database });
const found = await usingConnection(backend, (connection) => connection.findFlowDetails({ states: ['SUSPENDED'] }));
for (const { flow } of found) {
  const flowDetail = await usingConnection(backend, (connection) => connection.getFlowDetail(flow.uuid));
  const { fingerprint } = planOf(compile(await engines.flowFromDetail(flowDetail)));
  const engine = await engines.loadFromDetail(flowDetail, { backend });
  const state = await engine.run();
  console.log(JSON.stringify({ uuid: flow.uuid, state, sent: engine.storage.fetch('sent'), fingerprint }));
  await engine.close();
}
await backend.close();
