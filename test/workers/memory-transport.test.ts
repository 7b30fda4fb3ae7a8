import { describe, it } from 'vitest';
import { MemoryBroker } from '../../src/workers/transports/memory/broker.js';
import { transport } from '../../src/workers/transport-registry.js';
import { transportSuite } from '../../src/testing/transport-suite/transport-suite.js';

const retryOptions = { intervalStartMs: 5, intervalStepMs: 5, intervalMaxMs: 20, maxRetries: 5 };

transportSuite({
  name: 'memory, by name,',
  transport: (exchange) => transport({ url: 'memory://flowstate_test', exchange, retryOptions }),
  describe,
  it,
});

const broker = new MemoryBroker();
transportSuite({
  name: 'memory',
  transport: (exchange) => transport({ transport: 'memory', transportOptions: { broker }, exchange, retryOptions }),
  interrupt: () => broker.cut(),
  outage: { begin: () => broker.stop(), end: () => broker.start() },
  describe,
  it,
});
