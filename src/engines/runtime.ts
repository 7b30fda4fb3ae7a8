import type { Intention, RetryEvent } from '../../machines/index.js';
import type { AtomNode, Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { Environment, Timer } from '../environment.js';
import type { StateActor } from '../interpreter/actors.js';
import { InvalidStateError } from '../errors.js';
import { withIntention } from '../persistence/atom-details.js';
import type { AtomState } from '../persistence/details.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Storage } from '../storage/storage.js';
import type { Announcer } from './announcer.js';
import { Deciders } from './deciders.js';
import type { EngineOptions } from './options.js';
import { Readiness } from './readiness.js';
import type { Statistics } from './statistics.js';
import { Stops } from './stops.js';
import { newStatistics } from './statistics.js';
import { Traversal } from './traversal.js';

export interface RuntimeParts {
  readonly compilation: Compilation;
  /** The places of the atoms' records, by node. */
  readonly slots: readonly (AtomSlot | undefined)[];
  readonly storage: Storage;
  readonly announcer: Announcer;
  readonly options: EngineOptions;
  readonly environment: Environment;
  /** Calls a function when all that was changed so far is durable. */
  readonly whenDurable: (call: () => void) => void;
  /** Gives what makes the actor of an atom, in a state. */
  readonly actorsFor: (runtime: Runtime) => (node: AtomNode, state: AtomState) => StateActor<RetryEvent>;
}

/** What the parts of an engine share while it runs: a compiled flow with the records and actors of its atoms. */
export class Runtime {
  readonly compilation: Compilation;
  readonly storage: Storage;
  readonly announcer: Announcer;
  readonly options: EngineOptions;
  readonly environment: Environment;
  readonly whenDurable: RuntimeParts['whenDurable'];
  /** Of the run that is under way, or was last. */
  statistics: Statistics = newStatistics();
  readonly traversal: Traversal;
  readonly deciders: Deciders;
  readonly readiness: Readiness;
  /** How often an intention was set to something other than REVERT. */
  otherIntentions = 0;
  /** Whether the first wave of a run is being scheduled: it may take up what it finds unfinished. */
  isAtStart = false;

  /** Who is to stop, and is told. */
  readonly stops = new Stops();

  #isAborted = false;
  #flush: Timer | null = null;
  readonly #slots: readonly (AtomSlot | undefined)[];
  #actors: (StateActor<RetryEvent> | undefined)[];
  readonly #actorFor: (node: AtomNode, state: AtomState) => StateActor<RetryEvent>;

  constructor(parts: RuntimeParts) {
    this.compilation = parts.compilation;
    this.storage = parts.storage;
    this.announcer = parts.announcer;
    this.options = parts.options;
    this.environment = parts.environment;
    this.whenDurable = parts.whenDurable;
    this.#actors = new Array<undefined>(this.compilation.nodes.length).fill(undefined);
    this.#slots = parts.slots;
    this.traversal = new Traversal(this.compilation);
    this.deciders = new Deciders(this.compilation);
    this.readiness = new Readiness(this.compilation, this.#slots);
    this.#actorFor = parts.actorsFor(this);
  }

  /** Takes everything as it is stored now. */
  beginRun(statistics: Statistics): void {
    this.statistics = statistics;
    this.stops.lift();
    this.#isAborted = false;
    // States that were written in between, past the actors, are taken up by new ones.
    this.#actors = this.#actors.map((actor, index) => (actor?.value === this.stateOf(index) ? actor : undefined));
    this.readiness.rebuild();
    this.readiness.checks = 0;
  }

  /** Tells the atoms that are under way to stop. Their progress is not kept for its own sake any more. */
  abort(reason: unknown): void {
    this.endRun();
    this.#isAborted = true;
    this.stops.stop(reason, { reverting: true });
  }

  slot(node: number): AtomSlot {
    const slot = this.#slots[node];
    if (slot === undefined) throw new InvalidStateError(`The node ${node} is not an atom`);
    return slot;
  }

  /** The atom's actor, made when it is first asked for. */
  actor(index: number): StateActor<RetryEvent> {
    let actor = this.#actors[index];
    if (actor === undefined) {
      const node = this.compilation.node(index);
      if (!isAtom(node)) throw new InvalidStateError(`The node ${index} has no actor`);
      this.#actors[index] = actor = this.#actorFor(node, this.stateOf(index) ?? 'PENDING');
    }
    return actor;
  }

  stateOf(node: number): AtomState | null {
    return this.#slots[node]?.detail.state ?? null;
  }

  intentionOf(node: number): Intention {
    return this.#slots[node]?.detail.intention ?? 'EXECUTE';
  }

  setIntention(node: number, intention: Intention): void {
    const slot = this.slot(node);
    if (slot.detail.intention === intention) return;
    if (intention !== 'REVERT') this.otherIntentions += 1;
    this.storage.write(slot, withIntention(slot.detail, intention));
    this.readiness.update(node);
  }

  /**
   * Keeps how far a task is. It is durable with the next commit, which is not far (C4).
   *
   * Details that the store cannot keep are not kept: progress never stops a run.
   */
  keepProgress(name: string, progress: number, details: Record<string, unknown>): void {
    try {
      this.storage.setTaskProgress(name, progress, details);
    } catch {
      this.storage.setTaskProgress(name, progress, {});
    }
    if (!this.storage.isDurable || this.#flush !== null || this.#isAborted) return;
    this.#flush = this.environment.clock.setTimer(this.options.progressFlushMs, () => {
      this.#flush = null;
      // What cannot be committed now is part of the run's next commit, which reports it.
      this.storage.commit()?.catch(() => undefined);
    });
  }

  /** Called when a run has come to its end. */
  endRun(): void {
    this.#flush?.cancel();
    this.#flush = null;
  }

  /** Sends an event to an atom. It is durable and announced, where each change is, when what is returned resolves. */
  tell(node: number, event: RetryEvent): Promise<void> | undefined {
    this.actor(node).tell(event);
    return this.announcer.settle();
  }
}
