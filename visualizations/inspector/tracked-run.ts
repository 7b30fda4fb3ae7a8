import type { EngineStage, FlowState } from '../../machines/index.js';
import type { AtomNode, Compilation } from '../../src/compiler/compilation.js';
import type { Clock } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import type { AtomDetail, AtomState } from '../../src/persistence/details.js';
import type { JournalEntry } from '../../src/persistence/journal-entry.js';
import { factsOf } from './atom-facts.js';
import { charts } from './charts.js';
import type { FlowParts } from './flow-parts.js';
import { partsOfFlow } from './flow-parts.js';
import type { AtomFacts, PictureEntry, PictureReason, RunNews, RunPicture } from './run-picture.js';
import type { Knowledge, RunSource } from './run-source.js';
import type { ValueWordsOptions } from './value-words.js';
import { ValueWords } from './value-words.js';

/** What is said in place of what a store keeps secret. */
export const SECRET = 'secret';

/** Atoms in these states have not been given anything. */
const NOT_BEGUN: ReadonlySet<AtomState | null | undefined> = new Set([undefined, null, 'PENDING', 'IGNORE']);

/** The run itself, apart from its atoms. */
export interface RunFacts {
  readonly name: string;
  readonly uuid: string;
  readonly flowState: FlowState;
  readonly stage: EngineStage | null;
}

/** A run, and how much of it anybody has been told. What it is read from is up to who extends it. */
export abstract class TrackedRun implements RunSource {
  protected readonly words: ValueWords;
  #compilation: Compilation;
  #flow: FlowParts;
  #id = systemEnvironment.newId();
  /** By part: the record that was seen last, and the news that it was in. Records are never changed in place. */
  #seen: { detail: AtomDetail | undefined; version: number }[];
  /** By part: its arguments when it began, as what they came from may be gone. */
  readonly #arguments = new Map<number, readonly (string | null)[]>();
  #entries: PictureEntry[] = [];
  readonly #listeners = new Set<() => void>();
  #upTo = 0;
  #version = 1;

  constructor(compilation: Compilation, options: ValueWordsOptions) {
    this.words = new ValueWords(options);
    this.#compilation = compilation;
    this.#flow = partsOfFlow(compilation);
    this.#seen = unseen(this.#flow);
    // Now, and not when somebody waits for the page.
    charts();
  }

  protected get compilation(): Compilation {
    return this.#compilation;
  }

  protected get flow(): FlowParts {
    return this.#flow;
  }

  /** Another flow has taken the place of the one that was looked at: whoever looks is shown all of it. */
  protected begin(compilation: Compilation): void {
    this.#compilation = compilation;
    this.#flow = partsOfFlow(compilation);
    this.#seen = unseen(this.#flow);
    this.#arguments.clear();
    this.#entries = [];
    this.#upTo = 0;
    this.#version = 1;
    this.#id = systemEnvironment.newId();
  }

  protected abstract readonly clock: Clock;
  protected abstract readonly history: RunPicture['history'];
  protected abstract readonly areSecret: boolean;
  protected abstract facts(): RunFacts;
  protected abstract detailOf(name: string): AtomDetail | undefined;
  /** The value of an argument of an atom that has begun, in words; null: there is none. */
  protected abstract argumentText(node: AtomNode, argument: string, symbol: string): string | null;
  /** What the run waits for; null where only its history tells. */
  protected abstract why(): readonly PictureReason[] | null;

  abstract look(): Promise<void>;
  abstract onEnd(listener: () => void): Disposable;

  close(): void {
    this.#listeners.clear();
  }

  onNews(listener: () => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  protected get isHeard(): boolean {
    return this.#listeners.size > 0;
  }

  protected tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** The sequence number of the last entry. */
  protected get upTo(): number {
    return this.#upTo;
  }

  /** Takes in more of the history. What tells of atoms that the flow does not have is left out. */
  protected add(entries: readonly JournalEntry[]): void {
    for (const { entity, ...entry } of entries) {
      this.#upTo = entry.sequence;
      const part = entity.kind === 'flow' ? null : this.flow.places.get(this.nameOf(entity));
      if (part === undefined) continue;
      const { sequence, at, from, event, to, cause } = entry;
      this.#entries.push({ sequence, at, part, from, event, to, cause });
    }
  }

  /** What an atom is called now, that an entry tells of. */
  protected nameOf({ name }: JournalEntry['entity']): string {
    return name;
  }

  get latest(): Knowledge {
    this.#compare();
    return { source: this.#id, version: this.#version, upTo: this.#upTo };
  }

  picture(): RunPicture {
    const { name, uuid } = this.facts();
    return {
      format: 1,
      name,
      uuid,
      parts: this.flow.parts,
      links: this.flow.links,
      charts: charts(),
      history: this.history,
      values: this.areSecret ? 'secret' : this.words.areShown ? 'shown' : 'hidden',
      news: this.#newsAfter(0, 0),
    };
  }

  newsFor({ source, version, upTo }: Knowledge): RunNews | null {
    return source === this.#id && version <= this.#version ? this.#newsAfter(version, upTo) : null;
  }

  /** Finds the records that have changed. */
  #compare(): void {
    let isChanged = false;
    for (const node of this.compilation.atoms) {
      const seen = this.#seen[this.partOf(node)];
      const detail = this.detailOf(node.name);
      if (seen === undefined || seen.detail === detail) continue;
      isChanged = true;
      seen.detail = detail;
      seen.version = this.#version + 1;
    }
    if (isChanged) this.#version += 1;
  }

  protected partOf({ name }: { readonly name: string }): number {
    return this.flow.places.get(name) ?? 0;
  }

  #newsAfter(version: number, upTo: number): RunNews {
    this.#compare();
    const changed = this.compilation.atoms.filter((node) => {
      const seen = this.#seen[this.partOf(node)];
      return seen !== undefined && seen.version > version;
    });
    const { flowState, stage } = this.facts();
    const first = this.#entries.findLastIndex(({ sequence }) => sequence <= upTo) + 1;
    return {
      upTo: this.#upTo,
      at: this.clock.now(),
      flowState,
      stage,
      entries: this.#entries.slice(first),
      atoms: changed.map((node) => this.#factsOf(node)),
      why: this.why(),
    };
  }

  #factsOf(node: AtomNode): AtomFacts {
    const part = this.partOf(node);
    const detail = this.detailOf(node.name);
    const context = { words: this.words, areSecret: this.areSecret };
    return factsOf(part, detail, this.#argumentsOf(node, part, detail?.state), context);
  }

  /** Keeps in words what an atom that has just begun was given. */
  protected keepArguments(name: string): void {
    const node = this.compilation.atom(name);
    this.#argumentsOf(node, this.partOf(node), 'RUNNING');
  }

  #argumentsOf(node: AtomNode, part: number, state: AtomState | null | undefined): readonly (string | null)[] {
    const takes = this.flow.parts[part]?.takes ?? [];
    if (NOT_BEGUN.has(state)) {
      this.#arguments.delete(part);
      return takes.map(() => null);
    }
    const known = this.#arguments.get(part);
    if (known !== undefined && state !== 'RUNNING') return known;
    const found = takes.map(({ argument, symbol }) => this.argumentText(node, argument, symbol));
    this.#arguments.set(part, found);
    return found;
  }
}

function unseen({ parts }: FlowParts): { detail: undefined; version: number }[] {
  return parts.map(() => ({ detail: undefined, version: 1 }));
}
