import { createMachine } from 'xstate';

export const workerRequestMachine = createMachine({
  id: 'worker-request',
  initial: 'WAITING',
  states: {
    WAITING: { entry: 'awaitWorker', on: { on_pending: 'PENDING', on_failure: 'FAILURE' } },
    PENDING: {
      entry: 'publish',
      on: {
        on_running: 'RUNNING',
        on_event: { target: 'RUNNING', actions: 'tellEvent' },
        on_success: 'SUCCESS',
        on_failure: 'FAILURE',
        on_lost: { guard: 'mayRedispatch', target: 'WAITING' },
      },
    },
    RUNNING: {
      entry: ['begin', 'renewLease'],
      on: {
        on_running: { actions: 'renewLease' },
        on_event: { actions: ['renewLease', 'tellEvent'] },
        on_success: 'SUCCESS',
        on_failure: 'FAILURE',
        on_lost: [{ guard: 'mayRedispatch', target: 'WAITING' }, { target: 'FAILURE' }],
      },
    },
    SUCCESS: { type: 'final', entry: 'settle' },
    FAILURE: { type: 'final', entry: 'settle' },
  },
});
