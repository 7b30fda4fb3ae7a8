export {
  dieAfter,
  dieBefore,
  failAfter,
  failBefore,
  interrupting,
  never,
  restored,
  snapshotOf,
} from '../../src/testing/interrupting-backend.js';
export type { Interruption } from '../../src/testing/interrupting-backend.js';
