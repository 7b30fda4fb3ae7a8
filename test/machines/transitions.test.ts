import { describe, expect, it } from 'vitest';
import { engineMachine, flowMachine, retryMachine, taskMachine, workerRequestMachine } from '../../machines/index.js';
import { compileChart, ignoredEventsOf, transitionsOf } from '../../src/interpreter/chart.js';

/*
 * The charts are the truth; these lists are what they have to come to. Each table is compared both ways: nothing that
 * is listed may be missing, and nothing that is not listed may be there.
 */

type Pair = `${string} -> ${string}`;

function pairsOf(machine: Parameters<typeof compileChart>[0], events?: (event: string) => boolean): Pair[] {
  const pairs = transitionsOf(compileChart(machine))
    .filter(({ event }) => events?.(event) ?? true)
    .map(({ from, to }): Pair => `${from} -> ${to}`);
  return [...new Set(pairs)].sort();
}

const FLOW_ALLOWED: Pair[] = [
  'PENDING -> RUNNING',
  'RUNNING -> SUCCESS',
  'RUNNING -> FAILURE',
  'RUNNING -> REVERTED',
  'RUNNING -> SUSPENDING',
  'RUNNING -> RESUMING',
  'SUCCESS -> PENDING',
  'SUCCESS -> RUNNING',
  'FAILURE -> RUNNING',
  'REVERTED -> PENDING',
  'SUSPENDING -> SUCCESS',
  'SUSPENDING -> FAILURE',
  'SUSPENDING -> REVERTED',
  'SUSPENDING -> SUSPENDED',
  'SUSPENDING -> RESUMING',
  'SUSPENDED -> RUNNING',
  'RESUMING -> SUSPENDED',
];

const FLOW_IGNORED: Pair[] = [
  'PENDING -> SUSPENDING',
  'PENDING -> SUSPENDED',
  'PENDING -> RESUMING',
  'SUCCESS -> SUSPENDING',
  'SUCCESS -> SUSPENDED',
  'SUCCESS -> RESUMING',
  'FAILURE -> SUSPENDING',
  'FAILURE -> SUSPENDED',
  'FAILURE -> RESUMING',
  'REVERTED -> SUSPENDING',
  'REVERTED -> SUSPENDED',
  'REVERTED -> RESUMING',
  'SUSPENDED -> SUSPENDING',
  'SUSPENDED -> RESUMING',
];

/** The state that each of a flow's events asks for. */
const FLOW_TARGETS: Readonly<Record<string, string>> = {
  reset: 'PENDING',
  run: 'RUNNING',
  succeeded: 'SUCCESS',
  failed: 'FAILURE',
  reverted: 'REVERTED',
  suspend: 'SUSPENDING',
  suspended: 'SUSPENDED',
  resume: 'RESUMING',
};

const TASK: Pair[] = [
  'PENDING -> RUNNING',
  'PENDING -> IGNORE',
  'RUNNING -> SUCCESS',
  'RUNNING -> FAILURE',
  'SUCCESS -> REVERTING',
  'FAILURE -> REVERTING',
  'REVERTING -> REVERTED',
  'REVERTING -> REVERT_FAILURE',
  'REVERTED -> PENDING',
  'IGNORE -> PENDING',
];

/** D24 and D6: legal when a run begins, and nowhere else. */
const AT_START: Pair[] = ['RUNNING -> REVERTING', 'REVERT_FAILURE -> REVERTING'];

/** An engine that starts over takes atoms back from any state; TaskFlow writes these without a look at its table. */
const RESETS: Pair[] = [
  'RUNNING -> PENDING',
  'SUCCESS -> PENDING',
  'FAILURE -> PENDING',
  'REVERTING -> PENDING',
  'REVERT_FAILURE -> PENDING',
];

const RETRY: Pair[] = [...TASK, 'SUCCESS -> RETRYING', 'RETRYING -> RUNNING'];

describe('the transitions of a flow', () => {
  it('are the 17 that are allowed, and FAILURE -> PENDING (D6: reset is legal from FAILURE)', () => {
    expect(FLOW_ALLOWED).toHaveLength(17);
    expect(pairsOf(flowMachine)).toEqual([...FLOW_ALLOWED, 'FAILURE -> PENDING'].sort());
  });

  it('that are silently ignored are 14, beside staying where it is; how its run ended, it is told once', () => {
    const ignored = ignoredEventsOf(compileChart(flowMachine)).map(
      ({ from, event }): Pair => `${from} -> ${FLOW_TARGETS[event] ?? event}`,
    );
    const toldOnce = ['SUCCESS', 'FAILURE', 'REVERTED'];
    const staying = Object.values(FLOW_TARGETS)
      .filter((state) => !toldOnce.includes(state))
      .map((state): Pair => `${state} -> ${state}`);
    expect(FLOW_IGNORED).toHaveLength(14);
    expect(ignored.sort()).toEqual([...FLOW_IGNORED, ...staying].sort());
  });

  it('lead to the state that the event is named for', () => {
    for (const { event, to } of transitionsOf(compileChart(flowMachine))) expect(to).toBe(FLOW_TARGETS[event]);
  });
});

describe('the transitions of a task', () => {
  it('are 10, those at the start of a run, and resets', () => {
    expect(TASK).toHaveLength(10);
    expect(pairsOf(taskMachine)).toEqual([...TASK, ...AT_START, ...RESETS].sort());
  });

  it('to PENDING are all made by a reset, and nothing else is', () => {
    const resets = pairsOf(taskMachine, (event) => event === 'reset');
    expect(resets).toEqual(pairsOf(taskMachine).filter((pair) => pair.endsWith('PENDING')));
  });

  it('of D24 and D6 are guarded: they need the start of a run', () => {
    const { states } = compileChart(taskMachine);
    for (const pair of AT_START) {
      const from = pair.split(' -> ')[0] ?? '';
      const branches = states.get(from)?.branches.get('revert');
      expect(branches?.map(({ guard }) => guard)).toEqual(['isAtStart']);
    }
  });
});

describe('the transitions of a retry', () => {
  it('are those of a task and two more', () => {
    expect(RETRY).toHaveLength(12);
    expect(pairsOf(retryMachine)).toEqual([...RETRY, ...AT_START, ...RESETS, 'RETRYING -> PENDING'].sort());
  });
});

describe('the transitions of an engine', () => {
  it('are 11', () => {
    const triples = transitionsOf(compileChart(engineMachine)).map(({ from, event, to }) => `${from} ${event} ${to}`);
    expect(triples.sort()).toEqual(
      [
        'UNDEFINED start RESUMING',
        'RESUMING schedule_next SCHEDULING',
        'SCHEDULING wait_finished WAITING',
        'WAITING examine_finished ANALYZING',
        'ANALYZING schedule_next SCHEDULING',
        'ANALYZING wait_finished WAITING',
        'ANALYZING completed GAME_OVER',
        'GAME_OVER success SUCCESS',
        'GAME_OVER reverted REVERTED',
        'GAME_OVER suspended SUSPENDED',
        'GAME_OVER failed FAILURE',
      ].sort(),
    );
  });
});

describe('the transitions of a request to a worker', () => {
  const TASKFLOW: Pair[] = [
    'WAITING -> PENDING',
    'WAITING -> FAILURE',
    'PENDING -> RUNNING',
    'PENDING -> FAILURE',
    'RUNNING -> SUCCESS',
    'RUNNING -> FAILURE',
  ];
  /** A lost worker's request is given to another, and a lost or late RUNNING does not break a request. */
  const MORE: Pair[] = ['RUNNING -> WAITING', 'PENDING -> WAITING', 'PENDING -> SUCCESS'];

  it('are the 6 of TaskFlow and 3 more', () => {
    expect(pairsOf(workerRequestMachine)).toEqual([...TASKFLOW, ...MORE].sort());
  });

  it('back to WAITING are guarded: a request is given to so many workers only', () => {
    const { states } = compileChart(workerRequestMachine);
    const back = ['mayRedispatch', 'WAITING'];
    const lost = (from: string) =>
      states
        .get(from)
        ?.branches.get('on_lost')
        ?.map(({ guard, target }) => [guard, target]);
    expect(lost('PENDING')).toEqual([back]);
    expect(lost('RUNNING')).toEqual([back, [null, 'FAILURE']]);
  });

  it('end in SUCCESS and FAILURE, which hear nothing any more', () => {
    const { states } = compileChart(workerRequestMachine);
    for (const last of ['SUCCESS', 'FAILURE']) {
      expect(states.get(last)?.final).toBe(true);
      expect(states.get(last)?.branches.size).toBe(0);
    }
  });
});
