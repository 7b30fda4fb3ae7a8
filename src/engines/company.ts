import type { AnyActorRef, AnyStateMachine, EventObject } from 'xstate';
import { ChartActor, NativeActor } from '../interpreter/actors.js';
import type { Household, StateActor } from '../interpreter/actors.js';
import type { Chart } from '../interpreter/chart.js';
import { compileChart } from '../interpreter/chart.js';
import type { InspectionObserver, InspectionSubscription } from '../interpreter/inspection.js';
import { InspectionHub } from '../interpreter/inspection.js';
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

/** A machine with its services, for either interpreter. */
interface Bound<Context, Event> {
  readonly chart: BoundChart<Context, Event>;
  /** null: the chart is to be used. */
  readonly native: AnyStateMachine | null;
}

/** The actors of one engine, and who looks at them. */
export class Company {
  readonly #hub = new InspectionHub();
  readonly #household: Household;
  /**
   * Where XState emits inspection events of actors that it interprets: the system of each run's root. An actor stays in
   * the system of the run that it was made for.
   */
  readonly #systems = new Map<AnyActorRef['system'], InspectionSubscription | null>();

  /**
   * @param root - The actor of the run.
   * @param members - All actors but the root.
   */
  constructor(
    private readonly interpreter: EngineOptions['interpreter'],
    private readonly root: () => StateActor<never>,
    private readonly members: () => Iterable<StateActor<never>>,
  ) {
    this.#household = {
      hub: this.#hub,
      get parent() {
        return root().ref;
      },
    };
  }

  /** Makes the actor of a run, the parent of all others. */
  newRoot<Context extends { readonly name: string }, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
    context: Context,
  ): StateActor<Event> {
    const root = this.#actor(this.#bind(machine, services), context, null, { hub: this.#hub, parent: undefined });
    if (this.interpreter === 'native') {
      this.#systems.set(root.ref.system, this.#hub.active ? FROM_THE_BEGINNING : null);
    }
    return root;
  }

  /** Gives what makes actors of a machine, each in the state that its entity was stored in. */
  employer<Context extends { readonly name: string }, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
  ): (context: Context, state: string) => StateActor<Event> {
    const bound = this.#bind(machine, services);
    return (context, state) => this.#actor(bound, context, state, this.#household);
  }

  /** @param state - null: the one in which the machine begins. */
  #actor<Context extends { readonly name: string }, Event extends EventObject>(
    { chart, native }: Bound<Context, Event>,
    context: Context,
    state: string | null,
    household: Household,
  ): StateActor<Event> {
    const first = state === null ? chart.initial : stateNamed(chart, chart.states, state);
    if (native !== null) return new NativeActor<Event>(context, native, first.value, household);
    const actor = new ChartActor<Context, Event>(context, first, household);
    if (this.#hub.active) actor.introduce(this.#hub.emit);
    return actor;
  }

  #bind<Context, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
  ): Bound<Context, Event> {
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
    root.introduce(newcomer.emit);
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
}
