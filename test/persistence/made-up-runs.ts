import { Failure } from '../../src/failure.js';
import { addAttemptFailure, newRetryDetail, newTaskDetail, put } from '../../src/persistence/atom-details.js';
import { newFlowDetail, newLogBook } from '../../src/persistence/books.js';
import type { AtomDetail, FlowDetail, LogBook, RetryDetail, TaskDetail } from '../../src/persistence/details.js';
import type { Environment } from '../../src/environment.js';

/** Ids that count up, a clock that stands still. */
export function countingEnvironment(prefix = 'id'): Environment {
  let count = 0;
  return {
    clock: {
      now: () => 1_700_000_000_000,
      setTimer: (_, callback) => {
        callback();
        return { cancel: () => undefined };
      },
      yield: () => Promise.resolve(),
    },
    newId: () => `${prefix}-${(count += 1)}`,
    random: () => 0.5,
  };
}

const environment = countingEnvironment();

export function aTask(name: string, position = 0): TaskDetail {
  return newTaskDetail({ name, position, version: '1.0' }, environment);
}

export function aRetry(name: string, position = 0): RetryDetail {
  return newRetryDetail({ name, position, version: '1.0' }, environment);
}

/** A retry whose first attempt gave a value and then met a failure of an atom. */
export function aRetryThatFailed(name: string, value: unknown, atom: string, failure: Failure): RetryDetail {
  return addAttemptFailure(put(aRetry(name), 'SUCCESS', value), atom, failure);
}

export function aFlow(name: string, ...atoms: readonly AtomDetail[]): FlowDetail {
  return newFlowDetail({ name, atoms }, environment);
}

export function aBook(name: string, ...flows: readonly FlowDetail[]): LogBook {
  return { ...newLogBook({ name }, environment), flows };
}

/** A failure as it is after it went through a store: without its live error. */
export function aFailure(message: string): Failure {
  return Failure.fromRecord(Failure.from(new RangeError(message)).toRecord());
}
