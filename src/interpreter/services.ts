import type { AnyStateMachine } from 'xstate';
import { CompilationError } from '../errors.js';
import type { Chart } from './chart.js';

/** What a service of a machine is called with. */
export interface ServiceInput<Context, Event> {
  readonly context: Context;
  readonly event: Event;
}

/**
 * What a machine's named actions do. They are given once per engine, and serve all actors of the machine, whichever
 * interpreter runs it. `Params` are the fixed parameters that the chart gives with the action's name.
 */
export type Services<Context, Event> = Readonly<
  Record<string, (input: ServiceInput<Context, Event>, params: never) => void>
>;

type Guard<Context, Event> = (input: ServiceInput<Context, Event>) => boolean;

interface BoundAction<Context, Event> {
  readonly run: (input: ServiceInput<Context, Event>, params: unknown) => void;
  readonly params: unknown;
}

export interface BoundBranch<Context, Event> {
  readonly guard: Guard<Context, Event> | null;
  readonly target: BoundState<Context, Event> | null;
  readonly actions: readonly BoundAction<Context, Event>[];
  readonly definition: object;
}

/** A state of a chart whose actions and guards are functions. Actors point at one. */
export class BoundState<Context, Event> {
  readonly branches = new Map<string, readonly BoundBranch<Context, Event>[]>();

  constructor(
    readonly machine: AnyStateMachine,
    readonly value: string,
    readonly final: boolean,
  ) {}

  /** The branch that an event takes, or undefined where the event is not accepted. */
  select(input: ServiceInput<Context, Event & { readonly type: string }>): BoundBranch<Context, Event> | undefined {
    const branches = this.branches.get(input.event.type);
    if (branches === undefined) return undefined;
    const first = branches[0];
    // Most events have one way that asks nobody.
    if (first?.guard === null) return first;
    return branches.find(({ guard }) => guard === null || guard(input));
  }
}

/** A chart with its services. */
export interface BoundChart<Context, Event> {
  readonly machine: AnyStateMachine;
  readonly initial: BoundState<Context, Event>;
  readonly states: ReadonlyMap<string, BoundState<Context, Event>>;
}

/** @throws {CompilationError} when the chart has no such state. */
export function stateNamed<Context, Event>(
  chart: { readonly machine: AnyStateMachine },
  states: ReadonlyMap<string, BoundState<Context, Event>>,
  value: string,
): BoundState<Context, Event> {
  const state = states.get(value);
  if (state === undefined) throw new CompilationError(`The chart ${chart.machine.id} has no state ${value}`);
  return state;
}

/**
 * Ties a chart's names to functions.
 *
 * @throws {CompilationError} when an action has no service, or a guard no implementation.
 */
export function bindChart<Context, Event>(
  chart: Chart,
  services: Services<Context, Event>,
): BoundChart<Context, Event> {
  const guards = chart.machine.implementations.guards as Readonly<Record<string, Guard<Context, Event> | undefined>>;
  const states = new Map<string, BoundState<Context, Event>>();
  for (const state of chart.states.values())
    states.set(state.value, new BoundState(chart.machine, state.value, state.final));
  for (const state of chart.states.values()) {
    const bound = stateNamed(chart, states, state.value);
    for (const [event, branches] of state.branches) {
      bound.branches.set(
        event,
        branches.map(({ guard, target, actions, definition }) => {
          const implementation = guard === null ? null : guards[guard];
          if (implementation === undefined) {
            throw new CompilationError(
              `The guard ${String(guard)} of the chart ${chart.machine.id} is not implemented`,
            );
          }
          return {
            guard: implementation,
            target: target === null ? null : stateNamed(chart, states, target),
            actions: actions.map(({ type, params }) => {
              const run = services[type];
              if (run === undefined) {
                throw new CompilationError(`The action ${type} of the chart ${chart.machine.id} has no service`);
              }
              return { run: run as BoundAction<Context, Event>['run'], params };
            }),
            definition,
          };
        }),
      );
    }
  }
  return { machine: chart.machine, initial: stateNamed(chart, states, chart.initial), states };
}
