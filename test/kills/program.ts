import { appendFileSync } from 'node:fs';
import { engines, linear, persistence, task, times, unordered } from 'flowstate';
import type { Flow } from 'flowstate';

/*
 * Runs a flow of two hundred atoms, and writes a line to the ledger whenever one begins and ends, and when the run ends.
 * It takes up the run that it finds in the store, and can be killed at any time.
 *
 * Arguments: what `persistence.fetch` takes, the ledger.
 */

const [store = '', ledger = ''] = process.argv.slice(2);
/** A store that comes back within 20 s is waited for. */
const COMMIT_RETRY = { attempts: 400, delayMs: 50 };

/** One line is one write: it is there whole, or not at all. */
const note = (line: string) => appendFileSync(ledger, `${line}\n`);

const nameOf = (number: number) => `t${number}`;

function atom(number: number, isFirst: boolean) {
  return task({
    name: nameOf(number),
    provides: `s${number}`,
    requires: isFirst ? [] : [`s${number - 1}`],
    execute: async (args: Readonly<Record<string, unknown>>, { idempotencyKey }) => {
      note(`begin ${nameOf(number)} ${idempotencyKey}`);
      await new Promise((resolve) => setImmediate(resolve));
      note(`end ${nameOf(number)} ${idempotencyKey}`);
      return isFirst ? number : Number(args[`s${number - 1}`]) + 1;
    },
  });
}

/** Chains side by side, then one of them all, under a retry: 199 tasks. */
function twoHundredAtoms(): Flow {
  const chain = (first: number, length: number) =>
    linear(`chain ${first}`).addAll(Array.from({ length }, (_, index) => atom(first + index, index === 0)));
  const chains = unordered('chains').addAll(Array.from({ length: 4 }, (_, index) => chain(25 * index, 25)));
  return linear('two hundred', { retry: times({ name: 'again' }) }).add(chains, chain(100, 99));
}

const backend = await persistence.fetch(store);
const connection = await backend.getConnection();
await connection.upgrade();
const [found] = await connection.findFlowDetails();
const flowDetail =
  found === undefined
    ? (await persistence.createFlowDetail('two hundred', { backend, book: persistence.newLogBook({ name: 'runs' }) }))
        .flowDetail
    : await connection.getFlowDetail(found.flow.uuid);
const engine = await engines.load(twoHundredAtoms(), { backend, flowDetail, commitRetry: COMMIT_RETRY });
note(`ran ${await engine.run()}`);
await engine.close();
await backend.close();
