import type { Engine } from '../../src/engines/engine.js';
import type { Task } from '../../src/atoms/task.js';
import { UPDATE_PROGRESS } from '../../src/atoms/task.js';
import type { UnitOfWork } from '../../src/persistence/backend.js';
import type { Surroundings } from '../../src/storage/lookup.js';
import type { Stage } from './behaviours.js';
import type { AtState, OnEvent, Run } from './case.js';
import { encode } from './encode.js';
import type { Mortal } from './mortal-backend.js';
import { Trace } from './recorder.js';

/** What a run is told to do when it comes to some point. */
interface Trigger {
  readonly act: 'suspend' | 'die';
  readonly on?: OnEvent | undefined;
  readonly at?: AtState | undefined;
  seen: number;
}

function triggersOf({ suspendOn, suspendAt, crashOn, crashAt }: Run): Trigger[] {
  return [
    { act: 'suspend', on: suspendOn, at: suspendAt, seen: 0 },
    { act: 'die', on: crashOn, at: crashAt, seen: 0 },
  ];
}

/** Seen by the process that loads an engine, to count and to interrupt commits. */
export interface CommitObserver {
  before?(unit: UnitOfWork, process: Process): void;
  after?(unit: UnitOfWork, process: Process): void;
}

/**
 * The process that an engine runs in: it hears all that the engine says, writes it down, suspends the engine
 * where the run says so, and can die. Nothing that an engine does after that is heard, stored or waited for.
 */
export class Process implements Stage, Mortal {
  readonly died: Promise<void>;
  readonly pause?: () => Promise<void>;
  #isDead = false;
  #tellDeath: () => void = () => undefined;
  #engine: Engine | null = null;
  #knownAtDeath: Surroundings | null = null;
  #trace = new Trace();
  #triggers: readonly Trigger[] = [];
  readonly #commits: CommitObserver;

  constructor({
    pause,
    commits = {},
  }: { readonly pause?: (() => Promise<void>) | undefined; readonly commits?: CommitObserver | undefined } = {}) {
    this.died = new Promise((resolve) => {
      this.#tellDeath = resolve;
    });
    if (pause !== undefined) this.pause = pause;
    this.#commits = commits;
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** What the engine had told its storage of the flow when the process died. */
  get knownAtDeath(): Surroundings | null {
    return this.#knownAtDeath;
  }

  die(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#knownAtDeath = this.#engine?.storage.surroundings ?? null;
    this.#trace.end();
    this.#tellDeath();
  }

  beforeCommit(unit: UnitOfWork): void {
    this.#commits.before?.(unit, this);
  }

  afterCommit(unit: UnitOfWork): void {
    this.#commits.after?.(unit, this);
  }

  /** Starts the trace of a run. */
  begin(run: Run): Trace {
    this.#trace = new Trace();
    this.#triggers = triggersOf(run);
    return this.#trace;
  }

  trace(entry: unknown): void {
    this.#trace.add(entry);
  }

  suspend(): void {
    this.#engine?.suspend();
  }

  /** Listens to an engine and to those of its tasks that are watched. */
  watch(engine: Engine, watched: Iterable<Task>): void {
    this.#engine = engine;
    engine.notifier.register('*', (state, details) => {
      this.#hear('flow', { name: details.flowName, old: details.oldState, new: state });
    });
    engine.atomNotifier.register('*', (state, details) => {
      const [kind, name] =
        'retryName' in details ? (['retry', details.retryName] as const) : (['task', details.taskName] as const);
      const result = Object.hasOwn(details, 'result') ? { result: encode(details.result) } : {};
      this.#hear(kind, { name, old: details.oldState, new: state, ...result });
    });
    for (const task of watched) {
      task.notifier.register(UPDATE_PROGRESS, (_, { progress }) => this.trace({ progress, name: task.name }));
    }
  }

  /** Writes down that the engine reports a state, and does what the run says about that. */
  report(state: string): void {
    this.trace({ engine: state });
    for (const trigger of this.#triggers) {
      if (trigger.at?.state === state) this.#count(trigger, trigger.at.nth);
    }
  }

  #hear(
    event: 'flow' | 'task' | 'retry',
    change: { readonly name: unknown; readonly old: unknown; readonly new: string },
  ) {
    if (!this.#trace.isRecording) return;
    this.trace({ event, ...change });
    for (const trigger of this.#triggers) {
      const { on } = trigger;
      if (on === undefined || on.event !== event || on.state !== change.new) continue;
      if (on.name === undefined || on.name === change.name) this.#count(trigger, on.nth);
    }
  }

  #count(trigger: Trigger, nth = 1): void {
    trigger.seen += 1;
    if (trigger.seen !== nth) return;
    if (trigger.act === 'die') this.die();
    // An error of this is the listener's; the engine swallows it (D17).
    else this.suspend();
  }
}
