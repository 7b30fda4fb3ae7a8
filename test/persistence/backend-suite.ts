import { describe, it } from 'vitest';
import {
  copyingBackendSuite,
  persistenceBackendSuite,
} from '../../src/testing/backend-suite/persistence-backend-suite.js';
import type { BackendSuiteOptions } from '../../src/testing/backend-suite/suite.js';

type Open = BackendSuiteOptions['open'];

/** What every persistence backend promises. `open` gives an empty backend each time, not upgraded yet. */
export function describePersistenceBackend(
  name: string,
  open: Open,
  more: Pick<BackendSuiteOptions, 'reopen' | 'interrupt' | 'runs'> = {},
): void {
  persistenceBackendSuite({ name, open, describe, it, ...more });
}

/** What those backends promise that keep copies, as text. */
export function describeCopyingBackend(name: string, open: Open): void {
  copyingBackendSuite({ name, open, describe, it });
}
