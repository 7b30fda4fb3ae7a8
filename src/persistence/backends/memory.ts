import { NotFoundError } from '../../errors.js';
import type {
  Codec,
  Connection,
  FlowQuery,
  FoundFlow,
  JournalQuery,
  PersistenceBackend,
  ReadOptions,
  SaveOptions,
  UnitOfWork,
} from '../backend.js';
import { byAge, inOrder } from '../books.js';
import type { AtomDetail, FlowDetail, LogBook } from '../details.js';
import type { JournalEntry } from '../journal-entry.js';
import { flowToRecord, logbookToRecord } from '../records.js';
import type { FlowRecord, LogBookRecord } from '../records.js';
import { RowFormat } from '../rows.js';
import {
  advanced,
  byLastChange,
  checkRevision,
  entryTaken,
  entryTwice,
  isAskedFor,
  lastOfEach,
  mustApply,
  planSave,
  refuseMisplacedAtoms,
  refuseSharedAtoms,
  takenElsewhere,
} from '../save-plan.js';
import type { SavePlan } from '../save-plan.js';
import { valueFormat } from '../value-format.js';
import type { ValueOptions } from '../value-format.js';

/** `codec` and `maxValueBytes` are for copies only. */
export interface MemoryBackendOptions extends ValueOptions {
  /**
   * Whether text is kept, so that nothing is shared with who wrote or reads it. Without, the details themselves are
   * kept: that is faster, takes any value, and gives out the same objects again. @default true
   */
  readonly deepCopy?: boolean | undefined;
}

/**
 * Keeps everything in the backend object, as long as that lives. Two of them share nothing.
 *
 * @throws {TypeError} for a codec or a limit where nothing is copied.
 */
export function memoryBackend({ deepCopy = true, ...values }: MemoryBackendOptions = {}): PersistenceBackend {
  if (deepCopy) {
    const codec = valueFormat(values);
    return backendOf(new MemoryConnection(textOf(new RowFormat(codec))), codec);
  }
  for (const [name, given] of Object.entries(values)) {
    if (given !== undefined) throw new TypeError(`${name} takes deepCopy: true beside it, got deepCopy: false`);
  }
  return backendOf(new MemoryConnection(references), undefined);
}

function backendOf(connection: Connection, codec: Codec | undefined): PersistenceBackend {
  return {
    name: 'memory',
    ...(codec === undefined ? {} : { codec }),
    getConnection: async () => connection,
    close: async () => undefined,
  };
}

/** How details are kept: as what, and how they get there and back. */
interface Form<Book, Flow, Atom, Entry> {
  readonly ofBook: (book: LogBookRecord) => Book;
  readonly toBook: (kept: Book, flows: readonly FlowDetail[]) => LogBook;
  readonly ofFlow: (flow: FlowRecord) => Flow;
  readonly toFlow: (kept: Flow, atoms: readonly AtomDetail[]) => FlowDetail;
  /** Changes state and meta where a commit does. */
  readonly change: (kept: Flow, unit: UnitOfWork) => Flow;
  readonly ofAtom: (atom: AtomDetail) => Atom;
  readonly toAtom: (kept: Atom) => AtomDetail;
  readonly ofEntry: (entry: JournalEntry) => Entry;
  readonly toEntry: (kept: Entry) => JournalEntry;
}

interface Named {
  readonly uuid: string;
  readonly name: string;
}

type KeptFlow = Named & Omit<FlowRecord, 'meta'>;
type KeptAtom = Named & { readonly kind: AtomDetail['kind'] };

const references: Form<LogBookRecord, FlowRecord, AtomDetail, JournalEntry> = {
  ofBook: logbookToRecord,
  toBook: (book, flows) => ({ ...book, flows }),
  ofFlow: flowToRecord,
  toFlow: (flow, atoms) => ({ ...flow, atoms }),
  change: (flow, { state = flow.state, meta = flow.meta }) => ({ ...flow, state, meta }),
  ofAtom: (atom) => atom,
  toAtom: (atom) => atom,
  ofEntry: (entry) => entry,
  toEntry: (entry) => entry,
};

function textOf(rows: RowFormat) {
  return {
    ofBook: (book) => rows.encodeLogbook(book),
    toBook: (row, flows) => rows.decodeLogbook(row, flows),
    ofFlow: (flow) => rows.encodeFlow(flow),
    toFlow: (row, atoms) => rows.decodeFlow(row, atoms),
    change: (row, { state = row.state, meta }) => ({
      ...row,
      state,
      meta: meta === undefined ? row.meta : rows.encodeFlowMeta(row.name, meta),
    }),
    ofAtom: (atom) => rows.encodeAtom(atom),
    toAtom: (row) => rows.decodeAtom(row),
    ofEntry: (entry) => rows.encodeEntry(entry),
    toEntry: (row) => rows.decodeEntry(row),
  } satisfies Form<
    ReturnType<RowFormat['encodeLogbook']>,
    ReturnType<RowFormat['encodeFlow']>,
    ReturnType<RowFormat['encodeAtom']>,
    ReturnType<RowFormat['encodeEntry']>
  >;
}

interface FlowEntry<Flow, Atom, Entry> {
  readonly bookUuid: string;
  flow: Flow;
  readonly atoms: Map<string, Atom>;
  /** In its order. */
  readonly journal: Entry[];
}

interface BookEntry<Book> {
  book: Book;
  /** In the order in which they were added. */
  readonly flowUuids: string[];
}

/** Each method does its work in one go, without waiting inside: that is what makes it atomic. */
class MemoryConnection<
  Book,
  Flow extends KeptFlow,
  Atom extends KeptAtom,
  Entry extends { readonly sequence: number },
> implements Connection {
  readonly #form: Form<Book, Flow, Atom, Entry>;
  readonly #books = new Map<string, BookEntry<Book>>();
  readonly #flows = new Map<string, FlowEntry<Flow, Atom, Entry>>();
  /** The flow of each atom, by uuid. */
  readonly #owners = new Map<string, string>();

  constructor(form: Form<Book, Flow, Atom, Entry>) {
    this.#form = form;
  }

  async upgrade(): Promise<void> {}

  async validate(): Promise<void> {}

  async close(): Promise<void> {}

  async clearAll(): Promise<void> {
    this.#books.clear();
    this.#flows.clear();
    this.#owners.clear();
  }

  async saveLogbook(book: LogBook, { replace = false, ...options }: SaveOptions = {}): Promise<LogBook> {
    const putBack = replace ? this.#takeBookOut(book.uuid) : () => undefined;
    try {
      return this.#saveBook(book, options);
    } catch (error) {
      putBack();
      throw error;
    }
  }

  /** @returns what puts it back, with its runs. */
  #takeBookOut(uuid: string): () => void {
    const entry = this.#books.get(uuid);
    if (entry === undefined) return () => undefined;
    const flows = entry.flowUuids.map((flowUuid) => [flowUuid, this.#flow(flowUuid)] as const);
    for (const [flowUuid] of flows) this.#forgetFlow(flowUuid);
    this.#books.delete(uuid);
    return () => {
      this.#books.set(uuid, entry);
      for (const [flowUuid, flow] of flows) {
        this.#flows.set(flowUuid, flow);
        for (const atomUuid of flow.atoms.keys()) this.#owners.set(atomUuid, flowUuid);
      }
    };
  }

  #saveBook(book: LogBook, { journals }: SaveOptions): LogBook {
    const kept = this.#form.ofBook(logbookToRecord(book));
    const flows = lastOfEach(book.flows);
    refuseSharedAtoms(flows);
    const plans = flows.flatMap((flow) => {
      const plan = this.#planFlow(book.uuid, flow);
      if (plan === null) return [];
      const isNew = !this.#flows.has(flow.uuid);
      const journal = isNew ? (journals?.get(flow.uuid) ?? []).map((entry) => this.#form.ofEntry(entry)) : [];
      refuseTaken(flow.uuid, journal, 0);
      return [{ plan, journal }];
    });
    // Nothing can be refused from here on.
    const entry = this.#books.get(book.uuid) ?? { book: kept, flowUuids: [] };
    entry.book = kept;
    this.#books.set(book.uuid, entry);
    for (const { plan, journal } of plans) this.#applyPlan(entry, book.uuid, plan, journal);
    return this.#readBook(entry, false);
  }

  #planFlow(bookUuid: string, detail: FlowDetail): SavePlan<Flow, Atom> | null {
    const atoms = detail.atoms.map((atom) => this.#form.ofAtom(atom));
    this.#refuseForeign(detail.uuid, atoms);
    const given = { flow: this.#form.ofFlow(flowToRecord(detail)), atoms };
    return planSave(bookUuid, this.#flows.get(detail.uuid) ?? null, given);
  }

  #applyPlan(
    book: BookEntry<Book>,
    bookUuid: string,
    { flow, atoms }: SavePlan<Flow, Atom>,
    journal: Entry[] = [],
  ): void {
    let entry = this.#flows.get(flow.uuid);
    if (entry === undefined) {
      entry = { bookUuid, flow, atoms: new Map(), journal };
      this.#flows.set(flow.uuid, entry);
      book.flowUuids.push(flow.uuid);
    }
    entry.flow = flow;
    this.#writeAtoms(entry, atoms);
  }

  async commit(unit: UnitOfWork): Promise<void> {
    const entry = this.#flow(unit.flowUuid);
    if (!mustApply(unit, entry.flow)) return;
    const flow = advanced(this.#form.change(entry.flow, unit), unit);
    const atoms = lastOfEach(unit.atoms).map((atom) => this.#form.ofAtom(atom));
    this.#refuseForeign(unit.flowUuid, atoms);
    if (this.#changesNames(entry, atoms)) refuseMisplacedAtoms(unit.flowUuid, entry.atoms.values(), atoms);
    const journal = unit.journal?.map((each) => this.#form.ofEntry(each)) ?? [];
    refuseTaken(unit.flowUuid, journal, entry.journal.at(-1)?.sequence ?? 0);
    // Nothing can be refused from here on.
    entry.flow = flow;
    this.#writeAtoms(entry, atoms);
    for (const each of journal) entry.journal.push(each);
  }

  /** Most commits change atoms that are there, which is quickly seen. */
  #changesNames(entry: FlowEntry<Flow, Atom, Entry>, atoms: readonly Atom[]): boolean {
    return atoms.some((atom) => {
      const stored = entry.atoms.get(atom.uuid);
      return stored === undefined || stored.name !== atom.name || stored.kind !== atom.kind;
    });
  }

  #refuseForeign(flowUuid: string, atoms: readonly Atom[]): void {
    for (const atom of atoms) {
      const owner = this.#owners.get(atom.uuid);
      if (owner !== undefined && owner !== flowUuid) throw takenElsewhere(atom, owner);
    }
  }

  #writeAtoms(entry: FlowEntry<Flow, Atom, Entry>, atoms: readonly Atom[]): void {
    for (const atom of atoms) {
      entry.atoms.set(atom.uuid, atom);
      this.#owners.set(atom.uuid, entry.flow.uuid);
    }
  }

  async getLogbook(uuid: string, { lazy = false }: ReadOptions = {}): Promise<LogBook> {
    return this.#readBook(this.#book(uuid), lazy);
  }

  async getLogbooks({ lazy = false }: ReadOptions = {}): Promise<LogBook[]> {
    return [...this.#books.values()].map((entry) => this.#readBook(entry, lazy)).toSorted(byAge);
  }

  async destroyLogbook(uuid: string): Promise<void> {
    for (const flowUuid of this.#book(uuid).flowUuids) this.#forgetFlow(flowUuid);
    this.#books.delete(uuid);
  }

  #forgetFlow(uuid: string): void {
    for (const atomUuid of this.#flow(uuid).atoms.keys()) this.#owners.delete(atomUuid);
    this.#flows.delete(uuid);
  }

  async getFlowsForBook(bookUuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail[]> {
    return this.#readFlows(this.#book(bookUuid), lazy);
  }

  async getFlowDetail(uuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail> {
    return this.#readFlow(this.#flow(uuid), lazy);
  }

  async getAtomsForFlow(flowUuid: string): Promise<AtomDetail[]> {
    return [...this.#readAtoms(this.#flow(flowUuid))];
  }

  async getAtomDetail(uuid: string): Promise<AtomDetail> {
    const kept = this.#flow(this.#ownerOf(uuid)).atoms.get(uuid);
    if (kept === undefined) throw noAtomDetail(uuid);
    return this.#form.toAtom(kept);
  }

  #ownerOf(atomUuid: string): string {
    const owner = this.#owners.get(atomUuid);
    if (owner === undefined) throw noAtomDetail(atomUuid);
    return owner;
  }

  async getJournal(flowUuid: string, { after = 0, limit = Infinity }: JournalQuery = {}): Promise<JournalEntry[]> {
    const { journal } = this.#flow(flowUuid);
    // Numbers have no gaps, and begin with 1.
    const first = Math.max(0, after - (journal[0]?.sequence ?? 1) + 1);
    return journal.slice(first, first + limit).map((kept) => this.#form.toEntry(kept));
  }

  async findFlowDetails(query: FlowQuery = {}): Promise<FoundFlow[]> {
    return [...this.#flows.values()]
      .filter(({ bookUuid, flow }) => isAskedFor(query, bookUuid, flow))
      .map((entry) => ({ bookUuid: entry.bookUuid, flow: this.#readFlow(entry, true) }))
      .toSorted(byLastChange)
      .slice(0, query.limit);
  }

  async updateFlowDetail(detail: FlowDetail): Promise<FlowDetail> {
    const entry = this.#flow(detail.uuid);
    const plan = this.#planFlow(entry.bookUuid, detail);
    if (plan !== null) this.#applyPlan(this.#book(entry.bookUuid), entry.bookUuid, plan);
    return this.#readFlow(entry, false);
  }

  async updateAtomDetail(atom: AtomDetail): Promise<AtomDetail> {
    const { flow } = this.#flow(this.#ownerOf(atom.uuid));
    await this.commit({ flowUuid: flow.uuid, expectedRevision: flow.revision, atoms: [atom] });
    return this.getAtomDetail(atom.uuid);
  }

  async destroyFlowDetail(uuid: string, expectedRevision?: number): Promise<void> {
    const { bookUuid, flow } = this.#flow(uuid);
    checkRevision(flow, expectedRevision);
    const { flowUuids } = this.#book(bookUuid);
    this.#forgetFlow(uuid);
    flowUuids.splice(flowUuids.indexOf(uuid), 1);
  }

  #book(uuid: string): BookEntry<Book> {
    const entry = this.#books.get(uuid);
    if (entry === undefined) throw new NotFoundError(`There is no logbook ${uuid}`);
    return entry;
  }

  #flow(uuid: string): FlowEntry<Flow, Atom, Entry> {
    const entry = this.#flows.get(uuid);
    if (entry === undefined) throw new NotFoundError(`There is no flow detail ${uuid}`);
    return entry;
  }

  #readBook(entry: BookEntry<Book>, lazy: boolean): LogBook {
    return this.#form.toBook(entry.book, lazy ? [] : this.#readFlows(entry, false));
  }

  #readFlows(entry: BookEntry<Book>, lazy: boolean): FlowDetail[] {
    return entry.flowUuids.map((uuid) => this.#readFlow(this.#flow(uuid), lazy));
  }

  #readFlow(entry: FlowEntry<Flow, Atom, Entry>, lazy: boolean): FlowDetail {
    return this.#form.toFlow(entry.flow, lazy ? [] : this.#readAtoms(entry));
  }

  #readAtoms(entry: FlowEntry<Flow, Atom, Entry>): readonly AtomDetail[] {
    return inOrder(Array.from(entry.atoms.values(), (kept) => this.#form.toAtom(kept)));
  }
}

/** @throws {DuplicateError} for an entry with a number that is taken. */
function refuseTaken(flowUuid: string, journal: readonly { readonly sequence: number }[], last: number): void {
  const taken = entryTwice(journal, last);
  if (taken !== undefined) throw entryTaken(flowUuid, taken.sequence);
}

function noAtomDetail(uuid: string): NotFoundError {
  return new NotFoundError(`There is no atom detail ${uuid}`);
}
