import { createMachine } from 'xstate';

export const albumMachine = createMachine({
  id: 'album',
  initial: 'children',
  states: {
    children: {
      type: 'parallel',
      states: {
        scan: {
          id: 'n1',
          description: 'SUCCESS',
          initial: 'RUNNING',
          states: {
            RUNNING: { id: 'n1_running', on: { 'scan succeeded': 'SUCCESS', 'scan failed': 'FAILURE' } },
            SUCCESS: { type: 'final' },
            FAILURE: {},
          },
        },
        resize: {
          id: 'n2',
          description: 'SUCCESS',
          initial: 'PENDING',
          states: {
            PENDING: {
              type: 'parallel',
              states: {
                scan: {
                  description: 'photos',
                  initial: 'waiting',
                  states: { waiting: { on: { 'xstate.done.state.n1': 'done' } }, done: { type: 'final' } },
                },
              },
              onDone: '#n2_running',
            },
            RUNNING: { id: 'n2_running', on: { 'resize succeeded': 'SUCCESS', 'resize failed': 'FAILURE' } },
            SUCCESS: { type: 'final' },
            FAILURE: {},
          },
        },
        sort: {
          id: 'n3',
          description: 'SUCCESS',
          initial: 'PENDING',
          states: {
            PENDING: {
              type: 'parallel',
              states: {
                scan: {
                  description: 'photos, dates',
                  initial: 'waiting',
                  states: { waiting: { on: { 'xstate.done.state.n1': 'done' } }, done: { type: 'final' } },
                },
              },
              onDone: '#n3_running',
            },
            RUNNING: { id: 'n3_running', on: { 'sort succeeded': 'SUCCESS', 'sort failed': 'FAILURE' } },
            SUCCESS: { type: 'final' },
            FAILURE: {},
          },
        },
        upload: {
          id: 'n4',
          initial: 'PENDING',
          states: {
            PENDING: {
              type: 'parallel',
              states: {
                resize: {
                  description: 'thumbnails',
                  initial: 'waiting',
                  states: { waiting: { on: { 'xstate.done.state.n2': 'done' } }, done: { type: 'final' } },
                },
                sort: {
                  description: 'order',
                  initial: 'waiting',
                  states: { waiting: { on: { 'xstate.done.state.n3': 'done' } }, done: { type: 'final' } },
                },
              },
              onDone: '#n7',
            },
            upload_retry: {
              id: 'n7',
              description: 'RETRYING',
              initial: 'RUNNING',
              states: {
                RUNNING: {
                  id: 'n7_running',
                  on: { 'upload_retry succeeded': 'SUCCESS', 'upload_retry failed': 'FAILURE' },
                },
                SUCCESS: { type: 'final' },
                FAILURE: {},
              },
              onDone: '#n5',
            },
            send: {
              id: 'n5',
              description: 'REVERTED',
              initial: 'RUNNING',
              states: {
                RUNNING: { id: 'n5_running', on: { 'send succeeded': 'SUCCESS', 'send failed': 'FAILURE' } },
                SUCCESS: { type: 'final' },
                FAILURE: {},
              },
              onDone: '#n6',
            },
            verify: {
              id: 'n6',
              description: 'FAILURE',
              initial: 'RUNNING',
              states: {
                RUNNING: { id: 'n6_running', on: { 'verify succeeded': 'SUCCESS', 'verify failed': 'FAILURE' } },
                SUCCESS: { type: 'final' },
                FAILURE: {},
              },
              onDone: '#n4_success',
            },
            SUCCESS: { type: 'final', id: 'n4_success' },
          },
          on: { 'upload_retry retries': '#n7' },
        },
        announce: {
          id: 'n9',
          description: 'PENDING',
          initial: 'PENDING',
          states: {
            PENDING: {
              type: 'parallel',
              states: {
                upload: {
                  description: 'address, decider: FLOW',
                  initial: 'waiting',
                  states: { waiting: { on: { 'xstate.done.state.n4': 'done' } }, done: { type: 'final' } },
                },
              },
              onDone: '#n9_running',
              on: { 'announce ignored': 'IGNORE' },
            },
            RUNNING: { id: 'n9_running', on: { 'announce succeeded': 'SUCCESS', 'announce failed': 'FAILURE' } },
            SUCCESS: { type: 'final' },
            FAILURE: {},
            IGNORE: { type: 'final' },
          },
        },
      },
      id: 'n0_children',
      onDone: '#n0_success',
    },
    SUCCESS: { type: 'final', id: 'n0_success' },
  },
});
