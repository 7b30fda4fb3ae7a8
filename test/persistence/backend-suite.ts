import { describe, it } from 'vitest';
import {
  copyingBackendSuite,
  persistenceBackendSuite,
} from '../../src/testing/backend-suite/persistence-backend-suite.js';
import type { BackendSuiteOptions, TestRunner } from '../../src/testing/backend-suite/suite.js';

type Open = BackendSuiteOptions['open'];

interface More extends Pick<BackendSuiteOptions, 'reopen' | 'interrupt' | 'runs'> {
  /**
   * The third of the disturbed runs that is tested on a store which differs only in its lowest part from one that has
   * all of them. The three thirds together are all. FLOWSTATE_EVERY_FAULT=1 has them all on each store.
   * @default all of them
   */
  readonly third?: Third;
}

/** What every persistence backend promises. `open` gives an empty backend each time, not upgraded yet. */
export function describePersistenceBackend(name: string, open: Open, { third, ...more }: More = {}): void {
  const isWhole = third === undefined || process.env['FLOWSTATE_EVERY_FAULT'] === '1';
  persistenceBackendSuite({ name, open, describe, it: isWhole ? it : ofDisturbedRuns(third), ...more });
}

/** What those backends promise that keep copies, as text. */
export function describeCopyingBackend(name: string, open: Open): void {
  copyingBackendSuite({ name, open, describe, it });
}

type Third = 0 | 1 | 2;

/** A run of one of the stories, with one of the faults at each of its commits in turn. */
const DISTURBED_RUN = /^of (.*?) (?:goes on|is resumed|has a journal) .*when any one commit /;

/** Each third has a share of the faults of each story: where a story begins is moved on by one. */
function ofDisturbedRuns(third: Third): TestRunner['it'] {
  const faultsOf = new Map<string, number>();
  return (name, body) => {
    const [, story] = DISTURBED_RUN.exec(name) ?? [];
    if (story === undefined) {
      it(name, body);
      return;
    }
    const fault = faultsOf.get(story) ?? 0;
    faultsOf.set(story, fault + 1);
    if ((fault + faultsOf.size) % 3 === third) it(name, body);
  };
}
