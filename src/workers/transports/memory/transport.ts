import { TransportError } from '../../../errors.js';
import { Retrier } from '../../retrier.js';
import type { Transport } from '../../transport.js';
import type { TransportBasics } from '../../transport-basics.js';
import { MemoryBroker } from './broker.js';
import { MemoryLink } from './link.js';

export interface MemoryTransportOptions {
  /** Those who give one name share one broker, of this process. @default '' */
  readonly name?: string | undefined;
  /** In place of a name. */
  readonly broker?: MemoryBroker | undefined;
}

const brokers = new Map<string, MemoryBroker>();

/** A transport within one process and thread: engines and workers that name one broker, or are given it. */
export function memoryTransport(
  { name = '', broker }: MemoryTransportOptions,
  { exchange, policy, environment }: TransportBasics,
): Transport {
  const fullName = `memory://${name}`;
  return {
    name: fullName,
    async open() {
      const shared = broker ?? named(name, environment);
      const retrier = new Retrier(policy, shared.environment.clock);
      return retrier.run(
        async () => {
          if (!shared.isUp) throw new TransportError(`${fullName} is stopped`);
          return new MemoryLink({ name: fullName, broker: shared, exchange, policy });
        },
        () => true,
        (cause, attempts) => new TransportError(`${fullName} cannot be reached, after ${attempts} attempts`, { cause }),
      );
    },
  };
}

/** The broker of a name. It is kept for as long as somebody uses it, or it holds something. */
function named(name: string, environment: TransportBasics['environment']): MemoryBroker {
  for (const [other, broker] of brokers) if (other !== name && broker.isIdle) brokers.delete(other);
  const broker = brokers.get(name) ?? new MemoryBroker({ environment });
  brokers.set(name, broker);
  return broker;
}
