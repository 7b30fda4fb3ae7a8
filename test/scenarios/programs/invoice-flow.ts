import { task } from '../../../src/atoms/function-task.js';
import type { Flow } from '../../../src/flows/flow.js';
import { linear } from '../../../src/flows/linear.js';
import { unordered } from '../../../src/flows/unordered.js';

/** A flow that is made from plain data, in any process. */
export function makeInvoice(number: number, { dryRun = false }: { dryRun?: boolean } = {}): Flow {
  const write = task({ name: 'write', provides: 'text', execute: () => `invoice ${number}` });
  const total = task({ name: 'total', version: '1.2', requires: ['currency'], provides: 'sum', execute: () => 3 });
  const send = task({
    name: 'send',
    requires: ['text', 'sum', 'currency'],
    provides: 'sent',
    execute: ({ text, sum, currency }) =>
      `${dryRun ? 'not ' : ''}sent ${String(text)}: ${String(sum)} ${String(currency)}`,
  });
  return linear('invoice').add(unordered('parts').add(write, total), send);
}
