import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { createActor } from 'xstate';
import { engineMachine, flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { compileChart } from '../../src/interpreter/chart.js';
import type { Household } from '../../src/interpreter/actors.js';
import { ChartActor, NativeActor } from '../../src/interpreter/actors.js';
import { InspectionHub } from '../../src/interpreter/inspection.js';
import { bindChart, stateNamed } from '../../src/interpreter/services.js';

/*
 * Every state, every event of the chart and one that it does not have, every combination of guard outcomes: XState's
 * interpreter and the compiled table come to the same state by the same actions in the same order.
 */

const MACHINES: Readonly<Record<string, AnyStateMachine>> = {
  engine: engineMachine,
  flow: flowMachine,
  task: taskMachine,
  retry: retryMachine,
};

interface Step {
  readonly state: string;
  readonly actions: readonly string[];
  readonly accepted: boolean;
}

type Outcomes = Readonly<Record<string, boolean>>;

function* combinations(guards: readonly string[]): Generator<Outcomes> {
  for (let bits = 0; bits < 2 ** guards.length; bits++) {
    yield Object.fromEntries(guards.map((guard, i) => [guard, (bits & (1 << i)) !== 0]));
  }
}

function withGuards(machine: AnyStateMachine, outcomes: Outcomes): AnyStateMachine {
  return machine.provide({
    guards: Object.fromEntries(Object.entries(outcomes).map(([name, outcome]) => [name, () => outcome])),
  });
}

function recorder(machine: AnyStateMachine, actions: string[]) {
  return Object.fromEntries(
    Object.keys(machine.implementations.actions).map((name) => [
      name,
      (_: unknown, params: unknown) => void actions.push(`${name} ${JSON.stringify(params)}`),
    ]),
  );
}

function native(machine: AnyStateMachine, value: string, type: string): Step {
  const actions: string[] = [];
  const provided = machine.provide({ actions: recorder(machine, actions) });
  const context = { name: 'a', index: 0 };
  const snapshot = provided.resolveState({ value, context });
  const actor = createActor(provided, { snapshot, input: context });
  actor.subscribe({ error: () => undefined });
  actor.start();
  const accepted = provided.getTransitionData(snapshot, { type }).length > 0;
  actor.send({ type });
  return { state: String(actor.getSnapshot().value), actions, accepted };
}

function compiled(machine: AnyStateMachine, value: string, type: string): Step {
  const actions: string[] = [];
  const root = createActor(machine, { input: { name: 'root', index: 0 } });
  const household: Household = { hub: new InspectionHub(), parent: root };
  const chart = bindChart<object, { type: string }>(compileChart(machine), recorder(machine, actions));
  const actor = new ChartActor({ name: 'a', index: 0 }, stateNamed(chart, chart.states, value), household);
  const accepted = actor.accepts({ type });
  actor.send({ type });
  return { state: actor.value, actions, accepted };
}

describe.each(Object.entries(MACHINES))('the compiled chart of %s', (_, machine) => {
  const chart = compileChart(machine);
  const events = [...new Set([...chart.states.values()].flatMap(({ branches }) => [...branches.keys()])), 'unheard_of'];
  const guards = Object.keys(machine.implementations.guards);

  it('goes where XState goes, by the same actions in the same order', () => {
    let pairs = 0;
    for (const outcomes of combinations(guards)) {
      const guarded = withGuards(machine, outcomes);
      for (const state of chart.states.values()) {
        // A finished actor of XState hears nothing any more.
        if (state.final) continue;
        for (const event of events) {
          expect(
            compiled(guarded, state.value, event),
            `${state.value} on ${event} with ${JSON.stringify(outcomes)}`,
          ).toEqual(native(guarded, state.value, event));
          pairs += 1;
        }
      }
    }
    const states = [...chart.states.values()].filter(({ final }) => !final).length;
    expect(pairs).toBe(2 ** guards.length * states * events.length);
  });

  it('begins in the same state', () => {
    expect(chart.initial).toBe(createActor(machine, { input: { name: 'a', index: 0 } }).getSnapshot().value);
  });

  it('has snapshots that are XState snapshots of the machine', () => {
    const root = createActor(machine, { input: { name: 'root', index: 0 } });
    const bound = bindChart<object, { type: string }>(chart, recorder(machine, []));
    for (const { value } of chart.states.values()) {
      const household: Household = { hub: new InspectionHub(), parent: root };
      const actor = new ChartActor({ name: 'a', index: 0 }, stateNamed(bound, bound.states, value), household);
      const snapshot = actor.getSnapshot();
      expect(snapshot.value).toBe(value);
      expect(snapshot.machine).toBe(machine);
      expect(snapshot.context).toEqual({ name: 'a', index: 0 });
    }
  });
});

describe('the actor of a run', () => {
  it('is the same on both interpreters, stage by stage', () => {
    const path = [
      'start',
      'schedule_next',
      'unheard_of',
      'wait_finished',
      'examine_finished',
      'completed',
      'suspended',
    ];
    const values = [null, engineMachine].map((nativeMachine) => {
      const actions: string[] = [];
      const services = recorder(engineMachine, actions);
      const household: Household = { hub: new InspectionHub(), parent: undefined };
      const { initial } = bindChart<{ name: string }, { type: string }>(compileChart(engineMachine), services);
      const root =
        nativeMachine === null
          ? new ChartActor({ name: 'f' }, initial, household)
          : new NativeActor({ name: 'f' }, nativeMachine.provide({ actions: services }), initial.value, household);
      const heard: string[] = [];
      const observer = {
        next: ({ value }: { value: unknown }) => heard.push(String(value)),
        complete: () => heard.push('complete'),
      };
      root.subscribe(observer);
      const seen = path.map((type) => {
        root.send({ type });
        const { value, status } = root.getSnapshot() as { value: string; status: string };
        return `${value} ${status}`;
      });
      root.subscribe(observer);
      return { seen, actions, heard, id: root.id };
    });
    expect(values[0]).toEqual(values[1]);
    expect(values[0]?.seen.at(-1)).toBe('SUSPENDED done');
    expect(values[0]?.heard.slice(-3)).toEqual(['SUSPENDED', 'complete', 'complete']);
  });
});
