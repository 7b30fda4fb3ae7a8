import type { Executor } from './executor.js';
import { perform } from './perform.js';

const cannotBeCancelled = () => false;

/** Runs work where it is submitted, at once. */
export function serialExecutor(): Executor {
  return {
    name: 'serial',
    submit: (work) => {
      work.began?.();
      return { outcome: perform(work), cancel: cannotBeCancelled };
    },
    close: () => Promise.resolve(),
  };
}
