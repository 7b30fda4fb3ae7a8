/**
 * A run that is cancelled: what is under way is told to stop, and everything that was done is undone.
 */
import { once } from 'node:events';
import { engines, linear, task } from 'flowstate';

const reserve = task({
  name: 'reserve',
  execute: () => console.log('reserve a room'),
  revert: () => console.log('give the room back'),
});

const waitForPayment = task({
  name: 'wait for payment',
  events: ['waiting'],
  execute: async (_, { signal, notify }) => {
    console.log('wait for the money');
    notify('waiting');
    await once(signal, 'abort');
    console.log(`stop waiting: ${String(signal.reason)}`);
    signal.throwIfAborted();
  },
});

const isWaiting = new Promise((resolve) => waitForPayment.notifier.register('waiting', resolve));
const engine = await engines.load(linear('booking').add(reserve, waitForPayment));
const ended = engine.run();
await isWaiting;
for (const { message } of engine.why()) console.log(message);
await engine.cancel('the guest has left');
console.log(`the flow is ${await ended}`);
await engine.close();
