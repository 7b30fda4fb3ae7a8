import { setup } from 'xstate';

/** The states of a flow, as they are stored. */
export type FlowState =
  'PENDING' | 'RUNNING' | 'SUCCESS' | 'FAILURE' | 'REVERTED' | 'SUSPENDING' | 'SUSPENDED' | 'RESUMING';

export type FlowEvent =
  | { type: 'reset' }
  | { type: 'run' }
  | { type: 'succeeded' }
  | { type: 'failed' }
  | { type: 'reverted' }
  | { type: 'suspend' }
  | { type: 'suspended' }
  | { type: 'resume' };

export interface FlowContext {
  readonly name: string;
}

const enter = <const State extends FlowState>(state: State) =>
  [
    { type: 'saveState', params: { state } },
    { type: 'notify', params: { state } },
  ] as const;

/** An event that a state hears and does nothing about: no change, no notification, no error. */
const ignored = {} as const;

/**
 * The life of a flow's run.
 *
 * An event that a state does not name is an illegal transition. An event that it names with an empty
 * transition is accepted and ignored: asking a settled flow to suspend changes nothing. How its run ended, a flow is
 * told once.
 *
 * @see TaskFlow `states.py`, `check_flow_transition`. FAILURE → PENDING is flowstate's (D6).
 */
export const flowMachine = setup({
  types: {
    context: {} as FlowContext,
    input: {} as FlowContext,
    events: {} as FlowEvent,
  },
  actions: {
    saveState: (_, _params: { state: FlowState }) => undefined,
    notify: (_, _params: { state: FlowState }) => undefined,
  },
}).createMachine({
  id: 'flow',
  context: ({ input }) => input,
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: enter('PENDING'),
      on: { reset: ignored, run: 'RUNNING', suspend: ignored, suspended: ignored, resume: ignored },
    },
    RUNNING: {
      entry: enter('RUNNING'),
      on: {
        run: ignored,
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        reverted: 'REVERTED',
        suspend: 'SUSPENDING',
        resume: 'RESUMING',
      },
    },
    SUCCESS: {
      entry: enter('SUCCESS'),
      on: {
        reset: 'PENDING',
        run: 'RUNNING',
        suspend: ignored,
        suspended: ignored,
        resume: ignored,
      },
    },
    FAILURE: {
      entry: enter('FAILURE'),
      on: { reset: 'PENDING', run: 'RUNNING', suspend: ignored, suspended: ignored, resume: ignored },
    },
    REVERTED: {
      entry: enter('REVERTED'),
      on: { reset: 'PENDING', suspend: ignored, suspended: ignored, resume: ignored },
    },
    SUSPENDING: {
      entry: enter('SUSPENDING'),
      on: {
        suspend: ignored,
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        reverted: 'REVERTED',
        suspended: 'SUSPENDED',
        resume: 'RESUMING',
      },
    },
    SUSPENDED: {
      entry: enter('SUSPENDED'),
      on: { suspended: ignored, run: 'RUNNING', suspend: ignored, resume: ignored },
    },
    RESUMING: {
      entry: enter('RESUMING'),
      on: { resume: ignored, suspended: 'SUSPENDED' },
    },
  },
});
