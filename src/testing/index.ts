export { copyingBackendSuite, persistenceBackendSuite } from './backend-suite/persistence-backend-suite.js';
export type { BackendSuiteOptions, TestRunner } from './backend-suite/suite.js';

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
