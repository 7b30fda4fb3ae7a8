import { describe, expect, it } from 'vitest';
import { NotFoundError, StorageError } from '../../src/errors.js';
import {
  addAttemptFailure,
  lastFailures,
  lastResults,
  newRetryDetail,
  newTaskDetail,
  put,
  resetDetail,
} from '../../src/persistence/atom-details.js';
import type { AtomDetail, AtomState } from '../../src/persistence/details.js';
import { aFailure, aRetry, aTask, countingEnvironment } from './made-up-runs.js';

const failure = aFailure('failure');
const revertFailure = aFailure('revert failure');
const value = { rows: [1] };

/** A detail in which everything is taken, so that what is forgotten is seen. */
const fullTask = {
  ...aTask('a'),
  state: 'REVERTING',
  results: 'old',
  failure,
  revertResults: 'undone',
  revertFailure,
} as const;
const attempts = [{ provided: 'first', failures: new Map([['a', failure]]) }];
const fullRetry = {
  ...aRetry('r'),
  state: 'REVERTING',
  results: attempts,
  failure,
  revertResults: 'undone',
  revertFailure,
} as const;

describe('new atom details', () => {
  it('are pending, to be executed, and have nothing to tell', () => {
    const environment = countingEnvironment('new');
    const common = {
      position: 3,
      version: null,
      state: 'PENDING',
      intention: 'EXECUTE',
      meta: {},
      failure: null,
      revertResults: null,
      revertFailure: null,
    };
    const task = newTaskDetail({ name: 'a', position: 3 }, environment);
    expect(task).toEqual({ ...common, uuid: 'new-1', name: 'a', kind: 'task', results: null });
    const retry = newRetryDetail({ name: 'r', position: 3 }, environment);
    expect(retry).toEqual({ ...common, uuid: 'new-2', name: 'r', kind: 'retry', results: [] });
    const given = { name: 'g', position: 0, uuid: 'u', version: '2.0', state: null, meta: { a: 1 } };
    expect(newTaskDetail(given)).toMatchObject(given);
  });
});

describe('put', () => {
  it.each<[AtomState, unknown, Partial<AtomDetail>]>([
    ['SUCCESS', value, { results: value, failure: null, revertResults: null, revertFailure: null }],
    ['FAILURE', failure, { results: null, failure, revertResults: null, revertFailure: null }],
    ['REVERTED', value, { results: 'old', failure, revertResults: value, revertFailure: null }],
    ['REVERT_FAILURE', failure, { results: null, failure, revertResults: null, revertFailure: failure }],
    ['PENDING', value, {}],
    ['RUNNING', value, {}],
    ['IGNORE', value, {}],
  ])('brings a task to %s', (state, result, changes) => {
    expect(put(fullTask, state, result)).toEqual({ ...fullTask, state, ...changes });
  });

  it.each<[AtomState, unknown, object]>([
    [
      'SUCCESS',
      value,
      {
        results: [...attempts, { provided: value, failures: new Map() }],
        failure: null,
        revertResults: null,
        revertFailure: null,
      },
    ],
    ['FAILURE', failure, { failure, revertResults: null, revertFailure: null }],
    ['REVERTED', value, { revertResults: value, revertFailure: null }],
    ['REVERT_FAILURE', failure, { failure, revertResults: null, revertFailure: failure }],
    ['RETRYING', value, {}],
    ['RUNNING', value, {}],
  ])('brings a retry to %s', (state, result, changes) => {
    expect(put(fullRetry, state, result)).toEqual({ ...fullRetry, state, ...changes });
  });

  it('leaves the detail that it was given as it was', () => {
    const frozen = Object.freeze({ ...fullTask });
    put(frozen, 'SUCCESS', value);
    expect(frozen).toEqual(fullTask);
  });

  it('gives the same detail back when nothing changed, by identity of the result', () => {
    const done = put(aTask('a'), 'SUCCESS', value);
    expect(put(done, 'SUCCESS', value)).toBe(done);
    expect(put(done, 'SUCCESS', { ...value })).not.toBe(done);
    const nan = put(aTask('a'), 'SUCCESS', NaN);
    expect(put(nan, 'SUCCESS', NaN)).toBe(nan);
    const failed = put(aRetry('r'), 'FAILURE', failure);
    expect(put(failed, 'FAILURE', failure)).toBe(failed);
    const pending = aTask('a');
    expect(put(pending, 'PENDING', value)).toBe(pending);
    expect(put(fullRetry, 'REVERTING', value)).toBe(fullRetry);
  });

  it('makes a new attempt of the same value', () => {
    const retry = put(put(aRetry('r'), 'SUCCESS', value), 'SUCCESS', value);
    expect(retry.results.map(({ provided }) => provided)).toEqual([value, value]);
  });

  it.each(['FAILURE', 'REVERT_FAILURE'] as const)('takes nothing but a failure for %s', (state) => {
    expect(() => put(aTask('a'), state, new Error('x'))).toThrow(TypeError);
    expect(() => put(aTask('a'), state, null)).toThrow("The result of task 'a' in " + state + ' takes a Failure');
    expect(() => put(aRetry('r'), state, 'x')).toThrow(TypeError);
  });
});

describe('resetDetail', () => {
  it.each([fullTask, { ...fullRetry, intention: 'RETRY' as const, meta: { kept: 1 } }])(
    'D4, D15: forgets everything that happened to a $kind',
    (detail) => {
      const reset = resetDetail(detail as AtomDetail);
      const { uuid, name, position, version, meta, kind } = detail;
      expect(reset).toEqual({
        uuid,
        name,
        position,
        version,
        meta,
        kind,
        state: 'PENDING',
        intention: 'EXECUTE',
        results: kind === 'task' ? null : [],
        failure: null,
        revertResults: null,
        revertFailure: null,
      });
    },
  );

  it('leads to any state', () => {
    expect(resetDetail(fullTask, null).state).toBeNull();
    expect(resetDetail(fullRetry, 'RETRYING')).toMatchObject({ state: 'RETRYING', results: [] });
  });
});

describe('attempts', () => {
  it('take the first failure of each atom', () => {
    const retry = put(put(aRetry('r'), 'SUCCESS', 1), 'SUCCESS', 2);
    const failed = addAttemptFailure(retry, 'a', failure);
    expect(lastFailures(failed)).toEqual(new Map([['a', failure]]));
    expect(failed.results[0]?.failures.size).toBe(0);
    expect(addAttemptFailure(failed, 'a', revertFailure)).toBe(failed);
    expect([...lastFailures(addAttemptFailure(failed, '__proto__', revertFailure)).keys()]).toEqual(['a', '__proto__']);
    expect(lastFailures(retry).size).toBe(0);
    expect(lastResults(failed)).toBe(2);
  });

  it('have to be there', () => {
    expect(() => addAttemptFailure(aRetry('r'), 'a', failure)).toThrow(StorageError);
    expect(() => lastResults(aRetry('r'))).toThrow(NotFoundError);
    expect(() => lastFailures(aRetry('r'))).toThrow(NotFoundError);
    expect(lastResults(aTask('a'))).toBeNull();
  });
});
