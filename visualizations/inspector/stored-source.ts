import type { AtomNode, Compilation } from '../../src/compiler/compilation.js';
import { compile } from '../../src/compiler/compile.js';
import type { Clock, Timer } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import type { Flow } from '../../src/flows/flow.js';
import type { Task } from '../../src/atoms/task.js';
import type { Connection, PersistenceBackend } from '../../src/persistence/backend.js';
import type { AtomDetail, FlowDetail } from '../../src/persistence/details.js';
import type { JournalEntry } from '../../src/persistence/journal-entry.js';
import { INJECTED } from '../../src/storage/injected-values.js';
import { INJECTOR, isReserved, PLAN } from '../../src/storage/reserved.js';
import { asRecord, extract, readLast } from '../../src/storage/values.js';
import type { RunPicture } from './run-picture.js';
import { flowOfStored } from './stored-flow.js';
import type { RunFacts } from './tracked-run.js';
import { SECRET, TrackedRun } from './tracked-run.js';
import type { ValueWordsOptions } from './value-words.js';

export interface StoredRunOptions extends ValueWordsOptions {
  /** The flow of the run. Default: what its stored plan says; a run without a plan is shown as a list of atoms. */
  readonly flow?: Flow | Task | undefined;
  /** How often the store is asked for news while somebody looks, in milliseconds. @default 1000 */
  readonly pollMs?: number | undefined;
  /** Where its timers and times come from. @default the platform's */
  readonly clock?: Clock | undefined;
}

/** Entries that are read at once. */
const PAGE = 1000;

/** A run as it is stored, whether somebody runs it or not. Only reads. */
export class StoredSource extends TrackedRun {
  protected readonly clock: Clock;
  protected readonly areSecret: boolean;
  readonly #connection: Connection;
  readonly #pollMs: number;
  readonly #flow: Flow | Task | undefined;
  #detail: FlowDetail;
  #byName: ReadonlyMap<string, AtomDetail>;
  /** What atoms are called now. */
  #names: ReadonlyMap<string, string>;
  #timer: Timer | null = null;
  #reading: Promise<boolean> | null = null;
  #isClosed = false;

  private constructor(
    backend: PersistenceBackend,
    connection: Connection,
    detail: FlowDetail,
    { flow, pollMs = 1000, clock = systemEnvironment.clock, ...options }: StoredRunOptions,
  ) {
    super(compile(flow ?? flowOfStored(detail)), options);
    this.#connection = connection;
    this.#flow = flow;
    this.#detail = detail;
    [this.#byName, this.#names] = indexed(detail);
    this.#pollMs = pollMs;
    this.clock = clock;
    this.areSecret = backend.codec?.keepsSecrets === true;
  }

  /** @throws {NotFoundError} for a run that is not stored. */
  static async open(backend: PersistenceBackend, uuid: string, options: StoredRunOptions): Promise<StoredSource> {
    const connection = await backend.getConnection();
    try {
      const source = new StoredSource(backend, connection, await connection.getFlowDetail(uuid), options);
      await source.look();
      return source;
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async look(): Promise<void> {
    await (this.#reading ??= this.#read());
  }

  /** @returns whether there was something new. */
  async #read(): Promise<boolean> {
    try {
      const { uuid, revision } = this.#detail;
      const before = this.upTo;
      const { revision: latest } = await this.#connection.getFlowDetail(uuid, { lazy: true });
      if (latest !== revision) {
        const before = this.#detail;
        this.#detail = await this.#connection.getFlowDetail(uuid);
        [this.#byName, this.#names] = indexed(this.#detail);
        if (this.#flow === undefined && !isSameFlow(before, this.#detail))
          this.begin(compile(flowOfStored(this.#detail)));
      } else if (before > 0) return false;
      for (let page: readonly JournalEntry[] = []; ;) {
        page = await this.#connection.getJournal(uuid, { after: this.upTo, limit: PAGE });
        this.add(page);
        if (page.length < PAGE) break;
      }
      return latest !== revision || this.upTo > before;
    } finally {
      this.#reading = null;
    }
  }

  override onNews(listener: () => void): Disposable {
    const registration = super.onNews(listener);
    this.#poll();
    return registration;
  }

  #poll(): void {
    if (this.#timer !== null || !this.isHeard || this.#isClosed) return;
    this.#timer = this.clock.setTimer(this.#pollMs, () => {
      // A store that cannot be reached for once is asked again.
      void (this.#reading ??= this.#read())
        .catch(() => false)
        .then((isNew) => {
          this.#timer = null;
          if (isNew) this.tell();
          this.#poll();
        });
    });
    this.#timer.unref?.();
  }

  onEnd(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  override close(): void {
    super.close();
    this.#isClosed = true;
    this.#timer?.cancel();
    void this.#connection.close().catch(() => undefined);
  }

  protected get history(): RunPicture['history'] {
    return this.upTo > 0 ? 'journal' : 'none';
  }

  protected override nameOf({ name, uuid }: JournalEntry['entity']): string {
    return this.#names.get(uuid) ?? name;
  }

  protected facts(): RunFacts {
    const { name, uuid, state } = this.#detail;
    return { name, uuid, flowState: state ?? 'PENDING', stage: null };
  }

  protected detailOf(name: string): AtomDetail | undefined {
    return this.#byName.get(name);
  }

  /** Values that were given to the atom come first, then those that were given to the run, then results. */
  protected argumentText(node: AtomNode, argument: string, symbol: string): string | null {
    const own = asRecord(this.detailOf(node.name)?.meta[INJECTED]);
    const given = asRecord(this.#byName.get(INJECTOR)?.results);
    const found =
      (own === undefined ? undefined : extract(own, symbol)) ??
      (given === undefined ? undefined : extract(given, symbol)) ??
      this.#provided(node, symbol);
    if (found === undefined) return null;
    return this.areSecret ? SECRET : this.words.named(argument, found.value);
  }

  #provided(node: AtomNode, symbol: string): { readonly value: unknown } | undefined {
    const takes = this.flow.parts[this.partOf(node)]?.takes.find((each) => each.symbol === symbol);
    for (const part of takes?.from ?? []) {
      const provider = providerOf(this.compilation, this.flow.parts[part]?.name ?? '');
      const detail = this.detailOf(provider?.name ?? '');
      const reading = detail === undefined ? null : readLast(detail);
      if (reading?.kind !== 'value') continue;
      const found = extract(reading.value, provider?.item.saveAs.get(symbol) ?? null);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  protected why(): null {
    return null;
  }
}

function providerOf(compilation: Compilation, name: string): AtomNode | null {
  return compilation.hasAtom(name) ? compilation.atom(name) : null;
}

function indexed({ atoms }: FlowDetail): [ReadonlyMap<string, AtomDetail>, ReadonlyMap<string, string>] {
  const names = atoms.filter(({ name }) => !isReserved(name)).map(({ uuid, name }) => [uuid, name] as const);
  return [new Map(atoms.map((atom) => [atom.name, atom])), new Map(names)];
}

/** Whether a run has the same plan as before, or where it has none, the same atoms. */
function isSameFlow(one: FlowDetail, other: FlowDetail): boolean {
  const shapeOf = ({ atoms }: FlowDetail) => {
    const plan = atoms.find(({ name }) => name === PLAN)?.results;
    return typeof plan === 'string' ? plan : JSON.stringify(atoms.map(({ name }) => name));
  };
  return shapeOf(one) === shapeOf(other);
}
