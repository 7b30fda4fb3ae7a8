import { createMachine } from 'xstate';

export const engineMachine = createMachine({
  id: 'engine',
  initial: 'UNDEFINED',
  states: {
    UNDEFINED: { on: { start: 'RESUMING' } },
    RESUMING: { entry: 'resume', on: { schedule_next: 'SCHEDULING' } },
    SCHEDULING: { entry: 'schedule', on: { wait_finished: 'WAITING' } },
    WAITING: { entry: 'wait', on: { examine_finished: 'ANALYZING' } },
    ANALYZING: {
      entry: 'analyze',
      on: { schedule_next: 'SCHEDULING', wait_finished: 'WAITING', completed: 'GAME_OVER' },
    },
    GAME_OVER: {
      entry: 'finish',
      on: { success: 'SUCCESS', reverted: 'REVERTED', suspended: 'SUSPENDED', failed: 'FAILURE' },
    },
    SUCCESS: { type: 'final' },
    REVERTED: { type: 'final' },
    SUSPENDED: { type: 'final' },
    FAILURE: { type: 'final' },
  },
});
