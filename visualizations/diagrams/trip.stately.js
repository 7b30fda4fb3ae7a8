import { createMachine } from 'xstate';

export const tripMachine = createMachine({
  id: 'trip',
  initial: 'trip_retry',
  states: {
    trip_retry: {
      id: 'n7',
      initial: 'RUNNING',
      states: {
        RUNNING: { id: 'n7_running', on: { 'trip_retry succeeded': 'SUCCESS', 'trip_retry failed': 'FAILURE' } },
        SUCCESS: { type: 'final' },
        FAILURE: {},
      },
      onDone: '#n1',
    },
    reserve: {
      id: 'n1',
      initial: 'RUNNING',
      states: {
        RUNNING: { id: 'n1_running', on: { 'reserve succeeded': 'SUCCESS', 'reserve failed': 'FAILURE' } },
        SUCCESS: { type: 'final' },
        FAILURE: {},
      },
      onDone: '#n2',
    },
    pay: {
      id: 'n2',
      initial: 'RUNNING',
      states: {
        RUNNING: { id: 'n2_running', on: { 'pay succeeded': 'SUCCESS', 'pay failed': 'FAILURE' } },
        SUCCESS: { type: 'final' },
        FAILURE: {},
      },
      onDone: '#n3',
    },
    notify: {
      id: 'n3',
      initial: 'children',
      states: {
        children: {
          type: 'parallel',
          states: {
            mail: {
              id: 'n4',
              initial: 'RUNNING',
              states: {
                RUNNING: { id: 'n4_running', on: { 'mail succeeded': 'SUCCESS', 'mail failed': 'FAILURE' } },
                SUCCESS: { type: 'final' },
                FAILURE: {},
              },
            },
            text: {
              id: 'n5',
              initial: 'RUNNING',
              states: {
                RUNNING: { id: 'n5_running', on: { 'text succeeded': 'SUCCESS', 'text failed': 'FAILURE' } },
                SUCCESS: { type: 'final' },
                FAILURE: {},
              },
            },
          },
          id: 'n3_children',
          onDone: '#n3_success',
        },
        SUCCESS: { type: 'final', id: 'n3_success' },
      },
      onDone: '#n0_success',
    },
    SUCCESS: { type: 'final', id: 'n0_success' },
  },
  on: { 'trip_retry retries': '#n7' },
});
