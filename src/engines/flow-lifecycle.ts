import type { FlowContext, FlowEvent, FlowState } from '../../machines/index.js';
import { flowMachine } from '../../machines/index.js';
import type { StateActor } from '../interpreter/actors.js';
import type { Storage } from '../storage/storage.js';
import type { Announcer } from './announcer.js';
import type { Company } from './company.js';
import { flowTransition, NOT_DURABLE } from './transitions.js';

export interface FlowLifecycleParts {
  readonly name: string;
  readonly storage: Storage;
  readonly announcer: Announcer;
  readonly company: Company;
  /** Says that the flow has changed its state. */
  readonly announce: (state: FlowState, oldState: FlowState) => void;
}

/** The state of an engine's flow: the flow's actor, and what its chart calls upon. */
export class FlowLifecycle {
  #actor: StateActor<FlowEvent>;

  constructor(private readonly parts: FlowLifecycleParts) {
    this.#actor = this.#newActor();
  }

  get actor(): StateActor<FlowEvent> {
    return this.#actor;
  }

  #newActor(): StateActor<FlowEvent> {
    const { company, name, storage } = this.parts;
    const employ = company.employer<FlowContext, FlowEvent>(flowMachine, this.#services);
    return employ({ name }, storage.getFlowState());
  }

  readonly #services = {
    saveState: ({ event }: { event: FlowEvent }, { state }: { state: FlowState }) => {
      const { storage } = this.parts;
      storage.setFlowState(state, storage.journal === null ? null : flowTransition(storage, event, state));
    },
    notify: (_: unknown, { state }: { state: FlowState }) => {
      this.parts.announce(state, this.#actor.value as FlowState);
    },
  };

  /** Sends the flow's actor an event. @throws {InvalidStateError} for an illegal transition. */
  tell(event: FlowEvent): Promise<void> | undefined {
    this.#actor.tell(event);
    return this.parts.announcer.settle();
  }

  /** Follows a state that was written past the actor. */
  catchUp(): void {
    if (this.#actor.value !== this.parts.storage.getFlowState()) this.#actor = this.#newActor();
  }

  /** Puts the flow back into the state that it was in, where the next could not be made durable. */
  takeBack(state: FlowState): void {
    this.parts.storage.setFlowState(state, NOT_DURABLE);
    this.#actor = this.#newActor();
  }
}
