import type {
  Actor,
  AnyActorRef,
  AnyMachineSnapshot,
  AnyStateMachine,
  InspectionEvent,
  Observer,
  Subscription,
} from 'xstate';
import { createActor } from 'xstate';
import { InvalidStateError } from '../errors.js';
import type { InspectionHub } from './inspection.js';
import type { BoundBranch, BoundState, ServiceInput } from './services.js';

/** The part of XState's `ActorRef` that every actor of an engine has, whichever interpreter runs it. */
export interface StateActor<Event> {
  readonly id: string;
  readonly sessionId: string;
  /** The name of the state that the actor is in. */
  readonly value: string;
  getSnapshot(): AnyMachineSnapshot;
  subscribe(observer: SnapshotObserver): Subscription;
  /** Sends an event. One that the state does not know is ignored, as XState does. */
  send(event: Event): void;
  /** Whether the state the actor is in accepts the event. */
  accepts(event: Event): boolean;
  /**
   * Sends an event that has to be accepted.
   *
   * @throws {InvalidStateError} when the chart has no such transition; nothing has changed then.
   */
  tell(event: Event): void;
  /** Tells inspectors that the actor is there. */
  introduce(emit: (event: InspectionEvent) => void): void;
  /** What inspectors are shown, and other actors have for a parent. */
  readonly ref: AnyActorRef;
}

type SnapshotObserver = Observer<AnyMachineSnapshot> | ((snapshot: AnyMachineSnapshot) => void);

interface Sheltered {
  next(snapshot: AnyMachineSnapshot): void;
  complete(): void;
  error(): void;
}

/** An observer that never throws: it only looks, and must neither stop the run nor end the process. */
function sheltered(observer: SnapshotObserver): Sheltered {
  const own = typeof observer === 'function' ? { next: observer } : observer;
  const shelter = (call: () => void) => {
    try {
      call();
    } catch {
      // See above.
    }
  };
  return {
    next: (snapshot) => {
      shelter(() => own.next?.(snapshot));
    },
    complete: () => {
      shelter(() => own.complete?.());
    },
    error: () => undefined,
  };
}

function refusal(actor: StateActor<never>, event: { readonly type: string }): InvalidStateError {
  return new InvalidStateError(`${actor.id} does not accept '${event.type}' in the state ${actor.value}`);
}

/** Where an actor belongs: the engine's actor is the parent of all others, and changes with each run. */
export interface Household {
  readonly hub: InspectionHub;
  /** undefined for the engine's actor itself. */
  readonly parent: AnyActorRef | undefined;
}

/**
 * An actor on a compiled chart: a pointer into a table, and XState's manners.
 *
 * An event that is sent while another is being handled waits until that one is done.
 */
export class ChartActor<
  Context extends { readonly name: string },
  Event extends { readonly type: string },
> implements StateActor<Event> {
  // Not #private: there may be a hundred thousand of them, and these are quicker to make.
  private isHandling = false;
  private mailbox: Event[] | null = null;
  private observers: Set<Sheltered> | null = null;
  private snapshot: AnyMachineSnapshot | null = null;

  constructor(
    readonly context: Context,
    private state: BoundState<Context, Event>,
    private readonly household: Household,
  ) {}

  /** The machine's id and the entity's name. */
  get id(): string {
    return `${this.state.machine.id}:${this.context.name}`;
  }

  get sessionId(): string {
    return this.id;
  }

  get value(): string {
    return this.state.value;
  }

  /** For inspectors, as on XState's own actors. */
  get logic(): AnyStateMachine {
    return this.state.machine;
  }

  get src(): AnyStateMachine {
    return this.state.machine;
  }

  get _parent(): AnyActorRef | undefined {
    return this.household.parent;
  }

  get system(): AnyActorRef['system'] {
    return this.household.parent?.system ?? this.household.hub.system;
  }

  get ref(): AnyActorRef {
    // Inspectors read what is here; the rest of XState's actor is not for them.
    return this as unknown as AnyActorRef;
  }

  getSnapshot(): AnyMachineSnapshot {
    const { value, machine } = this.state;
    if (this.snapshot === null || this.snapshot.value !== value) {
      this.snapshot = machine.resolveState({ value, context: this.context });
    }
    return this.snapshot;
  }

  subscribe(observer: SnapshotObserver): Subscription {
    const own = sheltered(observer);
    if (this.state.final) own.complete();
    else (this.observers ??= new Set()).add(own);
    return { unsubscribe: () => void this.observers?.delete(own) };
  }

  accepts(event: Event): boolean {
    return this.state.select({ context: this.context, event }) !== undefined;
  }

  send(event: Event): void {
    const input = { context: this.context, event };
    if (this.isHandling) (this.mailbox ??= []).push(event);
    else this.take(input, this.state.select(input));
  }

  tell(event: Event): void {
    const input = { context: this.context, event };
    const branch = this.state.select(input);
    if (branch === undefined) throw refusal(this, event);
    if (this.isHandling) (this.mailbox ??= []).push(event);
    else this.take(input, branch);
  }

  /** Takes the branch that was selected for an event, and then whatever was sent meanwhile. */
  private take(input: ServiceInput<Context, Event>, branch: BoundBranch<Context, Event> | undefined): void {
    this.isHandling = true;
    try {
      this.handle(input, branch);
      if (this.mailbox !== null) this.empty(this.mailbox);
    } finally {
      this.isHandling = false;
    }
  }

  private empty(mailbox: Event[]): void {
    for (let event = mailbox.shift(); event !== undefined; event = mailbox.shift()) {
      const next = { context: this.context, event };
      this.handle(next, this.state.select(next));
    }
  }

  /** All that happens to an atom passes here: what only inspectors and observers need is done elsewhere. */
  private handle(input: ServiceInput<Context, Event>, branch: BoundBranch<Context, Event> | undefined): void {
    const { hub } = this.household;
    if (hub.active) this.emitEvent(input.event);
    if (branch !== undefined) {
      const { actions, target } = branch;
      for (let at = 0; at < actions.length; at++) {
        const action = actions[at];
        action?.run(input, action.params);
      }
      if (target !== null) this.state = target;
    }
    if (hub.active) this.emitSnapshot(input.event, branch);
    if (this.observers !== null) this.publish(this.observers);
  }

  private emitEvent(event: Event): void {
    this.household.hub.emit({ type: '@xstate.event', event, sourceRef: this._parent, ...this.reference() });
  }

  private emitSnapshot(event: Event, branch: BoundBranch<Context, Event> | undefined): void {
    const { hub } = this.household;
    const snapshot = this.getSnapshot();
    if (branch !== undefined) hub.emit(microstep(event, snapshot, branch.definition, this.reference()));
    hub.emit({ type: '@xstate.snapshot', event, snapshot, ...this.reference() });
  }

  private publish(observers: Set<Sheltered>): void {
    const snapshot = this.getSnapshot();
    for (const observer of [...observers]) observer.next(snapshot);
    if (!this.state.final) return;
    for (const observer of [...observers]) observer.complete();
    observers.clear();
  }

  introduce(emit: (event: InspectionEvent) => void): void {
    emit({ type: '@xstate.actor', ...this.reference() });
  }

  private reference(): { rootId: string; actorRef: AnyActorRef } {
    return { rootId: rootIdOf(this, this.household), actorRef: this.ref };
  }
}

function rootIdOf({ sessionId }: { readonly sessionId: string }, { parent }: Household): string {
  return parent?.sessionId ?? sessionId;
}

/** The inspection event of one transition; `_transitions` holds the machine's own definition of it. */
function microstep(
  event: { readonly type: string },
  snapshot: AnyMachineSnapshot,
  definition: object,
  reference: { rootId: string; actorRef: AnyActorRef },
): InspectionEvent {
  return { type: '@xstate.microstep', event, snapshot, _transitions: [definition], ...reference } as InspectionEvent;
}

/** An actor that XState itself interprets, on a machine whose services were given with `provide()`. */
export class NativeActor<Event extends { readonly type: string }> implements StateActor<Event> {
  readonly #actor: Actor<AnyStateMachine>;

  readonly id: string;

  constructor(
    context: { readonly name: string },
    private readonly machine: AnyStateMachine,
    state: string,
    private readonly household: Household,
  ) {
    const id = (this.id = `${machine.id}:${context.name}`);
    this.#actor = createActor(machine, {
      id,
      parent: household.parent,
      snapshot: machine.resolveState({ value: state, context }),
      // Children are in the system of their parent, and so are those who look at it.
      ...(household.parent === undefined && household.hub.active ? { inspect: household.hub.emit } : {}),
    } as Parameters<typeof createActor<AnyStateMachine>>[1]);
    this.#actor.subscribe({ error: () => undefined });
    this.#actor.start();
  }

  get sessionId(): string {
    return this.#actor.sessionId;
  }

  get ref(): AnyActorRef {
    return this.#actor;
  }

  get value(): string {
    return String(this.#actor.getSnapshot().value);
  }

  getSnapshot(): AnyMachineSnapshot {
    return this.#actor.getSnapshot();
  }

  subscribe(observer: SnapshotObserver): Subscription {
    return this.#actor.subscribe(sheltered(observer));
  }

  tell(event: Event): void {
    if (!this.accepts(event)) throw refusal(this, event);
    this.send(event);
  }

  accepts(event: Event): boolean {
    return this.machine.getTransitionData(this.#actor.getSnapshot(), event).length > 0;
  }

  introduce(emit: (event: InspectionEvent) => void): void {
    emit({ type: '@xstate.actor', actorRef: this.#actor, rootId: rootIdOf(this, this.household) });
  }

  /** @throws what a service threw: XState keeps it in the snapshot, and the actor is dead. */
  send(event: Event): void {
    this.#actor.send(event);
    const snapshot = this.#actor.getSnapshot();
    if (snapshot.status === 'error') throw snapshot.error;
  }
}
