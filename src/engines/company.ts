import type { AnyActor, AnyStateMachine, EventObject, InspectionEvent } from 'xstate';
import { ChartActor, NativeActor } from '../interpreter/actors.js';
import type { Household, StateActor } from '../interpreter/actors.js';
import type { Chart } from '../interpreter/chart.js';
import { compileChart } from '../interpreter/chart.js';
import type { InspectionObserver, InspectionSubscription } from '../interpreter/inspection.js';
import { InspectionHub } from '../interpreter/inspection.js';
import { createRoot } from '../interpreter/root.js';
import type { BoundChart, Services } from '../interpreter/services.js';
import { bindChart } from '../interpreter/services.js';
import type { EngineOptions } from './options.js';

const charts = new WeakMap<AnyStateMachine, Chart>();

function chartOf(machine: AnyStateMachine): Chart {
  let chart = charts.get(machine);
  if (chart === undefined) charts.set(machine, (chart = compileChart(machine)));
  return chart;
}

/** A chart with its services, for either interpreter. */
interface Bound {
  readonly chart: BoundChart<never, never>;
  readonly native: AnyStateMachine | null;
}

export interface Employment<Context> {
  readonly id: string;
  readonly context: Context;
  readonly state: string;
}

/** The actors of one engine, and who looks at them. */
export class Company {
  readonly #hub = new InspectionHub();
  readonly #bound = new Map<object, Map<AnyStateMachine, Bound>>();
  readonly #introductions: ((emit: (event: InspectionEvent) => void) => void)[] = [];
  readonly #household: Household;
  #systemSubscription: InspectionSubscription | null = null;

  constructor(
    private readonly interpreter: EngineOptions['interpreter'],
    private readonly root: () => AnyActor,
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
    { id, context }: Omit<Employment<Context>, 'state'>,
  ): AnyActor {
    const { chart, native } = this.#bind(machine, services);
    this.#systemSubscription?.unsubscribe();
    this.#systemSubscription = null;
    return createRoot({ id, chart, context, hub: this.#hub, native });
  }

  /** Makes an actor of the machine, in the state that its entity was stored in. */
  employ<Context, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
    { id, context, state }: Employment<Context>,
  ): StateActor<Event> {
    const { chart, native } = this.#bind(machine, services);
    const actor =
      native === null
        ? new ChartActor<Context, Event>(id, context, chart, state, this.#household)
        : new NativeActor<Event>(id, context, native, state, this.#household);
    this.#introductions.push((emit) => {
      actor.introduce(emit);
    });
    return actor;
  }

  #bind<Context, Event extends EventObject>(
    machine: AnyStateMachine,
    services: Services<Context, Event>,
  ): { chart: BoundChart<Context, Event>; native: AnyStateMachine | null } {
    let ofServices = this.#bound.get(services);
    if (ofServices === undefined) this.#bound.set(services, (ofServices = new Map()));
    let bound = ofServices.get(machine);
    if (bound === undefined) {
      bound = {
        chart: bindChart<never, never>(chartOf(machine), services as unknown as Services<never, never>),
        native: this.interpreter === 'native' ? machine.provide({ actions: services as never }) : null,
      };
      ofServices.set(machine, bound);
    }
    return bound as unknown as { chart: BoundChart<Context, Event>; native: AnyStateMachine | null };
  }

  inspect(observer: InspectionObserver): InspectionSubscription {
    const root = this.root();
    const newcomer = new InspectionHub();
    newcomer.add(observer);
    newcomer.emit({ type: '@xstate.actor', actorRef: root, rootId: root.sessionId });
    for (const introduce of this.#introductions) introduce(newcomer.emit);
    const subscription = this.#hub.add(observer);
    this.#systemSubscription ??= root.system.inspect(this.#hub.emit);
    return {
      unsubscribe: () => {
        subscription.unsubscribe();
        if (this.#hub.active) return;
        this.#systemSubscription?.unsubscribe();
        this.#systemSubscription = null;
      },
    };
  }
}
