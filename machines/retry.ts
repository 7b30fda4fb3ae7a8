import { setup } from 'xstate';
import type { AtomContext, AtomEvent, TaskState } from './task.js';

/** The states of a retry, as they are stored. */
export type RetryState = TaskState | 'RETRYING';

/** A retry hears what a task hears, and that its flow is to be tried again. */
export type RetryEvent = AtomEvent | { type: 'retry' };

const start = <const State extends RetryState>(state: State) =>
  [
    { type: 'saveState', params: { state } },
    { type: 'notify', params: { state } },
  ] as const;

const finish = <const State extends RetryState>(state: State) =>
  [
    { type: 'saveResult', params: { state } },
    { type: 'notify', params: { state } },
  ] as const;

const ignored = {} as const;

/**
 * The life of a retry: a task's, and RETRYING between two attempts. A retry has no progress.
 *
 * @see TaskFlow `states.py`, `check_retry_transition`.
 */
export const retryMachine = setup({
  types: {
    context: {} as AtomContext,
    input: {} as AtomContext,
    events: {} as RetryEvent,
  },
  actions: {
    saveState: (_, _params: { state: RetryState }) => undefined,
    saveResult: (_, _params: { state: RetryState }) => undefined,
    forget: () => undefined,
    notify: (_, _params: { state: RetryState }) => undefined,
  },
  guards: {
    isAtStart: ({ event }) => 'atStart' in event && event.atStart,
  },
}).createMachine({
  id: 'retry',
  context: ({ input }) => input,
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: ['forget', { type: 'notify', params: { state: 'PENDING' } }],
      on: { execute: 'RUNNING', ignore: 'IGNORE', reset: ignored },
    },
    RUNNING: {
      entry: start('RUNNING'),
      on: {
        execute: ignored,
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        revert: { guard: 'isAtStart', target: 'REVERTING' },
        reset: 'PENDING',
      },
    },
    SUCCESS: {
      entry: finish('SUCCESS'),
      on: { retry: 'RETRYING', revert: 'REVERTING', reset: 'PENDING' },
    },
    FAILURE: { entry: finish('FAILURE'), on: { revert: 'REVERTING', reset: 'PENDING' } },
    RETRYING: { entry: start('RETRYING'), on: { execute: 'RUNNING', reset: 'PENDING' } },
    REVERTING: {
      entry: start('REVERTING'),
      on: { revert: ignored, reverted: 'REVERTED', revertFailed: 'REVERT_FAILURE', reset: 'PENDING' },
    },
    REVERTED: { entry: finish('REVERTED'), on: { reset: 'PENDING' } },
    REVERT_FAILURE: {
      entry: finish('REVERT_FAILURE'),
      on: { revert: { guard: 'isAtStart', target: 'REVERTING' }, reset: 'PENDING' },
    },
    IGNORE: { entry: start('IGNORE'), on: { ignore: ignored, reset: 'PENDING' } },
  },
});
