import type { Intention, RetryEvent } from '../../machines/index.js';
import type { AtomNode, Compilation } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { Environment } from '../environment.js';
import type { StateActor } from '../interpreter/actors.js';
import { tell } from '../interpreter/actors.js';
import { InvalidStateError } from '../errors.js';
import type { AtomState } from '../persistence/details.js';
import type { AtomSlot } from '../storage/ledger.js';
import type { Storage } from '../storage/storage.js';
import type { Announcer } from './announcer.js';
import { Deciders } from './deciders.js';
import type { EngineOptions } from './options.js';
import { Readiness } from './readiness.js';
import type { Statistics } from './statistics.js';
import { newStatistics } from './statistics.js';
import { Traversal } from './traversal.js';

export interface RuntimeParts {
  readonly compilation: Compilation;
  readonly storage: Storage;
  readonly announcer: Announcer;
  readonly options: EngineOptions;
  readonly environment: Environment;
  /** Makes the actor of an atom, in the state that is stored. */
  readonly actorFor: (runtime: Runtime) => (node: AtomNode) => StateActor<RetryEvent>;
}

/** What the parts of an engine share while it runs: a compiled flow with the records and actors of its atoms. */
export class Runtime {
  readonly compilation: Compilation;
  readonly storage: Storage;
  readonly announcer: Announcer;
  readonly options: EngineOptions;
  readonly environment: Environment;
  /** Of the run that is under way, or was last. */
  statistics: Statistics = newStatistics();
  readonly traversal: Traversal;
  readonly deciders: Deciders;
  readonly readiness: Readiness;
  /** How often an intention was set to something other than REVERT. */
  otherIntentions = 0;
  /** Whether the first wave of a run is being scheduled: it may take up what it finds unfinished. */
  isAtStart = false;

  readonly #abortion = new AbortController();
  readonly #slots: (AtomSlot | undefined)[];
  readonly #actors: (StateActor<RetryEvent> | undefined)[] = [];
  readonly #actorFor: (node: AtomNode) => StateActor<RetryEvent>;

  constructor(parts: RuntimeParts) {
    this.compilation = parts.compilation;
    this.storage = parts.storage;
    this.announcer = parts.announcer;
    this.options = parts.options;
    this.environment = parts.environment;
    this.#slots = this.compilation.nodes.map((node) => (isAtom(node) ? this.storage.slot(node.name) : undefined));
    this.traversal = new Traversal(this.compilation);
    this.deciders = new Deciders(this.compilation);
    this.readiness = new Readiness(
      this.compilation,
      (node) => this.stateOf(node),
      (node) => this.intentionOf(node),
    );
    this.#actorFor = parts.actorFor(this);
    for (const node of this.compilation.atoms) this.#actors[node.index] = this.#actorFor(node);
  }

  /** Takes everything as it is stored now. */
  beginRun(statistics: Statistics): void {
    this.statistics = statistics;
    for (const node of this.compilation.atoms) {
      if (this.#actors[node.index]?.value !== this.stateOf(node.index)) this.#actors[node.index] = this.#actorFor(node);
    }
    this.readiness.rebuild();
    this.readiness.checks = 0;
  }

  /** Aborted when the engine is closed. */
  get signal(): AbortSignal {
    return this.#abortion.signal;
  }

  abort(): void {
    this.#abortion.abort();
  }

  slot(node: number): AtomSlot {
    const slot = this.#slots[node];
    if (slot === undefined) throw new InvalidStateError(`The node ${node} is not an atom`);
    return slot;
  }

  actor(node: number): StateActor<RetryEvent> {
    const actor = this.#actors[node];
    if (actor === undefined) throw new InvalidStateError(`The node ${node} has no actor`);
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
    this.storage.write(slot, { ...slot.detail, intention });
    this.readiness.update(node);
  }

  /** Sends an event to an atom. It is durable and announced, where each change is, when what is returned resolves. */
  tell(node: number, event: RetryEvent): Promise<void> | undefined {
    tell(this.actor(node), event);
    return this.announcer.settle();
  }
}
