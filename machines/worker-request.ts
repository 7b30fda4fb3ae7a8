import { setup } from 'xstate';

/** The states of a request to a worker. */
export type WorkerRequestState = 'WAITING' | 'PENDING' | 'RUNNING' | 'SUCCESS' | 'FAILURE';

/** What can have happened to a request. */
export type WorkerRequestEvent =
  /** A worker was found: the request is sent to its topic. */
  | { type: 'on_pending' }
  /** A worker runs it, or runs it still. */
  | { type: 'on_running' }
  /** The task told of something. */
  | { type: 'on_event' }
  | { type: 'on_success' }
  | { type: 'on_failure' }
  /** Nobody has it any more. `mayRedispatch`: it has not been given to workers as often as it may be. */
  | { type: 'on_lost'; mayRedispatch: boolean };

/** Who the actor is: the id of its request. */
export interface WorkerRequestContext {
  readonly name: string;
}

/**
 * The life of a request from an engine to a worker, as the engine knows it.
 *
 * A request that an engine takes up from an earlier process begins as PENDING. A reply may be lost or come late, so what
 * says that a task runs, or has told of something, or has ended, is heard in PENDING too.
 *
 * @see TaskFlow `engines/worker_based/protocol.py`, `Request`. Differs: a request whose worker is lost goes back to
 * WAITING; PENDING may end without RUNNING; illegal events are refused without an error in the loop.
 */
export const workerRequestMachine = setup({
  types: {
    context: {} as WorkerRequestContext,
    input: {} as WorkerRequestContext,
    events: {} as WorkerRequestEvent,
  },
  actions: {
    awaitWorker: () => undefined,
    publish: () => undefined,
    begin: () => undefined,
    renewLease: () => undefined,
    tellEvent: () => undefined,
    settle: () => undefined,
  },
  guards: {
    mayRedispatch: ({ event }) => 'mayRedispatch' in event && event.mayRedispatch,
  },
}).createMachine({
  id: 'worker-request',
  context: ({ input }) => input,
  initial: 'WAITING',
  states: {
    WAITING: {
      entry: 'awaitWorker',
      on: { on_pending: 'PENDING', on_failure: 'FAILURE' },
    },
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
