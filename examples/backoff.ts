/**
 * A flow that is tried again with patience: each time it waits twice as long. The clock of this program goes on by
 * itself whenever everybody waits, so that hours take no time; leave `environment` out, and they are hours.
 */
import { engines, linear, task, times } from 'flowstate';
import { virtualEnvironment } from 'flowstate/testing';

const environment = virtualEnvironment({ advancesByItself: true });
const began = environment.clock.now();
const minutes = () => Math.round((environment.clock.now() - began) / 60_000);

let calls = 0;
const book = task({
  name: 'book',
  provides: 'ticket',
  timeoutMs: 5 * 60_000,
  execute: async (_, { signal }) => {
    console.log(`after ${minutes()} minutes: ask the airline`);
    calls += 1;
    if (calls === 1) throw new Error('the airline is busy');
    // The second time nobody answers at all.
    if (calls === 2)
      await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error())));
    return 'LH 123';
  },
});

const patiently = times({ attempts: 6, delay: { firstMs: 60_000, factor: 10, maxMs: 3 * 3_600_000 } });
const engine = await engines.load(linear('trip', { retry: patiently }).add(book), { environment });
await engine.run();

console.log(`after ${minutes()} minutes: ${String(engine.storage.fetch('ticket'))}`);
for (const { failures } of engine.storage.getRetryHistory('trip_retry')) {
  console.log(failures.get('book')?.message ?? 'worked');
}
await engine.close();
