import { createMachine } from 'xstate';

export const flowMachine = createMachine({
  id: 'flow',
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: [{ type: 'saveState', params: { state: 'PENDING' } }, { type: 'notify', params: { state: 'PENDING' } }],
      on: { reset: {}, run: 'RUNNING', suspend: {}, suspended: {}, resume: {} },
    },
    RUNNING: {
      entry: [{ type: 'saveState', params: { state: 'RUNNING' } }, { type: 'notify', params: { state: 'RUNNING' } }],
      on: {
        run: {},
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        reverted: 'REVERTED',
        suspend: 'SUSPENDING',
        resume: 'RESUMING',
      },
    },
    SUCCESS: {
      entry: [{ type: 'saveState', params: { state: 'SUCCESS' } }, { type: 'notify', params: { state: 'SUCCESS' } }],
      on: { reset: 'PENDING', run: 'RUNNING', suspend: {}, suspended: {}, resume: {} },
    },
    FAILURE: {
      entry: [{ type: 'saveState', params: { state: 'FAILURE' } }, { type: 'notify', params: { state: 'FAILURE' } }],
      on: { reset: 'PENDING', run: 'RUNNING', suspend: {}, suspended: {}, resume: {} },
    },
    REVERTED: {
      entry: [
        { type: 'saveState', params: { state: 'REVERTED' } },
        { type: 'notify', params: { state: 'REVERTED' } },
      ],
      on: { reset: 'PENDING', suspend: {}, suspended: {}, resume: {} },
    },
    SUSPENDING: {
      entry: [
        { type: 'saveState', params: { state: 'SUSPENDING' } },
        { type: 'notify', params: { state: 'SUSPENDING' } },
      ],
      on: {
        suspend: {},
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        reverted: 'REVERTED',
        suspended: 'SUSPENDED',
        resume: 'RESUMING',
      },
    },
    SUSPENDED: {
      entry: [
        { type: 'saveState', params: { state: 'SUSPENDED' } },
        { type: 'notify', params: { state: 'SUSPENDED' } },
      ],
      on: { suspended: {}, run: 'RUNNING', suspend: {}, resume: {} },
    },
    RESUMING: {
      entry: [
        { type: 'saveState', params: { state: 'RESUMING' } },
        { type: 'notify', params: { state: 'RESUMING' } },
      ],
      on: { resume: {}, suspended: 'SUSPENDED' },
    },
  },
});
