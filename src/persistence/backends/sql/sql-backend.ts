import type { Transaction } from 'kysely';
import { DuplicateError, NotFoundError, StorageConflictError, StorageError } from '../../../errors.js';
import type { FlowstateError } from '../../../errors.js';
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
  checkRevision,
  entryTaken,
  entryTwice,
  lastOfEach,
  mustApply,
  planSave,
  refuseMisplacedAtoms,
  refuseSharedAtoms,
  takenElsewhere,
} from '../../save-plan.js';
import type { Commit } from './commit-statements.js';
import { Migrations } from './migrations.js';
import type { Queries, StoredAtomRow, StoredFlowRow } from './queries.js';
import type { Schema } from './schema.js';
import { SqlDatabase, whatOf } from './sql-database.js';
import type { SqlBackendOptions, SqlFlavor } from './sql-database.js';

/** Keeps runs in a relational database. */
export function sqlBackend(options: SqlBackendOptions): PersistenceBackend {
  const { name, codec } = options;
  const database = new SqlDatabase(options);
  const connection = new SqlConnection(name, codec, options.flavor, database);
  return {
    name,
    codec,
    getConnection: async () => connection,
    close: () => database.close(),
  };
}

const NO_ENTRIES: readonly JournalRow[] = [];

class SqlConnection implements Connection {
  readonly #flavor: SqlFlavor;
  readonly #database: SqlDatabase;
  readonly #rows: RowFormat;
  readonly #migrations: Migrations;

  constructor(name: string, codec: Codec, flavor: SqlFlavor, database: SqlDatabase) {
    this.#flavor = flavor;
    this.#database = database;
    this.#rows = new RowFormat(codec);
    this.#migrations = new Migrations(name, flavor);
  }

  upgrade(): Promise<void> {
    return this.#database.use('upgrade its schema', ({ db }) => this.#migrations.upgrade(db));
  }

  validate(): Promise<void> {
    return this.#database.use('be validated', ({ db }) => this.#migrations.validate(db));
  }

  /** There is one connection to the database, which the backend closes. */
  async close(): Promise<void> {}

  clearAll(): Promise<void> {
    return this.#write('be cleared', (queries, tx) => queries.deleteBooks(tx));
  }

  async commit(unit: UnitOfWork): Promise<void> {
    // Everything that can be refused is, before the database is asked.
    const atoms = lastOfEach(unit.atoms).map((atom) => this.#rows.encodeAtom(atom));
    const meta = unit.meta === undefined ? undefined : this.#rows.encodeFlowMeta(unit.flowUuid, unit.meta);
    const journal = unit.journal === undefined ? NO_ENTRIES : unit.journal.map((each) => this.#rows.encodeEntry(each));
    const commit = { unit, meta, atoms, journal };
    if (!this.#database.commitAtOnce(commit)) await this.#commit(commit);
  }

  async #commit(commit: Commit): Promise<void> {
    const { unit, meta, atoms, journal } = commit;
    const { flowUuid } = unit;
    const what = whatOf(commit);
    if (await this.#commitShortly(what, commit)) return;
    await this.#write(
      what,
      async (queries, tx) => {
        if (!(await queries.advanceFlow(tx, { unit, meta }))) return missed(queries, tx, unit);
        if (!(await queries.writeAtoms(tx, flowUuid, atoms))) throw await misplaced(queries, tx, flowUuid, atoms);
        await queries.writeJournal(tx, flowUuid, journal);
      },
      async (queries, tx) => {
        const taken = entryTwice(journal, journal.length === 0 ? 0 : await queries.lastEntry(tx, flowUuid));
        if (taken !== undefined) throw entryTaken(flowUuid, taken.sequence);
        throw await misplaced(queries, tx, flowUuid, atoms);
      },
    );
  }

  /** @returns Whether it was applied; otherwise nothing was changed. */
  #commitShortly(what: string, commit: Commit): Promise<boolean> {
    return this.#database.use(what, async (opened) => {
      try {
        return await opened.commit(commit);
      } catch (cause) {
        if (this.#flavor.troubleOf(cause) === 'duplicate') return false;
        throw cause;
      }
    });
  }

  async saveLogbook(book: LogBook, { journals, replace = false }: SaveOptions = {}): Promise<LogBook> {
    const flows = lastOfEach(book.flows);
    refuseSharedAtoms(flows);
    const row = this.#rows.encodeLogbook(book);
    const given = flows.map((flow) => ({
      flow: this.#rows.encodeFlow(flow),
      atoms: flow.atoms.map((atom) => this.#rows.encodeAtom(atom)),
      journal: (journals?.get(flow.uuid) ?? []).map((entry) => this.#rows.encodeEntry(entry)),
    }));
    return this.#write(`save the logbook ${book.uuid}`, async (queries, tx) => {
      if (replace) await queries.deleteBook(tx, book.uuid);
      if ((await queries.book(tx, book.uuid)) === null) await queries.insertBook(tx, row);
      else await queries.updateBook(tx, row);
      let position = given.length === 0 ? 0 : await queries.nextPosition(tx, book.uuid);
      for (const { flow, atoms, journal } of given) {
        if (!(await this.#saveFlow(queries, tx, book.uuid, position, flow, atoms))) continue;
        await queries.writeJournal(tx, flow.uuid, journal);
        position += 1;
      }
      return this.#readBook(queries, tx, book.uuid, false);
    });
  }

  /** @returns Whether it was inserted. */
  async #saveFlow(
    queries: Queries,
    tx: Transaction<Schema>,
    bookUuid: string,
    position: number,
    flow: FlowRow,
    atoms: readonly AtomRow[],
  ): Promise<boolean> {
    const found = await queries.flow(tx, flow.uuid);
    const storedAtoms = found === null ? [] : await queries.atomsOfFlow(tx, flow.uuid);
    const stored = found === null ? null : { ...found, atoms: new Map(storedAtoms.map((atom) => [atom.uuid, atom])) };
    const plan = planSave(bookUuid, stored, { flow, atoms });
    if (plan === null) return false;
    if (stored === null) await queries.insertFlow(tx, bookUuid, position, plan.flow);
    else if (!(await queries.updateFlow(tx, bookUuid, plan.flow))) {
      // Between reading and writing it somebody else was quicker.
      throw new StorageConflictError(flow.uuid, flow.revision, plan.flow.revision);
    }
    if (!(await queries.writeAtoms(tx, flow.uuid, plan.atoms)))
      throw await misplaced(queries, tx, flow.uuid, plan.atoms);
    return stored === null;
  }

  getLogbook(uuid: string, { lazy = false }: ReadOptions = {}): Promise<LogBook> {
    return this.#read('read a logbook', (queries, tx) => this.#readBook(queries, tx, uuid, lazy));
  }

  getLogbooks({ lazy = false }: ReadOptions = {}): Promise<LogBook[]> {
    return this.#read('read its logbooks', async (queries, tx) => {
      const books = await queries.books(tx);
      const flows = lazy ? [] : this.#assemble(await queries.flows(tx, null), await queries.atomsOfBook(tx, null));
      const byBook = groupBy(flows, ({ bookUuid }) => bookUuid);
      const flowsOf = (uuid: string) => (byBook.get(uuid) ?? []).map(({ flow }) => flow);
      return books.map((row) => this.#rows.decodeLogbook(row, flowsOf(row.uuid))).toSorted(byAge);
    });
  }

  destroyLogbook(uuid: string): Promise<void> {
    return this.#write(`destroy the logbook ${uuid}`, async (queries, tx) => {
      if (!(await queries.deleteBook(tx, uuid))) throw noLogbook(uuid);
    });
  }

  getFlowsForBook(bookUuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail[]> {
    return this.#read('read the flow details of a logbook', async (queries, tx) => {
      if ((await queries.book(tx, bookUuid)) === null) throw noLogbook(bookUuid);
      return this.#readFlows(queries, tx, bookUuid, lazy);
    });
  }

  getFlowDetail(uuid: string, { lazy = false }: ReadOptions = {}): Promise<FlowDetail> {
    return this.#read('read a flow detail', async (queries, tx) => {
      const stored = await queries.flow(tx, uuid);
      if (stored === null) throw noFlowDetail(uuid);
      return this.#rows.decodeFlow(stored.flow, lazy ? [] : this.#decodeAtoms(await queries.atomsOfFlow(tx, uuid)));
    });
  }

  getAtomsForFlow(flowUuid: string): Promise<AtomDetail[]> {
    return this.#read('read the atom details of a flow detail', async (queries, tx) => {
      if ((await queries.flow(tx, flowUuid)) === null) throw noFlowDetail(flowUuid);
      return [...this.#decodeAtoms(await queries.atomsOfFlow(tx, flowUuid))];
    });
  }

  getAtomDetail(uuid: string): Promise<AtomDetail> {
    return this.#read('read an atom detail', async (queries, tx) => {
      const row = await queries.atom(tx, uuid);
      if (row === null) throw noAtomDetail(uuid);
      return this.#rows.decodeAtom(row);
    });
  }

  getJournal(flowUuid: string, query: JournalQuery = {}): Promise<JournalEntry[]> {
    return this.#read('read the journal of a flow detail', async (queries, tx) => {
      const rows = await queries.journal(tx, flowUuid, query);
      if (rows.length === 0 && (await queries.flow(tx, flowUuid)) === null) throw noFlowDetail(flowUuid);
      return rows.map((row) => this.#rows.decodeEntry(row));
    });
  }

  findFlowDetails(query: FlowQuery = {}): Promise<FoundFlow[]> {
    return this.#read('look for flow details', async (queries, tx) =>
      (await queries.findFlows(tx, query)).map(({ bookUuid, flow }) => ({
        bookUuid,
        flow: this.#rows.decodeFlow(flow),
      })),
    );
  }

  updateFlowDetail(detail: FlowDetail): Promise<FlowDetail> {
    const flow = this.#rows.encodeFlow(detail);
    const atoms = detail.atoms.map((atom) => this.#rows.encodeAtom(atom));
    return this.#write(`update the flow detail ${detail.uuid}`, async (queries, tx) => {
      const stored = await queries.flow(tx, detail.uuid);
      if (stored === null) throw noFlowDetail(detail.uuid);
      await this.#saveFlow(queries, tx, stored.bookUuid, 0, flow, atoms);
      return this.#readFlow(queries, tx, detail.uuid);
    });
  }

  updateAtomDetail(atom: AtomDetail): Promise<AtomDetail> {
    const row = this.#rows.encodeAtom(atom);
    return this.#write(`update the atom detail ${atom.uuid}`, async (queries, tx) => {
      const [stored] = await queries.findAtoms(tx, [atom.uuid]);
      if (stored === undefined) throw noAtomDetail(atom.uuid);
      const { flowUuid } = stored;
      await queries.touchFlow(tx, flowUuid);
      if (!(await queries.writeAtoms(tx, flowUuid, [row]))) throw await misplaced(queries, tx, flowUuid, [row]);
      return this.#rows.decodeAtom(row);
    });
  }

  destroyFlowDetail(uuid: string, expectedRevision?: number): Promise<void> {
    return this.#write(`destroy the flow detail ${uuid}`, async (queries, tx) => {
      if (await queries.deleteFlow(tx, uuid, expectedRevision)) return;
      const stored = await queries.flow(tx, uuid);
      if (stored === null) throw noFlowDetail(uuid);
      checkRevision(stored.flow, expectedRevision);
    });
  }

  async #readFlow(queries: Queries, tx: Transaction<Schema>, uuid: string): Promise<FlowDetail> {
    const stored = await queries.flow(tx, uuid);
    if (stored === null) throw noFlowDetail(uuid);
    return this.#rows.decodeFlow(stored.flow, this.#decodeAtoms(await queries.atomsOfFlow(tx, uuid)));
  }

  async #readBook(queries: Queries, tx: Transaction<Schema>, uuid: string, lazy: boolean): Promise<LogBook> {
    const row = await queries.book(tx, uuid);
    if (row === null) throw noLogbook(uuid);
    return this.#rows.decodeLogbook(row, lazy ? [] : await this.#readFlows(queries, tx, uuid, false));
  }

  async #readFlows(queries: Queries, tx: Transaction<Schema>, bookUuid: string, lazy: boolean): Promise<FlowDetail[]> {
    const atoms = lazy ? [] : await queries.atomsOfBook(tx, bookUuid);
    return this.#assemble(await queries.flows(tx, bookUuid), atoms).map(({ flow }) => flow);
  }

  #assemble(
    flows: readonly StoredFlowRow[],
    atoms: readonly StoredAtomRow[],
  ): { bookUuid: string; flow: FlowDetail }[] {
    const byFlow = groupBy(atoms, ({ flowUuid }) => flowUuid);
    return flows.map(({ bookUuid, flow }) => {
      const rows = (byFlow.get(flow.uuid) ?? []).map(({ atom }) => atom);
      return { bookUuid, flow: this.#rows.decodeFlow(flow, this.#decodeAtoms(rows)) };
    });
  }

  #decodeAtoms(rows: readonly AtomRow[]): readonly AtomDetail[] {
    return inOrder(rows.map((row) => this.#rows.decodeAtom(row)));
  }

  /** What is read in one go belongs together, whatever others write meanwhile. */
  #read<Result>(what: string, work: (queries: Queries, tx: Transaction<Schema>) => Promise<Result>): Promise<Result> {
    return this.#database.use(
      what,
      ({ db, queries }) =>
        db
          .transaction()
          .setIsolationLevel('repeatable read')
          .setAccessMode('read only')
          .execute((tx) => work(queries, tx)),
      { isRead: true },
    );
  }

  /** @param explain - Called in a new transaction when a unique key was violated, to say in our words which. */
  #write<Result>(
    what: string,
    work: (queries: Queries, tx: Transaction<Schema>) => Promise<Result>,
    explain?: (queries: Queries, tx: Transaction<Schema>) => Promise<never>,
  ): Promise<Result> {
    return this.#database.use(what, async ({ db, queries }) => {
      for (let isFirst = true; ; isFirst = false) {
        try {
          return await db.transaction().execute((tx) => work(queries, tx));
        } catch (cause) {
          if (this.#flavor.troubleOf(cause) !== 'duplicate') throw cause;
          if (explain !== undefined) await db.transaction().execute((tx) => explain(queries, tx));
          // Somebody else may have inserted the same meanwhile: the next attempt finds it there.
          if (!isFirst) throw new DuplicateError(`Could not ${what}: an id or a name is taken already`, { cause });
        }
      }
    });
  }
}

function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): ReadonlyMap<string, readonly Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Why a flow could not be advanced. It resolves when it had been: the unit of work was sent again. */
async function missed(queries: Queries, tx: Transaction<Schema>, unit: UnitOfWork): Promise<void> {
  const stored = await queries.flow(tx, unit.flowUuid);
  if (stored === null) throw noFlowDetail(unit.flowUuid);
  if (!mustApply(unit, stored.flow)) return;
  throw new StorageConflictError(unit.flowUuid, unit.expectedRevision, stored.flow.revision);
}

/** Why atoms could not be written. */
async function misplaced(
  queries: Queries,
  tx: Transaction<Schema>,
  flowUuid: string,
  atoms: readonly AtomRow[],
): Promise<FlowstateError> {
  for (const { flowUuid: owner, atom } of await queries.findAtoms(
    tx,
    atoms.map(({ uuid }) => uuid),
  )) {
    if (owner !== flowUuid) return takenElsewhere(atom, owner);
  }
  refuseMisplacedAtoms(flowUuid, await queries.atomsOfFlow(tx, flowUuid), atoms);
  return new StorageError(`The atoms of the flow detail ${flowUuid} could not be written`);
}

function noLogbook(uuid: string): NotFoundError {
  return new NotFoundError(`There is no logbook ${uuid}`);
}

function noFlowDetail(uuid: string): NotFoundError {
  return new NotFoundError(`There is no flow detail ${uuid}`);
}

function noAtomDetail(uuid: string): NotFoundError {
  return new NotFoundError(`There is no atom detail ${uuid}`);
}
