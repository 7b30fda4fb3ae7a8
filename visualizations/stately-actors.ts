import type { AnyActorRef, InspectionEvent } from 'xstate';

/** Who is shown: the atoms that are wanted, and no more of them than that. */
export interface ShownActors {
  /** Says whether an atom is shown, by its name. */
  readonly wants: (atomName: string) => boolean;
  readonly maxAtoms: number;
}

/** An actor as it was when something happened; it is looked at only later. */
interface FrozenActor {
  readonly id: string;
  readonly sessionId: string;
  readonly _parent: { readonly sessionId: string } | undefined;
  readonly logic: unknown;
  readonly getSnapshot: () => unknown;
}

interface Birth {
  /** The first one; undefined until there is one. */
  snapshot: unknown;
}

/** Actors that belong to the run itself and are always shown. */
const RUN = /^(?:engine|flow):/;

/**
 * Makes inspection events of an engine ready to be sent later, and to be told apart from those of other engines.
 *
 * An actor's session is the run's uuid and the actor's id, with a number from its second life on: each run of an engine
 * has an actor of its own, whatever the interpreter.
 */
export class StatelyActors {
  readonly #sessions = new WeakMap<AnyActorRef, string>();
  readonly #lives = new Map<string, number>();
  readonly #shown = new Set<string>();
  readonly #leftOut = new Set<string>();
  /** Actors that were told of before they had a snapshot. */
  readonly #unborn = new WeakMap<AnyActorRef, Birth>();

  constructor(
    private readonly uuid: string,
    private readonly who: ShownActors,
  ) {}

  /** How many atoms are not shown although they are wanted. */
  get leftOut(): number {
    return this.#leftOut.size;
  }

  /** The event as it is to be told; null when it is about an actor that is not shown, or of no interest to Stately. */
  told(event: InspectionEvent): InspectionEvent | null {
    const actor = event.actorRef as AnyActorRef;
    if (event.type !== '@xstate.actor' && event.type !== '@xstate.event' && event.type !== '@xstate.snapshot')
      return null;
    if (!this.#isShown(actor.id)) return null;
    if (event.type === '@xstate.snapshot') this.#born(actor, event.snapshot);
    const ready = {
      ...event,
      rootId: this.#sessionOf(rootOf(actor)),
      actorRef: this.#frozen(actor),
      ...('sourceRef' in event && event.sourceRef !== undefined
        ? { sourceRef: this.#frozen(event.sourceRef as AnyActorRef) }
        : {}),
    };
    return ready as unknown as InspectionEvent;
  }

  #isShown(id: string): boolean {
    if (RUN.test(id) || this.#shown.has(id)) return true;
    if (!this.who.wants(id.slice(id.indexOf(':') + 1))) return false;
    if (this.#shown.size < this.who.maxAtoms) this.#shown.add(id);
    else this.#leftOut.add(id);
    return this.#shown.has(id);
  }

  #frozen(actor: AnyActorRef): FrozenActor {
    const parent = actor._parent;
    const birth: Birth = this.#unborn.get(actor) ?? { snapshot: snapshotOf(actor) };
    if (birth.snapshot === undefined) this.#unborn.set(actor, birth);
    return {
      id: actor.id,
      sessionId: this.#sessionOf(actor),
      _parent: parent === undefined ? undefined : { sessionId: this.#sessionOf(parent) },
      logic: (actor as { readonly logic?: unknown }).logic,
      getSnapshot: () => birth.snapshot,
    };
  }

  #born(actor: AnyActorRef, snapshot: unknown): void {
    const birth = this.#unborn.get(actor);
    if (birth !== undefined) birth.snapshot = snapshot;
    this.#unborn.delete(actor);
  }

  #sessionOf(actor: AnyActorRef): string {
    const known = this.#sessions.get(actor);
    if (known !== undefined) return known;
    const life = (this.#lives.get(actor.id) ?? 0) + 1;
    this.#lives.set(actor.id, life);
    const session = `${this.uuid}/${actor.id}${life === 1 ? '' : `/${life}`}`;
    this.#sessions.set(actor, session);
    return session;
  }
}

/** undefined: XState tells of an actor while it is still making it, and then has none. */
function snapshotOf(actor: AnyActorRef): unknown {
  try {
    return actor.getSnapshot();
  } catch {
    return undefined;
  }
}

function rootOf(actor: AnyActorRef): AnyActorRef {
  let root = actor;
  while (root._parent !== undefined) root = root._parent;
  return root;
}
