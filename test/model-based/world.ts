import { expect } from 'vitest';
import type { AnyTransitionDefinition, InspectionEvent } from 'xstate';
import type { EngineStage } from '../../machines/index.js';
import type { Engine } from '../../src/engines/engine.js';
import type { LoadOptions } from '../../src/engines/load.js';
import { load } from '../../src/engines/load.js';
import type { Flow } from '../../src/flows/flow.js';
import type { FlowDetail } from '../../src/persistence/details.js';
import { atomFromRecord, atomToRecord } from '../../src/persistence/records.js';
import type { Coverage } from './coverage.js';
import { nameOf } from './coverage.js';
import type { Call } from './script.js';
import { Script } from './script.js';

/** How often the event loop may turn without anything happening. */
const PATIENCE = 100;

/** The actor that a path is about. */
export interface Subject {
  /** The id of the actor, such as `task:a`. */
  readonly actor: string;
  /** The state that is stored of it, where there is one. */
  readonly stored: (engine: Engine) => string | null;
}

export interface WorldParts {
  readonly subject: Subject;
  /** Makes the flow anew for each engine. */
  readonly flow: (script: Script) => Flow;
  /** Calls of atoms that wait until they are told what to do. */
  readonly held: readonly Call[];
  readonly options: LoadOptions;
  readonly coverage: Coverage;
}

/** A transition that the engine's own actor made. */
interface Taken {
  readonly name: string;
  readonly value: string;
  readonly stored: string | null;
  /** The records as they were then. */
  readonly record: FlowDetail;
}

/**
 * A real engine with a scripted flow, and what its actors are seen to do.
 *
 * Nothing is ever sent to an actor: the engine is run, suspended, reset, or its process ends.
 */
export class World {
  readonly #parts: WorldParts;
  #engine: Engine | null = null;
  #script = new Script();
  #run: AsyncGenerator<EngineStage, void, boolean | undefined> | null = null;
  #operation: Promise<void> | null = null;
  #error: unknown = undefined;
  #ahead: Taken[] = [];
  #last: Taken | null = null;
  /** The stage that was reported last. */
  stage: EngineStage | null = null;

  constructor(parts: WorldParts) {
    this.#parts = parts;
  }

  get engine(): Engine {
    if (this.#engine === null) throw new RangeError('No engine is loaded');
    return this.#engine;
  }

  get script(): Script {
    return this.#script;
  }

  /** Loads a new engine, with a new flow, for a new run or for one that was stored. */
  async load(flowDetail?: FlowDetail): Promise<void> {
    const { flow, held, options, coverage, subject } = this.#parts;
    this.#script = new Script(held);
    // Nothing more is heard of the engine before.
    this.#engine = null;
    this.stage = null;
    this.#run = null;
    this.#operation = null;
    this.#ahead = [];
    const engine = await load(flow(this.#script), { ...options, flowDetail });
    const definitions: AnyTransitionDefinition[] = [];
    engine.inspect((event) => {
      if (idOf(event) !== subject.actor || this.#engine !== engine) return;
      if (event.type === '@xstate.microstep') definitions.push(...event._transitions.filter(isOfState));
      if (event.type !== '@xstate.snapshot') return;
      for (const definition of definitions.splice(0)) {
        coverage.take(definition);
        const value = String('value' in event.snapshot ? event.snapshot.value : null);
        const record = engine.storage.flowDetail();
        this.#ahead.push({ name: nameOf(definition), value, stored: subject.stored(engine), record });
      }
    });
    this.#engine = engine;
  }

  /** The process ends just after the last step, and another takes up what it stored. */
  async crash(): Promise<void> {
    const record = this.#ahead.length > 0 && this.#last !== null ? this.#last.record : this.engine.storage.flowDetail();
    await this.load(stored(record));
  }

  /** Begins a run, stage by stage. */
  start(): void {
    if (this.isBusy) throw new RangeError('Something is under way already');
    this.#run = this.engine.runIter();
  }

  /** Begins with something else than a run. */
  perform(operation: () => Promise<void>): void {
    if (this.isBusy) throw new RangeError('Something is under way already');
    this.#begin(operation(), () => undefined);
  }

  /** Throws an error into the run, as its caller may. */
  interrupt(error: Error): void {
    const run = this.#run;
    if (run === null) throw new RangeError('No run is under way');
    this.#begin(run.throw(error), (result) => this.#report(result));
  }

  get isBusy(): boolean {
    return this.#run !== null || this.#operation !== null;
  }

  #begin<Result>(operation: Promise<Result>, report: (result: Result) => void): void {
    const own: Promise<void> = operation.then(
      (result) => {
        // What comes of an engine whose process has ended is not looked at.
        if (this.#operation === own) report(result);
      },
      (error: unknown) => {
        if (this.#operation !== own) return;
        this.#error = error;
        this.#run = null;
      },
    );
    this.#operation = own;
    void own.then(() => {
      if (this.#operation === own) this.#operation = null;
    });
  }

  #report(result: IteratorResult<EngineStage, void>): void {
    if (result.done === true) this.#run = null;
    else this.stage = result.value;
  }

  /** Goes on with what is under way, stage by stage, as long as the condition is not met. */
  async until(condition: () => boolean): Promise<void> {
    for (let turns = 0; !condition(); turns++) {
      const run = this.#run;
      if (this.#operation === null && run !== null) {
        turns = 0;
        this.#begin(run.next(), (result) => this.#report(result));
      }
      if (this.#operation === null) throw new Error('Nothing is under way any more', { cause: this.#error });
      if (turns > PATIENCE) throw new Error(`Nothing happens; what waits is ${this.script.waiting.join(', ')}`);
      await Promise.race([this.#operation, new Promise((resolve) => setImmediate(resolve))]);
    }
  }

  /** Lets everything that waits succeed, until nothing is under way any more. */
  async finish(): Promise<void> {
    while (this.isBusy) {
      await this.until(() => !this.isBusy || this.script.waiting.length > 0);
      for (const call of this.script.waiting) this.script.say(call, 'succeeds');
    }
  }

  /**
   * Waits for the subject's next transition.
   *
   * @param options.passing - Transitions that may come before it.
   */
  async expectStep(name: string, to: string, { passing = [] }: { passing?: readonly string[] } = {}): Promise<void> {
    do {
      await this.until(() => this.#ahead.length > 0);
      this.#last = this.#ahead.shift() ?? null;
    } while (this.#last !== null && this.#last.name !== name && passing.includes(this.#last.name));
    expect(this.#last).toMatchObject({ name, value: to });
  }

  /** What is stored of the subject just after the last step. */
  get stored(): string | null {
    return this.#last === null ? this.#parts.subject.stored(this.engine) : this.#last.stored;
  }

  /** Whether the engine has gone further than the last step. */
  get isAhead(): boolean {
    return this.#ahead.length > 0;
  }
}

function idOf({ actorRef }: InspectionEvent): string {
  return 'id' in actorRef ? String(actorRef.id) : '';
}

/** Whether it is a transition of a state, rather than the way into the initial one. */
function isOfState({ source }: AnyTransitionDefinition): boolean {
  return source.parent !== undefined;
}

/** What another process reads of it: no error of this one is in it any more. */
function stored(record: FlowDetail): FlowDetail {
  const atoms: unknown = JSON.parse(JSON.stringify(record.atoms.map(atomToRecord)));
  if (!Array.isArray(atoms)) throw new TypeError('Atoms are a list');
  return { ...record, atoms: atoms.map(atomFromRecord) };
}
