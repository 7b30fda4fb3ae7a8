import type { AnyActorRef, InspectionEvent } from 'xstate';
import { createEmptyActor } from 'xstate';

/** Hears of every actor, event, transition and snapshot. */
export type InspectionObserver = ((event: InspectionEvent) => void) | { next?: (event: InspectionEvent) => void };

export interface InspectionSubscription {
  unsubscribe(): void;
}

/** Hands inspection events to observers. An observer that throws harms neither the run nor the others. */
export class InspectionHub {
  readonly #observers = new Set<(event: InspectionEvent) => void>();

  /** Whether anybody looks. Nothing is made for inspection while this is false. */
  active = false;

  #system: AnyActorRef['system'] | null = null;

  /** XState's face of actors that are none of its own: who inspects the system hears what all observers hear. */
  get system(): AnyActorRef['system'] {
    this.#system ??= Object.assign(createEmptyActor().system, {
      inspect: (observer: InspectionObserver) => this.add(observer),
    });
    return this.#system;
  }

  add(observer: InspectionObserver): InspectionSubscription {
    const hear = typeof observer === 'function' ? observer : (event: InspectionEvent) => observer.next?.(event);
    const own = (event: InspectionEvent) => {
      hear(event);
    };
    this.#observers.add(own);
    this.active = true;
    return {
      unsubscribe: () => {
        this.#observers.delete(own);
        this.active = this.#observers.size > 0;
      },
    };
  }

  readonly emit = (event: InspectionEvent): void => {
    for (const observer of [...this.#observers]) {
      try {
        observer(event);
      } catch {
        // A broken observer must not break what it observes.
      }
    }
  };
}
