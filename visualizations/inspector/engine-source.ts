import type { EngineStage, FlowState } from '../../machines/index.js';
import { UPDATE_PROGRESS } from '../../src/atoms/task.js';
import type { AtomNode, Compilation } from '../../src/compiler/compilation.js';
import type { AtomDetails } from '../../src/engines/atom-services.js';
import type { Engine, FlowDetails } from '../../src/engines/engine.js';
import type { Clock } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import { InvalidStateError } from '../../src/errors.js';
import { ifKnown } from '../../src/formatters/known-values.js';
import { ANY } from '../../src/notifications/notifier.js';
import type { AtomDetail, AtomState } from '../../src/persistence/details.js';
import { factsOf } from './atom-facts.js';
import { charts } from './charts.js';
import type { FlowParts } from './flow-parts.js';
import { partsOfFlow } from './flow-parts.js';
import type { AtomFacts, PictureEntry, PictureReason, RunNews, RunPicture } from './run-picture.js';
import type { Knowledge, RunSource } from './run-source.js';
import type { ValueWordsOptions } from './value-words.js';
import { ValueWords } from './value-words.js';

/** Atoms in these states have not been given anything. */
const NOT_BEGUN: ReadonlySet<AtomState | null | undefined> = new Set([undefined, null, 'PENDING', 'IGNORE']);

/** The run of an engine, live. Compiles its flow; changes nothing else. */
export class EngineSource implements RunSource {
  readonly #engine: Engine;
  readonly #compilation: Compilation;
  readonly #words: ValueWords;
  readonly #clock: Clock;
  readonly #id: string;
  readonly #flow: FlowParts;
  /** By part: the record that was seen last, and the news that it was in. */
  readonly #seen: { detail: AtomDetail | undefined; version: number }[];
  /** By part: its arguments when it began, as what they came from may be gone. */
  readonly #arguments = new Map<number, readonly (string | null)[]>();
  /** What was heard since somebody looked. */
  readonly #heard: PictureEntry[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #registrations: Disposable[] = [];
  #version = 1;

  constructor(engine: Engine, options: ValueWordsOptions = {}) {
    engine.compile();
    if (engine.compilation === null) throw new InvalidStateError(`The flow ${engine.flow.name} was not compiled`);
    this.#engine = engine;
    this.#compilation = engine.compilation;
    this.#words = new ValueWords(options);
    const environment = engine.options.environment ?? systemEnvironment;
    this.#clock = environment.clock;
    this.#id = systemEnvironment.newId();
    this.#flow = partsOfFlow(this.#compilation);
    this.#seen = this.#flow.parts.map(() => ({ detail: undefined, version: 1 }));
    this.#look();
    this.#listen();
  }

  #listen(): void {
    const { atomNotifier, notifier } = this.#engine;
    this.#registrations.push(
      atomNotifier.register(ANY, (state, details) => this.#hearAtom(state as AtomState, details)),
      notifier.register(ANY, (state, details) => this.#hearFlow(state as FlowState, details)),
    );
    for (const { kind, item } of this.#compilation.atoms) {
      if (kind === 'task') this.#registrations.push(item.notifier.register(UPDATE_PROGRESS, () => this.#tell()));
    }
  }

  #hearAtom(to: AtomState, details: AtomDetails): void {
    const name = 'taskName' in details ? details.taskName : details.retryName;
    this.#hear({ part: this.#flow.places.get(name) ?? null, from: details.oldState, to });
  }

  #hearFlow(to: FlowState, { oldState }: FlowDetails): void {
    this.#hear({ part: null, from: oldState, to });
  }

  #hear(change: Pick<PictureEntry, 'part' | 'from' | 'to'>): void {
    const sequence = this.#heard.length + 1;
    this.#heard.push({ sequence, at: this.#clock.now(), event: null, cause: null, ...change });
    this.#tell();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  get latest(): Knowledge {
    this.#look();
    return { source: this.#id, version: this.#version, upTo: this.#heard.length };
  }

  picture(): RunPicture {
    const { storage, flow } = this.#engine;
    const news = this.#newsAfter(0, 0);
    return {
      format: 1,
      name: flow.name,
      uuid: storage.flowUuid,
      parts: this.#flow.parts,
      links: this.#flow.links,
      charts: charts(),
      history: 'heard',
      values: this.#areSecret ? 'secret' : this.#words.areShown ? 'shown' : 'hidden',
      news,
    };
  }

  newsFor({ source, version, upTo }: Knowledge): RunNews | null {
    return source === this.#id && version <= this.#version ? this.#newsAfter(version, upTo) : null;
  }

  onNews(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  onEnd(_listener: () => void): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  close(): void {
    for (const registration of this.#registrations.splice(0)) registration[Symbol.dispose]();
    this.#listeners.clear();
  }

  get #areSecret(): boolean {
    return this.#engine.storage.codec?.keepsSecrets === true;
  }

  #partOf({ name }: { readonly name: string }): number {
    return this.#flow.places.get(name) ?? 0;
  }

  /** Finds the records that have changed. They are never changed in place. */
  #look(): void {
    let isChanged = false;
    for (const node of this.#compilation.atoms) {
      const seen = this.#seen[this.#partOf(node)];
      const detail = this.#engine.storage.find(node.name);
      if (seen === undefined || seen.detail === detail) continue;
      isChanged = true;
      seen.detail = detail;
      seen.version = this.#version + 1;
    }
    if (isChanged) this.#version += 1;
  }

  #newsAfter(version: number, upTo: number): RunNews {
    this.#look();
    const changed = this.#compilation.atoms.filter((node) => {
      const seen = this.#seen[this.#partOf(node)];
      return seen !== undefined && seen.version > version;
    });
    return {
      upTo: this.#heard.length,
      at: this.#clock.now(),
      flowState: this.#engine.storage.getFlowState(),
      stage: this.#engine.actor.value as EngineStage,
      entries: this.#heard.slice(upTo),
      atoms: changed.map((node) => this.#factsOf(node)),
      why: this.#why(),
    };
  }

  #factsOf(node: AtomNode): AtomFacts {
    const part = this.#partOf(node);
    const detail = this.#engine.storage.find(node.name);
    const context = { words: this.#words, areSecret: this.#areSecret };
    return factsOf(part, detail, this.#argumentsOf(node, part, detail?.state), context);
  }

  #argumentsOf(node: AtomNode, part: number, state: AtomState | null | undefined): readonly (string | null)[] {
    const takes = this.#flow.parts[part]?.takes ?? [];
    if (NOT_BEGUN.has(state)) {
      this.#arguments.delete(part);
      return takes.map(() => null);
    }
    const known = this.#arguments.get(part);
    if (known !== undefined && state !== 'RUNNING') return known;
    const found = takes.map(({ argument }) => {
      const explanation = ifKnown(() => this.#engine.explain(node.name, argument));
      if (explanation?.missing !== null) return null;
      return this.#areSecret ? 'secret' : this.#words.named(argument, explanation.value);
    });
    this.#arguments.set(part, found);
    return found;
  }

  #why(): PictureReason[] {
    return this.#engine.why().map(({ atom, waitsFor, of, until, message }) => ({
      part: atom === null ? null : (this.#flow.places.get(atom) ?? null),
      waitsFor,
      of: of.flatMap((name) => this.#flow.places.get(name) ?? []),
      until: until ?? null,
      message,
    }));
  }
}
