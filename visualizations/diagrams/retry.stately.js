import { createMachine } from 'xstate';

export const retryMachine = createMachine({
  id: 'retry',
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: ['forget', { type: 'notify', params: { state: 'PENDING' } }],
      on: { execute: 'RUNNING', ignore: 'IGNORE', reset: {} },
    },
    RUNNING: {
      entry: [{ type: 'saveState', params: { state: 'RUNNING' } }, { type: 'notify', params: { state: 'RUNNING' } }],
      on: {
        execute: {},
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        revert: { guard: 'isAtStart', target: 'REVERTING' },
        reset: 'PENDING',
      },
    },
    SUCCESS: {
      entry: [{ type: 'saveResult', params: { state: 'SUCCESS' } }, { type: 'notify', params: { state: 'SUCCESS' } }],
      on: { retry: 'RETRYING', revert: 'REVERTING', reset: 'PENDING' },
    },
    FAILURE: {
      entry: [{ type: 'saveResult', params: { state: 'FAILURE' } }, { type: 'notify', params: { state: 'FAILURE' } }],
      on: { revert: 'REVERTING', reset: 'PENDING' },
    },
    RETRYING: {
      entry: [
        { type: 'saveState', params: { state: 'RETRYING' } },
        { type: 'notify', params: { state: 'RETRYING' } },
      ],
      on: { execute: 'RUNNING', reset: 'PENDING' },
    },
    REVERTING: {
      entry: [
        { type: 'saveState', params: { state: 'REVERTING' } },
        { type: 'notify', params: { state: 'REVERTING' } },
      ],
      on: { revert: {}, reverted: 'REVERTED', revertFailed: 'REVERT_FAILURE', reset: 'PENDING' },
    },
    REVERTED: {
      entry: [
        { type: 'saveResult', params: { state: 'REVERTED' } },
        { type: 'notify', params: { state: 'REVERTED' } },
      ],
      on: { reset: 'PENDING' },
    },
    REVERT_FAILURE: {
      entry: [
        { type: 'saveResult', params: { state: 'REVERT_FAILURE' } },
        { type: 'notify', params: { state: 'REVERT_FAILURE' } },
      ],
      on: { revert: { guard: 'isAtStart', target: 'REVERTING' }, reset: 'PENDING' },
    },
    IGNORE: {
      entry: [{ type: 'saveState', params: { state: 'IGNORE' } }, { type: 'notify', params: { state: 'IGNORE' } }],
      on: { ignore: {}, reset: 'PENDING' },
    },
  },
});
