import { FlowstateError, NotFoundError, StorageError } from '../../../errors.js';
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
} from '../../backend.js';
import { byAge, inOrder } from '../../books.js';
import type { AtomDetail, FlowDetail, LogBook } from '../../details.js';
import type { JournalEntry } from '../../journal-entry.js';
import { RowFormat } from '../../rows.js';
import type { AtomRow, FlowRow, JournalRow } from '../../rows.js';
import {
  advanced,
  byLastChange,
  isAskedFor,
  checkRevision,
  lastOfEach,
  mustApply,
  planSave,
  refuseMisplacedAtoms,
  refuseSharedAtoms,
  takenElsewhere,
} from '../../save-plan.js';
import { addToJournal, readJournal, removeJournal } from './path-journals.js';
import { PathRecords, putAtoms, putAtomUuids, putBook, putFlow } from './path-records.js';
import type { AtomEntry, BookEntry } from './path-records.js';
import { safeName } from '../../../safe-name.js';
import { TABLES } from './record-store.js';
import type { RecordReader, RecordStore, RecordWriter } from './record-store.js';

/** Keeps runs as records that are found by their names, one for each detail. */
export function pathBackend(store: RecordStore, codec: Codec): PersistenceBackend {
  const connection = new PathConnection(store, codec);
  return { name: store.name, codec, getConnection: async () => connection, close: () => store.close() };
}

interface GivenFlow {
  readonly flow: FlowRow;
  readonly atoms: readonly AtomRow[];
  readonly journal: readonly JournalRow[];
}

class PathConnection implements Connection {
  readonly #store: RecordStore;
  readonly #rows: RowFormat;

  constructor(store: RecordStore, codec: Codec) {
    this.#store = store;
    this.#rows = new RowFormat(codec);
  }

  upgrade(): Promise<void> {
    return this.#told('upgrade', () => this.#store.upgrade());
  }

  validate(): Promise<void> {
    return this.#told('be validated', () => this.#store.validate());
  }

  /** What is open belongs to the backend. */
  async close(): Promise<void> {}

  clearAll(): Promise<void> {
    return this.#write('be cleared', async (_, writer) => {
      for (const table of TABLES) for (const key of await writer.keys(table)) writer.put(table, key, null);
    });
  }

  async commit(unit: UnitOfWork): Promise<void> {
    const { flowUuid, expectedRevision, state } = unit;
    const given = lastOfEach(unit.atoms).map((atom) => this.#rows.encodeAtom(atom));
    const meta = unit.meta === undefined ? undefined : this.#rows.encodeFlowMeta(flowUuid, unit.meta);
    const journal = (unit.journal ?? []).map((entry) => this.#rows.encodeEntry(entry));
    const what = `commit revision ${expectedRevision + 1} of the flow detail ${flowUuid}`;
    await this.#write(what, async (records, writer) => {
      const { bookUuid, flow } = await records.flow(flowUuid);
      if (!mustApply(unit, flow)) return;
      await writeAtoms(records, writer, flowUuid, given);
      if (journal.length > 0) await addToJournal(records, writer, flowUuid, journal);
      const changed = { ...flow, state: state === undefined ? flow.state : state, meta: meta ?? flow.meta };
      putFlow(writer, { bookUuid, flow: advanced(changed, unit) });
    });
  }

  async saveLogbook(book: LogBook, { journals, replace = false }: SaveOptions = {}): Promise<LogBook> {
    const flows = lastOfEach(book.flows);
    refuseSharedAtoms(flows);
    const row = this.#rows.encodeLogbook(book);
    const given = flows.map((flow) => this.#encodeFlow(flow, journals?.get(flow.uuid)));
    return this.#write(`save the logbook ${book.uuid}`, async (records, writer) => {
      let stored = (await records.book(book.uuid))?.flows ?? [];
      if (replace) {
        for (const flow of stored) await removeFlow(records, writer, flow);
        stored = [];
      }
      const known = new Set(stored);
      const added: string[] = [];
      for (const flow of given) {
        await saveFlow(records, writer, book.uuid, flow);
        if (!known.has(flow.flow.uuid)) added.push(flow.flow.uuid);
      }
      const entry = { book: row, flows: [...stored, ...added] };
      putBook(writer, entry);
      return this.#readBook(records, entry, false);
    });
  }

  getLogbook(uuid: string, { lazy = false }: ReadOptions = {}): Promise<LogBook> {
    return this.#read('read a logbook', async (records) => this.#readBook(records, await bookOf(records, uuid), lazy));
  }

  getLogbooks({ lazy = false }: ReadOptions = {}): Promise<LogBook[]> {
    return this.#read('read its logbooks', async (records) => {
      const books: LogBook[] = [];
      for (const entry of await records.allBooks()) books.push(await this.#readBook(records, entry, lazy));
      return books.toSorted(byAge);
    });
  }

  destroyLogbook(uuid: string): Promise<void> {
    return this.#write(`destroy the logbook ${uuid}`, async (records, writer) => {
      for (const flow of (await bookOf(records, uuid)).flows) await removeFlow(records, writer, flow);
      writer.put('books', safeName(uuid), null);
    });
  }

  getFlowsForBook(bookUuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail[]> {
    return this.#read('read the flow details of a logbook', async (records) =>
      this.#readFlows(records, (await bookOf(records, bookUuid)).flows, lazy),
    );
  }

  getFlowDetail(uuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail> {
    return this.#read('read a flow detail', (records) => this.#readFlow(records, uuid, lazy));
  }

  getAtomsForFlow(flowUuid: string): Promise<AtomDetail[]> {
    return this.#read('read the atom details of a flow detail', async (records) => {
      await records.flow(flowUuid);
      return [...(await this.#readAtoms(records, flowUuid))];
    });
  }

  getAtomDetail(uuid: string): Promise<AtomDetail> {
    return this.#read('read an atom detail', async (records) =>
      this.#rows.decodeAtom((await atomOf(records, uuid)).atom),
    );
  }

  getJournal(flowUuid: string, query: JournalQuery = {}): Promise<JournalEntry[]> {
    return this.#read('read the journal of a flow detail', async (records) => {
      await records.flow(flowUuid);
      return (await readJournal(records, flowUuid, query)).map((row) => this.#rows.decodeEntry(row));
    });
  }

  findFlowDetails(query: FlowQuery = {}): Promise<FoundFlow[]> {
    return this.#read('look for flow details', async (records) =>
      (await records.allFlows())
        .filter(({ bookUuid, flow }) => isAskedFor(query, bookUuid, flow))
        .map(({ bookUuid, flow }) => ({ bookUuid, flow: this.#rows.decodeFlow(flow) }))
        .toSorted(byLastChange)
        .slice(0, query.limit),
    );
  }

  async updateFlowDetail(detail: FlowDetail): Promise<FlowDetail> {
    const given = this.#encodeFlow(detail);
    return this.#write(`update the flow detail ${detail.uuid}`, async (records, writer) => {
      const { bookUuid } = await records.flow(detail.uuid);
      await saveFlow(records, writer, bookUuid, given);
      return this.#readFlow(records, detail.uuid, false);
    });
  }

  async updateAtomDetail(detail: AtomDetail): Promise<AtomDetail> {
    const row = this.#rows.encodeAtom(detail);
    return this.#write(`update the atom detail ${detail.uuid}`, async (records, writer) => {
      const { flowUuid } = await atomOf(records, detail.uuid);
      const { bookUuid, flow } = await records.flow(flowUuid);
      await writeAtoms(records, writer, flowUuid, [row]);
      const unit = { flowUuid, expectedRevision: flow.revision, atoms: [] };
      putFlow(writer, { bookUuid, flow: advanced(flow, unit) });
      return this.#rows.decodeAtom(row);
    });
  }

  destroyFlowDetail(uuid: string, expectedRevision?: number): Promise<void> {
    return this.#write(`destroy the flow detail ${uuid}`, async (records, writer) => {
      const { bookUuid, flow } = await records.flow(uuid);
      checkRevision(flow, expectedRevision);
      const { book, flows } = await bookOf(records, bookUuid);
      await removeFlow(records, writer, uuid);
      putBook(writer, { book, flows: flows.filter((each) => each !== uuid) });
    });
  }

  #encodeFlow(detail: FlowDetail, entries: readonly JournalEntry[] = []): GivenFlow {
    const atoms = detail.atoms.map((atom) => this.#rows.encodeAtom(atom));
    const journal = entries.map((entry) => this.#rows.encodeEntry(entry));
    return { flow: this.#rows.encodeFlow(detail), atoms, journal };
  }

  async #readBook(records: PathRecords, { book, flows }: BookEntry, lazy: boolean): Promise<LogBook> {
    return this.#rows.decodeLogbook(book, lazy ? [] : await this.#readFlows(records, flows, false));
  }

  async #readFlows(records: PathRecords, uuids: readonly string[], lazy: boolean): Promise<FlowDetail[]> {
    const flows: FlowDetail[] = [];
    for (const uuid of uuids) flows.push(await this.#readFlow(records, uuid, lazy));
    return flows;
  }

  async #readFlow(records: PathRecords, uuid: string, lazy: boolean): Promise<FlowDetail> {
    const { flow } = await records.flow(uuid);
    return this.#rows.decodeFlow(flow, lazy ? [] : await this.#readAtoms(records, uuid));
  }

  async #readAtoms(records: PathRecords, flowUuid: string): Promise<readonly AtomDetail[]> {
    return inOrder((await records.atomsOf(flowUuid)).map((row) => this.#rows.decodeAtom(row)));
  }

  #read<Result>(what: string, work: (records: PathRecords) => Promise<Result>): Promise<Result> {
    return this.#told(what, () => this.#store.read((reader: RecordReader) => work(new PathRecords(reader))));
  }

  #write<Result>(what: string, work: (records: PathRecords, writer: RecordWriter) => Promise<Result>): Promise<Result> {
    return this.#told(what, () => this.#store.write((writer) => work(new PathRecords(writer), writer)));
  }

  async #told<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
    try {
      return await work();
    } catch (cause) {
      if (cause instanceof FlowstateError) throw cause;
      throw new StorageError(`${this.#store.name} could not ${what}`, { cause });
    }
  }
}

async function bookOf(records: PathRecords, uuid: string): Promise<BookEntry> {
  const entry = await records.book(uuid);
  if (entry === null) throw new NotFoundError(`There is no logbook ${uuid}`);
  return entry;
}

async function atomOf(records: PathRecords, uuid: string): Promise<AtomEntry> {
  const [entry = null] = await records.atoms([uuid]);
  if (entry === null) throw new NotFoundError(`There is no atom detail ${uuid}`);
  return entry;
}

async function saveFlow(records: PathRecords, writer: RecordWriter, bookUuid: string, given: GivenFlow): Promise<void> {
  const { uuid } = given.flow;
  const [found = null] = await records.flows([uuid]);
  const atoms = found === null ? [] : await records.atomsOf(uuid);
  const stored = found === null ? null : { ...found, atoms: new Map(atoms.map((atom) => [atom.uuid, atom])) };
  const plan = planSave(bookUuid, stored, given);
  if (plan === null) return;
  await writeAtoms(records, writer, uuid, plan.atoms);
  if (stored === null && given.journal.length > 0) await addToJournal(records, writer, uuid, given.journal);
  putFlow(writer, { bookUuid, flow: plan.flow });
}

/** Writes atoms of one flow, after all that can be refused has been. */
async function writeAtoms(
  records: PathRecords,
  writer: RecordWriter,
  flowUuid: string,
  given: readonly AtomRow[],
): Promise<void> {
  const stored = await records.atoms(given.map(({ uuid }) => uuid));
  const isAtItsPlace = (atom: AtomRow, index: number) => {
    const found = stored[index]?.atom;
    return found !== undefined && found.name === atom.name && found.kind === atom.kind;
  };
  for (const [index, atom] of given.entries()) {
    const owner = stored[index]?.flowUuid ?? flowUuid;
    if (owner !== flowUuid) throw takenElsewhere(atom, owner);
  }
  if (!given.every(isAtItsPlace)) refuseMisplacedAtoms(flowUuid, await records.atomsOf(flowUuid), given);
  const added = given.filter((_, index) => stored[index] === null).map(({ uuid }) => uuid);
  if (added.length > 0) putAtomUuids(writer, flowUuid, [...(await records.atomUuids(flowUuid)), ...added]);
  putAtoms(writer, flowUuid, given);
}

async function removeFlow(records: PathRecords, writer: RecordWriter, uuid: string): Promise<void> {
  for (const atom of await records.atomUuids(uuid)) writer.put('atom_details', safeName(atom), null);
  await removeJournal(records, writer, uuid);
  writer.put('flow_atoms', safeName(uuid), null);
  writer.put('flow_details', safeName(uuid), null);
}
