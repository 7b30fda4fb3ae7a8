import { Failure } from '../failure.js';
import { addAttemptFailure, newRetryDetail, newTaskDetail, put } from '../persistence/atom-details.js';
import { newFlowDetail, newLogBook } from '../persistence/books.js';
import type { AtomDetail, FlowDetail, LogBook, RetryDetail, TaskDetail } from '../persistence/details.js';
import { virtualEnvironment } from './virtual-environment.js';

const environment = virtualEnvironment();

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
