import type { AnyActor, AnyStateMachine, EventObject } from 'xstate';
import { ChartActor, NativeActor } from '../interpreter/actors.js';
import type { Household, StateActor } from '../interpreter/actors.js';
import type { Chart } from '../interpreter/chart.js';
import { compileChart } from '../interpreter/chart.js';
import type { InspectionObserver, InspectionSubscription } from '../interpreter/inspection.js';
import { InspectionHub } from '../interpreter/inspection.js';
import { createRoot } from '../interpreter/root.js';
import type { BoundChart, Services } from '../interpreter/services.js';
import { bindChart, stateNamed } from '../interpreter/services.js';
import type { EngineOptions } from './options.js';

/** Of a system whose inspector was given when its root was made: it cannot be taken back. */
const FROM_THE_BEGINNING: InspectionSubscription = { unsubscribe: () => undefined };

const charts = new WeakMap<AnyStateMachine, Chart>();

function chartOf(machine: AnyStateMachine): Chart {
  let chart = charts.get(machine);
  if (chart === undefined) charts.set(machine, (chart = compileChart(machine)));
  return chart;
}

/** The actors of one engine, and who looks at them. */
export class Company {
  readonly #hub = new InspectionHub();
  readonly #household: Household;
  /**
   * Where XState emits inspection events: the system of each run's root. An actor that XState interprets stays in the
   * system of the run that it was made for.
   */
  readonly #systems = new Map<AnyActor['system'], InspectionSubscription | null>();

  /**
   * @param root - The actor of the run.
   * @param members - All actors but the root.
   */
  constructor(
    private readonly interpreter: EngineOptions['interpreter'],
    private readonly root: () => AnyActor,
    private readonly members: () => Iterable<StateActor<never>>,
  ) {
    this.#household = {
      hub: this.#hub,
      get parent() {
        return root();
      },
    };
  }

  /** Makes the actor of a run, the parent of all others. */
  newRoot<Context, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
    { id, context }: { readonly id: string; readonly context: Context },
  ): AnyActor {
    const { chart, native } = this.#bind(machine, services);
    if (native === null) this.#forgetSystems();
    const root = createRoot({ id, chart, context, hub: this.#hub, native });
    this.#systems.set(root.system, this.#hub.active ? FROM_THE_BEGINNING : null);
    return root;
  }

  /** Gives what makes actors of a machine, each in the state that its entity was stored in. */
  employer<Context extends { readonly name: string }, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
  ): (context: Context, state: string) => StateActor<Event> {
    const { chart, native } = this.#bind(machine, services);
    const household = this.#household;
    return (context, state) => {
      const actor =
        native === null
          ? new ChartActor<Context, Event>(context, stateNamed(chart, chart.states, state), household)
          : new NativeActor<Event>(`${machine.id}:${context.name}`, context, native, state, household);
      if (this.#hub.active && native === null) actor.introduce(this.#hub.emit);
      return actor;
    };
  }

  #bind<Context, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
  ): { chart: BoundChart<Context, Event>; native: AnyStateMachine | null } {
    return {
      chart: bindChart(chartOf(machine), services),
      native: this.interpreter === 'native' ? machine.provide({ actions: services as never }) : null,
    };
  }

  /** Whether a machine's state accepts an event, one that it ignores included. */
  hears(machine: AnyStateMachine, state: string, event: string): boolean {
    return chartOf(machine).states.get(state)?.branches.has(event) === true;
  }

  inspect(observer: InspectionObserver): InspectionSubscription {
    const root = this.root();
    const newcomer = new InspectionHub();
    newcomer.add(observer);
    newcomer.emit({ type: '@xstate.actor', actorRef: root, rootId: root.sessionId });
    for (const member of this.members()) member.introduce(newcomer.emit);
    const subscription = this.#hub.add(observer);
    for (const [system, known] of this.#systems) {
      if (known === null) this.#systems.set(system, system.inspect(this.#hub.emit));
    }
    return {
      unsubscribe: () => {
        subscription.unsubscribe();
        if (!this.#hub.active) this.#leaveSystems();
      },
    };
  }

  #leaveSystems(): void {
    for (const [system, known] of this.#systems) {
      if (known === null || known === FROM_THE_BEGINNING) continue;
      known.unsubscribe();
      this.#systems.set(system, null);
    }
  }

  #forgetSystems(): void {
    this.#leaveSystems();
    this.#systems.clear();
  }
}
