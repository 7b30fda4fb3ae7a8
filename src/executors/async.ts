import type { Executor, Submission, Work } from './executor.js';
import { perform } from './perform.js';

export interface AsyncExecutorOptions {
  /** How many atoms may be under way at once; the others wait their turn. @default Infinity */
  readonly maxWorkers?: number;
}

/** Checks a number of workers. @throws {RangeError} naming what it takes and what it got. */
export function checkMaxWorkers(maxWorkers: number): number {
  if (maxWorkers === Infinity || (Number.isInteger(maxWorkers) && maxWorkers >= 1)) return maxWorkers;
  throw new RangeError(`maxWorkers takes a whole number from 1, or Infinity, got ${String(maxWorkers)}`);
}

const cannotBeCancelled = () => false;

interface Waiting {
  readonly work: Work;
  readonly resolve: (outcome: unknown) => void;
  begun?: Submission;
}

/**
 * Runs work in the event loop, as many at once as allowed, first come first served.
 *
 * @throws {RangeError} for a number of workers below 1.
 */
export function asyncExecutor({ maxWorkers = Infinity }: AsyncExecutorOptions = {}): Executor {
  checkMaxWorkers(maxWorkers);
  const waiting = new Set<Waiting>();
  let running = 0;

  const begin = (work: Work): Submission => {
    running += 1;
    work.began?.();
    const outcome = perform(work);
    if (!(outcome instanceof Promise)) {
      running -= 1;
      return { outcome, cancel: cannotBeCancelled };
    }
    let hasLeft = false;
    const leave = () => {
      if (hasLeft) return;
      hasLeft = true;
      running -= 1;
      runNext();
    };
    return { outcome: outcome.finally(leave), cancel: cannotBeCancelled, abandon: leave };
  };
  const runNext = () => {
    for (const next of waiting) {
      if (running >= maxWorkers) return;
      waiting.delete(next);
      next.begun = begin(next.work);
      next.resolve(next.begun.outcome);
    }
  };

  return {
    name: 'async',
    submit(work): Submission {
      if (running < maxWorkers && waiting.size === 0) return begin(work);
      let entry: Waiting | undefined;
      const outcome = new Promise<unknown>((resolve) => {
        entry = { work, resolve };
        waiting.add(entry);
      });
      return {
        outcome,
        cancel: () => entry !== undefined && waiting.delete(entry),
        abandon: () => entry?.begun?.abandon?.(),
        isWaiting: () => entry !== undefined && waiting.has(entry),
      };
    },
    close: () => Promise.resolve(),
  };
}
