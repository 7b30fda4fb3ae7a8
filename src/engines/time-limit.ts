import type { Atom } from '../atoms/atom.js';
import type { Clock, Timer } from '../environment.js';
import { TimeoutError } from '../errors.js';
import type { Executor, Submission, Work } from '../executors/executor.js';
import { Failure } from '../failure.js';
import type { EngineWork } from './scheduler.js';

/** How long a method of an atom may take, in milliseconds. */
export function limitOf({ timeoutMs }: Atom, method: Work['method']): number | undefined {
  return timeoutMs?.[method];
}

/**
 * Submits work that may take only so long, from when it begins.
 *
 * When time is up the atom is told by its signal, and has failed: what comes of it later is not looked at. Where the
 * executor ends what does not listen, the atom has failed when it has stopped.
 */
export function submitWithin(limitMs: number, work: EngineWork, executor: Executor, clock: Clock): Submission {
  let timer: Timer | null = null;
  let hasEnded = false;
  let giveUp: () => void = () => undefined;
  const began = () => {
    if (!hasEnded) timer ??= clock.setTimer(limitMs, () => giveUp());
  };
  const submission = executor.submit({ ...work, began });
  const { outcome: ownOutcome } = submission;
  const end = () => {
    hasEnded = true;
    timer?.cancel();
  };
  if (!(ownOutcome instanceof Promise)) {
    end();
    return submission;
  }
  let late: Failure | null = null;
  const outcome = new Promise<unknown>((resolve) => {
    giveUp = () => {
      const { method, context } = work;
      const error = new TimeoutError(`${method} of ${context.atom}`, limitMs, { atom: context.atom, method });
      late = Failure.from(error);
      context.giveUp(error);
      if (executor.endsOnAbort === true) return;
      resolve(late);
      submission.abandon?.();
    };
    void ownOutcome.then((result: unknown) => {
      end();
      resolve(late ?? result);
    });
  });
  return {
    outcome,
    cancel: () => submission.cancel(),
    isWaiting: () => submission.isWaiting?.() === true,
    waitsFor: () => submission.waitsFor?.() ?? null,
    settled: () => submission.settled?.(),
  };
}
