export { copyingBackendSuite, persistenceBackendSuite } from './backend-suite/persistence-backend-suite.js';
export type { BackendSuiteOptions, TestRunner } from './backend-suite/suite.js';

export { transportSuite } from './transport-suite/transport-suite.js';
export type { TransportSuiteOptions } from './transport-suite/suite.js';
export { MemoryBroker } from '../workers/transports/memory/broker.js';
export type { Fate, FaultRule, Passage } from '../workers/transports/memory/faults.js';

export {
  dieAfter,
  dieBefore,
  failAfter,
  failBefore,
  interrupting,
  never,
  restored,
  snapshotOf,
} from './interrupting-backend.js';
export type { Death, InterruptingBackend, Interruption } from './interrupting-backend.js';

export { settled, VirtualClock, virtualEnvironment } from './virtual-environment.js';
export type { VirtualEnvironment, VirtualEnvironmentOptions } from './virtual-environment.js';
export { seededRandom } from './seeded-random.js';

export { assertTaskCanCross } from './can-cross.js';
export type { CrossingOptions } from './can-cross.js';
