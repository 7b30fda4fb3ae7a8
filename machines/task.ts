import { setup } from 'xstate';

/** The states of a task, as they are stored. */
export type TaskState =
  'PENDING' | 'RUNNING' | 'SUCCESS' | 'FAILURE' | 'REVERTING' | 'REVERTED' | 'REVERT_FAILURE' | 'IGNORE';

/** What an atom is to do next. */
export type Intention = 'EXECUTE' | 'REVERT' | 'RETRY' | 'IGNORE';

/** What a task or a retry can be told (verbs) and what can have happened to it (past participles). */
export type AtomEvent =
  /** Run `execute`. `hasProgress`: progress other than 0 is stored, so the start is announced again. */
  | { type: 'execute'; hasProgress: boolean }
  | { type: 'succeeded'; result: unknown }
  | { type: 'failed'; result: unknown }
  /** Run `revert`. `atStart`: the atom was found in its state when the run began. */
  | { type: 'revert'; atStart: boolean; hasProgress: boolean }
  | { type: 'reverted'; result: unknown }
  | { type: 'revertFailed'; result: unknown }
  | { type: 'ignore' }
  /** Back to PENDING, forgetting results and failures. */
  | { type: 'reset' };

/** Who the actor is: the atom's name, and its number in the compiled plan. */
export interface AtomContext {
  readonly name: string;
  readonly index: number;
}

/** Entered with the fact that nothing has come of it yet. */
const start = <const State extends TaskState>(state: State) =>
  [
    { type: 'saveState', params: { state, progress: 0 } },
    { type: 'notify', params: { state } },
    { type: 'reportProgress', params: { progress: 0 } },
  ] as const;

/** Entered with a result. */
const finish = <const State extends TaskState>(state: State) =>
  [
    { type: 'saveResult', params: { state, progress: 1 } },
    { type: 'notify', params: { state } },
    { type: 'reportProgress', params: { progress: 1 } },
  ] as const;

/** Entered with a failure, which says nothing about progress. */
const fail = <const State extends TaskState>(state: State) =>
  [
    { type: 'saveResult', params: { state } },
    { type: 'notify', params: { state } },
  ] as const;

const ignored = {} as const;

/**
 * The life of a task.
 *
 * `reset` is heard everywhere: an engine that starts over takes an atom back from any state. A task that a
 * run finds RUNNING may be reverted (it may have had effects), and one whose revert failed may be reverted
 * again, both only when the run begins.
 *
 * @see TaskFlow `states.py`, `check_task_transition`. Differs: D6, D24 of the decisions; resets are in the chart.
 */
export const taskMachine = setup({
  types: {
    context: {} as AtomContext,
    input: {} as AtomContext,
    events: {} as AtomEvent,
  },
  actions: {
    saveState: (_, _params: { state: TaskState; progress: number }) => undefined,
    saveResult: (_, _params: { state: TaskState; progress?: number }) => undefined,
    forget: () => undefined,
    notify: (_, _params: { state: TaskState }) => undefined,
    reportProgress: (_, _params: { progress: number }) => undefined,
  },
  guards: {
    hasProgress: ({ event }) => 'hasProgress' in event && event.hasProgress,
    isAtStart: ({ event }) => 'atStart' in event && event.atStart,
  },
}).createMachine({
  id: 'task',
  context: ({ input }) => input,
  initial: 'PENDING',
  states: {
    PENDING: {
      entry: [
        'forget',
        { type: 'notify', params: { state: 'PENDING' } },
        { type: 'reportProgress', params: { progress: 0 } },
      ],
      on: { execute: 'RUNNING', ignore: 'IGNORE', reset: ignored },
    },
    RUNNING: {
      entry: start('RUNNING'),
      on: {
        execute: [{ guard: 'hasProgress', target: 'RUNNING', reenter: true }, ignored],
        succeeded: 'SUCCESS',
        failed: 'FAILURE',
        revert: { guard: 'isAtStart', target: 'REVERTING' },
        reset: 'PENDING',
      },
    },
    SUCCESS: { entry: finish('SUCCESS'), on: { revert: 'REVERTING', reset: 'PENDING' } },
    FAILURE: { entry: fail('FAILURE'), on: { revert: 'REVERTING', reset: 'PENDING' } },
    REVERTING: {
      entry: start('REVERTING'),
      on: {
        revert: [{ guard: 'hasProgress', target: 'REVERTING', reenter: true }, ignored],
        reverted: 'REVERTED',
        revertFailed: 'REVERT_FAILURE',
        reset: 'PENDING',
      },
    },
    REVERTED: { entry: finish('REVERTED'), on: { reset: 'PENDING' } },
    REVERT_FAILURE: {
      entry: fail('REVERT_FAILURE'),
      on: { revert: { guard: 'isAtStart', target: 'REVERTING' }, reset: 'PENDING' },
    },
    IGNORE: { entry: start('IGNORE'), on: { ignore: ignored, reset: 'PENDING' } },
  },
});
