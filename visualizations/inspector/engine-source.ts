import type { EngineStage, FlowState } from '../../machines/index.js';
import { UPDATE_PROGRESS } from '../../src/atoms/task.js';
import type { AtomNode, Compilation } from '../../src/compiler/compilation.js';
import type { AtomDetails } from '../../src/engines/atom-services.js';
import type { Engine, FlowDetails } from '../../src/engines/engine.js';
import type { Clock } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import { InvalidStateError } from '../../src/errors.js';
import { Failure } from '../../src/failure.js';
import { ifKnown } from '../../src/formatters/known-values.js';
import { ANY } from '../../src/notifications/notifier.js';
import type { AtomDetail, AtomState } from '../../src/persistence/details.js';
import type { JournalEntry } from '../../src/persistence/journal-entry.js';
import type { PictureReason } from './run-picture.js';
import type { RunFacts } from './tracked-run.js';
import { SECRET, TrackedRun } from './tracked-run.js';
import type { ValueWordsOptions } from './value-words.js';

/** The run of an engine, live. Compiles its flow; changes nothing else. */
export class EngineSource extends TrackedRun {
  protected readonly history: 'journal' | 'heard';
  protected readonly clock: Clock;
  readonly #engine: Engine;
  /** What was heard since somebody looked, where the run has no journal. */
  readonly #heard: JournalEntry[] = [];
  #heardInAll = 0;
  readonly #registrations: Disposable[] = [];

  constructor(engine: Engine, options: ValueWordsOptions = {}) {
    super(compiled(engine), options);
    this.#engine = engine;
    this.clock = (engine.options.environment ?? systemEnvironment).clock;
    this.history = engine.options.journal ? 'journal' : 'heard';
    const { atomNotifier, notifier } = engine;
    this.#registrations.push(
      atomNotifier.register(ANY, (state, details) => this.#hearAtom(state as AtomState, details)),
      notifier.register(ANY, (state, details) => this.#hearFlow(state as FlowState, details)),
    );
    for (const { kind, item } of this.compilation.atoms) {
      if (kind === 'task') this.#registrations.push(item.notifier.register(UPDATE_PROGRESS, () => this.tell()));
    }
  }

  #hearAtom(to: AtomState, details: AtomDetails): void {
    const { oldState: from, result } = details;
    const entity =
      'taskName' in details
        ? ({ kind: 'task', name: details.taskName, uuid: details.taskUuid } as const)
        : ({ kind: 'retry', name: details.retryName, uuid: details.retryUuid } as const);
    const cause =
      result instanceof Failure && !this.areSecret ? this.words.text(`${result.name}: ${result.message}`) : null;
    if (to === 'RUNNING') this.keepArguments(entity.name);
    this.#hear({ entity, from, to, cause });
  }

  #hearFlow(to: FlowState, { oldState: from, flowName: name, flowUuid: uuid }: FlowDetails): void {
    this.#hear({ entity: { kind: 'flow', name, uuid }, from, to, cause: null });
  }

  #hear(change: Pick<JournalEntry, 'entity' | 'from' | 'to' | 'cause'>): void {
    if (this.history === 'heard') {
      this.#heard.push({ sequence: ++this.#heardInAll, at: this.clock.now(), event: null, ...change });
    }
    this.tell();
  }

  async look(): Promise<void> {
    if (this.history === 'heard') {
      this.add(this.#heard.splice(0));
      return;
    }
    const after = this.upTo;
    const entries = await this.#engine.journal({ after });
    // Somebody else may have looked meanwhile.
    if (this.upTo === after) this.add(entries);
  }

  onEnd(listener: () => void): Disposable {
    return this.#engine.onClose(listener);
  }

  override close(): void {
    for (const registration of this.#registrations.splice(0)) registration[Symbol.dispose]();
    super.close();
  }

  protected get areSecret(): boolean {
    return this.#engine.storage.codec?.keepsSecrets === true;
  }

  protected facts(): RunFacts {
    const { storage, flow, actor } = this.#engine;
    return {
      name: flow.name,
      uuid: storage.flowUuid,
      flowState: storage.getFlowState(),
      stage: actor.value as EngineStage,
    };
  }

  protected detailOf(name: string): AtomDetail | undefined {
    return this.#engine.storage.find(name);
  }

  protected argumentText(node: AtomNode, argument: string): string | null {
    const explanation = ifKnown(() => this.#engine.explain(node.name, argument));
    if (explanation?.missing !== null) return null;
    return this.areSecret ? SECRET : this.words.named(argument, explanation.value);
  }

  protected why(): readonly PictureReason[] {
    return this.#engine.why().map(({ atom, waitsFor, of, until, message }) => ({
      part: atom === null ? null : (this.flow.places.get(atom) ?? null),
      waitsFor,
      of: of.flatMap((name) => this.flow.places.get(name) ?? []),
      until: until ?? null,
      message,
    }));
  }
}

function compiled(engine: Engine): Compilation {
  engine.compile();
  if (engine.compilation === null) throw new InvalidStateError(`The flow ${engine.flow.name} was not compiled`);
  return engine.compilation;
}
