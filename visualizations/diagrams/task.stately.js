import { createMachine } from 'xstate';

export const taskMachine = createMachine({
  id: 'task',
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: [
        'forget',
        { type: 'notify', params: { state: 'PENDING' } },
        { type: 'reportProgress', params: { progress: 0 } },
      ],
      on: { execute: 'RUNNING', ignore: 'IGNORE', reset: {} },
    },
    RUNNING: {
      entry: [
        { type: 'saveState', params: { state: 'RUNNING', progress: 0 } },
        { type: 'notify', params: { state: 'RUNNING' } },
        { type: 'reportProgress', params: { progress: 0 } },
      ],
      on: {
        execute: [{ guard: 'hasProgress', target: 'RUNNING', reenter: true }, {}],
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        revert: { guard: 'isAtStart', target: 'REVERTING' },
        reset: 'PENDING',
      },
    },
    SUCCESS: {
      entry: [
        { type: 'saveResult', params: { state: 'SUCCESS', progress: 1 } },
        { type: 'notify', params: { state: 'SUCCESS' } },
        { type: 'reportProgress', params: { progress: 1 } },
      ],
      on: { revert: 'REVERTING', reset: 'PENDING' },
    },
    FAILURE: {
      entry: [{ type: 'saveResult', params: { state: 'FAILURE' } }, { type: 'notify', params: { state: 'FAILURE' } }],
      on: { revert: 'REVERTING', reset: 'PENDING' },
    },
    REVERTING: {
      entry: [
        { type: 'saveState', params: { state: 'REVERTING', progress: 0 } },
        { type: 'notify', params: { state: 'REVERTING' } },
        { type: 'reportProgress', params: { progress: 0 } },
      ],
      on: {
        revert: [{ guard: 'hasProgress', target: 'REVERTING', reenter: true }, {}],
        reverted: 'REVERTED',
        revertFailed: 'REVERT_FAILURE',
        reset: 'PENDING',
      },
    },
    REVERTED: {
      entry: [
        { type: 'saveResult', params: { state: 'REVERTED', progress: 1 } },
        { type: 'notify', params: { state: 'REVERTED' } },
        { type: 'reportProgress', params: { progress: 1 } },
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
      entry: [
        { type: 'saveState', params: { state: 'IGNORE', progress: 0 } },
        { type: 'notify', params: { state: 'IGNORE' } },
        { type: 'reportProgress', params: { progress: 0 } },
      ],
      on: { ignore: {}, reset: 'PENDING' },
    },
  },
});
