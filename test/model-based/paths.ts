import type { AnyMachineSnapshot, AnyStateMachine, AnyTransitionDefinition, EventObject } from 'xstate';
import { transition } from 'xstate';
import type { StatePath, TestModel } from 'xstate/graph';
import { createTestModel } from 'xstate/graph';
import { nameOf, targetOf, transitionsOf } from './coverage.js';

type Model = TestModel<AnyMachineSnapshot, EventObject, unknown>;
type Walk = StatePath<AnyMachineSnapshot, EventObject>;

/** One transition on a path. */
export interface Step {
  /** As `nameOf` calls it. */
  readonly name: string;
  readonly event: EventObject;
  /** The state after it. */
  readonly to: string;
}

/** What is made to go along a path. */
export interface Walker {
  /** Called once, before the first step. */
  begin(): Promise<void>;
  /** Makes the system under test take a step. `following` are the steps that come after it. */
  take(step: Step, following: readonly Step[]): Promise<void>;
  /** Called at the beginning, and after each step. */
  arrive(state: string): Promise<void>;
}

export interface Path {
  /** What happens on the way: `PENDING, execute → RUNNING, execute is ignored`. */
  readonly title: string;
  readonly steps: readonly Step[];
  /** Leads a walker along the path. */
  walk(walker: Walker): Promise<void>;
}

export interface Paths {
  /** Every way through the chart on which no state is visited twice; those that are part of a longer one left out. */
  readonly simple: readonly Path[];
  /** For each transition that is on none of them, because it leads back or nowhere: the shortest way, and it. */
  readonly returning: readonly Path[];
}

export interface PathOptions {
  readonly input: object;
  /** The property of an event that each guard reads. */
  readonly flags?: Readonly<Record<string, string>>;
}

/** Finds the paths through a flat machine whose guards read flags of events. */
export function pathsOf(machine: AnyStateMachine, { input, flags = {} }: PathOptions): Paths {
  const options = {
    input,
    events: ({ value }: AnyMachineSnapshot) => variants(machine, String(value), flags),
    serializeState: ({ value }: AnyMachineSnapshot) => String(value),
  };
  // The events of a machine of any kind are `any`.
  const model = createTestModel(machine, options) as Model;
  const shortest = new Map<string, Walk>();
  for (const walk of model.getShortestPaths({ input, allowDuplicatePaths: true })) {
    shortest.set(String(walk.state.value), walk);
  }
  const simple = model.getSimplePaths({ input }).map((walk) => pathAlong(machine, model, walk));
  const known = new Set(simple.flatMap(({ steps }) => steps.map(({ name }) => name)));
  const returning = transitionsOf(machine)
    .filter((definition) => !known.has(nameOf(definition)))
    .map((definition) => {
      const walk = shortest.get(definition.source.key);
      if (walk === undefined) throw new RangeError(`${machine.id} never comes to ${definition.source.key}`);
      return pathAlong(machine, model, oneFurther(machine, walk, eventFor(machine, walk.state, definition, flags)));
    });
  return { simple, returning };
}

/** One event for each branch of a state: its guard agrees, and those before it do not. */
function variants(machine: AnyStateMachine, state: string, flags: PathOptions['flags'] = {}): EventObject[] {
  return transitionsOf(machine)
    .filter(({ source }) => source.key === state)
    .map((definition) => {
      const own = nameOf(definition).split(/[[\]]/)[1];
      const settings = Object.entries(flags).map(([guard, flag]) => [flag, guard === own] as const);
      return { ...Object.fromEntries(settings), type: String(definition.eventType) };
    });
}

function chosen(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: EventObject): AnyTransitionDefinition {
  const [definition, another] = machine.getTransitionData(snapshot, event);
  if (definition === undefined || another !== undefined) {
    throw new RangeError(`${machine.id} takes not one transition from ${String(snapshot.value)} by ${event.type}`);
  }
  return definition;
}

function eventFor(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  wanted: AnyTransitionDefinition,
  flags: PathOptions['flags'],
): EventObject {
  const event = variants(machine, String(snapshot.value), flags).find(
    (each) => each.type === wanted.eventType && chosen(machine, snapshot, each) === wanted,
  );
  if (event === undefined) throw new RangeError(`No event takes the transition ${nameOf(wanted)}`);
  return event;
}

function oneFurther(machine: AnyStateMachine, { state, steps, weight }: Walk, event: EventObject): Walk {
  const [next] = transition(machine, state, event);
  return { state: next, steps: [...steps, { event, state: next }], weight: weight + 1 };
}

function pathAlong(machine: AnyStateMachine, model: Model, walk: Walk): Path {
  // The first step of a walk is the arrival in the initial state.
  const [start, ...moves] = walk.steps;
  if (start?.event.type !== 'xstate.init') throw new RangeError('A walk has to begin with the initial state');
  let from = start.state;
  const titles = [String(from.value)];
  const steps = moves.map(({ event, state }): Step => {
    const definition = chosen(machine, from, event);
    titles.push(titleOf(definition));
    from = state;
    return { name: nameOf(definition), event, to: String(state.value) };
  });
  return {
    title: titles.join(', '),
    steps,
    async walk(walker) {
      let taken = 0;
      const take = () => {
        const step = steps[taken++];
        if (step === undefined) throw new RangeError('There are more events than steps');
        return walker.take(step, steps.slice(taken));
      };
      const types = new Set(transitionsOf(machine).map(({ eventType }) => String(eventType)));
      await model.testPath(walk, {
        events: { 'xstate.init': () => walker.begin(), ...Object.fromEntries([...types].map((type) => [type, take])) },
        states: { '*': ({ value }) => walker.arrive(String(value)) },
      });
      // The model passes over an event that nobody takes, without a word.
      if (taken !== steps.length) throw new RangeError(`Of ${steps.length} steps ${taken} were taken`);
    },
  };
}

function titleOf(definition: AnyTransitionDefinition): string {
  const what = nameOf(definition).slice(definition.source.key.length + 1);
  const target = targetOf(definition);
  return target === null ? `${what} is ignored` : `${what} → ${target}`;
}
