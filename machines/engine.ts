import { setup } from 'xstate';

/** The stages of a run. UNDEFINED and GAME_OVER are never reported to a caller. */
export type EngineStage =
  | 'UNDEFINED'
  | 'RESUMING'
  | 'SCHEDULING'
  | 'WAITING'
  | 'ANALYZING'
  | 'GAME_OVER'
  | 'SUCCESS'
  | 'REVERTED'
  | 'SUSPENDED'
  | 'FAILURE';

export type EngineEvent =
  | { type: 'start' }
  | { type: 'schedule_next' }
  | { type: 'wait_finished' }
  | { type: 'examine_finished' }
  | { type: 'completed' }
  | { type: 'success' }
  | { type: 'reverted' }
  | { type: 'suspended' }
  | { type: 'failed' };

export interface EngineContext {
  readonly name: string;
}

/**
 * One run of an engine, from stage to stage.
 *
 * Each stage's entry action names the work that is done there; whoever drives the machine performs it, and
 * what came of it is the next event. The stage is entered, and may be reported, before its work begins: a
 * caller that asks for suspension when SCHEDULING is reported prevents that round from scheduling anything.
 *
 * @see TaskFlow `engines/action_engine/builder.py`.
 */
export const engineMachine = setup({
  types: {
    context: {} as EngineContext,
    input: {} as EngineContext,
    events: {} as EngineEvent,
  },
  actions: {
    resume: () => undefined,
    schedule: () => undefined,
    wait: () => undefined,
    analyze: () => undefined,
    finish: () => undefined,
  },
}).createMachine({
  id: 'engine',
  context: ({ input }) => input,
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
