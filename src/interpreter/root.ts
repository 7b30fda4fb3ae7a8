import type { ActorLogic, AnyActor, AnyMachineSnapshot, AnyStateMachine, EventObject } from 'xstate';
import { createActor } from 'xstate';
import { microstep } from './actors.js';
import type { InspectionHub } from './inspection.js';
import type { BoundChart } from './services.js';
import { runActions } from './services.js';

/** XState actor logic that looks its transitions up in a compiled chart. */
function compiledLogic<Context, Event extends EventObject>(
  chart: BoundChart<Context, Event>,
  context: Context,
  hub: InspectionHub,
): ActorLogic<AnyMachineSnapshot, Event> {
  const { machine } = chart;
  const snapshots = new Map<string, AnyMachineSnapshot>();
  const snapshotOf = (value: string): AnyMachineSnapshot => {
    let snapshot = snapshots.get(value);
    if (snapshot === undefined) snapshots.set(value, (snapshot = machine.resolveState({ value, context })));
    return snapshot;
  };
  return {
    config: machine.config,
    getInitialSnapshot: () => snapshotOf(chart.initial.value),
    getPersistedSnapshot: (snapshot) => machine.getPersistedSnapshot(snapshot),
    transition: (snapshot, event, { self }) => {
      const input = { context, event };
      const branch = chart.states.get(String(snapshot.value))?.select(input);
      if (branch === undefined) return snapshot;
      runActions(branch, input);
      const next = branch.target === null ? snapshot : snapshotOf(branch.target.value);
      if (hub.active) {
        hub.emit(microstep(event, next, branch.definition, { rootId: self.sessionId, actorRef: self }));
      }
      return next;
    },
  };
}

export interface RootOptions<Context, Event extends EventObject> {
  readonly id: string;
  readonly chart: BoundChart<Context, Event>;
  readonly context: Context;
  readonly hub: InspectionHub;
  /** The machine with its services, where XState itself is to interpret it. */
  readonly native: AnyStateMachine | null;
}

/**
 * Makes the actor of an engine's run: XState's own, on a compiled chart or on the machine itself. Started.
 *
 * It hears its inspectors from the beginning if there are any; those that come later are added to its system.
 */
export function createRoot<Context, Event extends EventObject>(options: RootOptions<Context, Event>): AnyActor {
  const { id, chart, context, hub, native } = options;
  const inspect = hub.active ? { inspect: hub.emit } : {};
  const actor: AnyActor =
    native === null
      ? createActor(compiledLogic(chart, context, hub), { id, ...inspect })
      : createActor(native, { id, input: context, ...inspect });
  // Without an observer for errors XState would rethrow them in a timer, and end the process.
  actor.subscribe({ error: () => undefined });
  return actor.start();
}
