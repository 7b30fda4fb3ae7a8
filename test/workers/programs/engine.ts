import { appendFileSync } from 'node:fs';
import { engines, linear, persistence } from '../../../src/index.js';
import type { LoadOptions } from '../../../src/index.js';
import type { Step } from './steps.js';
import { step } from './steps.js';

/*
 * A process that runs a flow of steps on workers, or takes up the run that it finds in the store. Its argument is JSON.
 * It says how the run ended.
 */

export interface EngineProgram {
  readonly store: string;
  readonly steps: readonly Step[];
  readonly options: LoadOptions;
  /** A line is added to this file for each result that is committed. */
  readonly commits: string;
}

const { store, steps, options, commits } = JSON.parse(process.argv[2] ?? '{}') as EngineProgram;
process.on('disconnect', () => process.exit(1));
const backend = await persistence.fetch(store);
const connection = await backend.getConnection();
await connection.upgrade();
const [found] = await connection.findFlowDetails();
const flowDetail = found === undefined ? undefined : await connection.getFlowDetail(found.flow.uuid);
const book = persistence.newLogBook({ name: 'runs' });
const flow = linear('steps').addAll(steps.map((each) => step(each)));
const engine = await engines.load(flow, {
  engine: 'workers',
  ...options,
  backend,
  ...(flowDetail === undefined ? { book } : { flowDetail }),
});
engine.atomNotifier.register(
  'SUCCESS',
  (_, details) => {
    if ('taskName' in details) appendFileSync(commits, `${details.taskName}\n`);
  },
  { durable: true },
);
const state = await engine.run().catch((error: unknown) => `failed: ${String(error)}`);
process.send?.({ state, results: engine.storage.fetchAll() });
await engine.close();
await connection.close();
await backend.close();
process.disconnect();
