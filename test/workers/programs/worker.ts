import type { WorkerMainOptions } from '../../../src/index.js';
import { workerMain } from '../../../src/index.js';
import { transport } from '../../../src/workers/transport-registry.js';
import type { Delivery, Link, Transport } from '../../../src/workers/transport.js';
import { dieOnce } from './steps.js';

/* A process that is a worker: its options are its argument, as JSON. It says when it is ready. */

export interface ProgramOptions extends WorkerMainOptions {
  /** The first process ends when it is about to acknowledge a request; a file to know it by. */
  readonly diesBeforeAck?: string | undefined;
  /** By how many milliseconds its clock is wrong. */
  readonly clockSkewMs?: number | undefined;
}

const { diesBeforeAck, clockSkewMs = 0, ...options } = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions;
// Nobody outlives the test that started it.
process.on('disconnect', () => process.exit(1));
const { now } = Date;
if (clockSkewMs !== 0) Date.now = () => now() + clockSkewMs;

/** A real transport whose process ends at the worst moment. */
async function deadly(marker: string): Promise<Transport> {
  const real = await transport(options as Parameters<typeof transport>[0]);
  const open = async (): Promise<Link> => {
    const link = await real.open();
    const consume: Link['consume'] = (topic, how, handle) =>
      link.consume(topic, how, (delivery: Delivery) => {
        const ack = () => {
          dieOnce(marker);
          return delivery.ack();
        };
        handle(Object.assign(Object.create(delivery) as Delivery, { ...delivery, ack }));
      });
    return new Proxy(link, {
      get: (target, name) => {
        if (name === 'consume') return consume;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  };
  return { name: real.name, open };
}

const chosen = diesBeforeAck === undefined ? {} : { transport: await deadly(diesBeforeAck) };
await workerMain({
  ...options,
  ...chosen,
  log: (line) => {
    if (line.startsWith('flowstate worker')) process.send?.('ready');
  },
});
process.disconnect();
