import { CompiledQuery, sql } from 'kysely';
import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely';
import type { FlowQuery, JournalQuery } from '../../backend.js';
import type { AtomRow, FlowRow, JournalRow, LogBookRow } from '../../rows.js';
import type { Commit, CommitStatements } from './commit-statements.js';
import {
  atomFromColumns,
  entryFromColumns,
  flowFromColumns,
  flowToColumns,
  logbookFromColumns,
  logbookToColumns,
} from './schema.js';
import type { AtomDetailsTable, Schema } from './schema.js';
import { fromColumn, toColumn } from './text-column.js';

/** A transaction, or the database itself where one statement is enough. */
type Db = Kysely<Schema> | Transaction<Schema>;

/** A flow as it is stored, and where. */
export interface StoredFlowRow {
  readonly bookUuid: string;
  readonly flow: FlowRow;
}

/** An atom as it is stored, and where. */
export interface StoredAtomRow {
  readonly flowUuid: string;
  readonly atom: AtomRow;
}

/** Reads all atoms of a flow, whose uuid is given as a column. */
export type ReadAtoms = (db: Db, flow: string) => Promise<readonly AtomDetailsTable[]>;

const atomsInRows: ReadAtoms = (db, flow) =>
  db.selectFrom('atom_details').selectAll().where('flow_uuid', '=', flow).execute();

/** All that is said to the database after it was upgraded. */
export class Queries {
  readonly #statements: CommitStatements;
  readonly #readAtoms: ReadAtoms;

  /** @param readAtoms - How a database is best asked for all atoms of a flow. */
  constructor(statements: CommitStatements, readAtoms: ReadAtoms = atomsInRows) {
    this.#statements = statements;
    this.#readAtoms = readAtoms;
  }

  async book(db: Db, uuid: string): Promise<LogBookRow | null> {
    const row = await db.selectFrom('logbooks').selectAll().where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return row === undefined ? null : logbookFromColumns(row);
  }

  async books(db: Db): Promise<LogBookRow[]> {
    const rows = await db.selectFrom('logbooks').selectAll().execute();
    return rows.map(logbookFromColumns);
  }

  async insertBook(db: Db, book: LogBookRow): Promise<void> {
    await db.insertInto('logbooks').values(logbookToColumns(book)).execute();
  }

  async updateBook(db: Db, book: LogBookRow): Promise<void> {
    const { uuid, ...columns } = logbookToColumns(book);
    await db.updateTable('logbooks').set(columns).where('uuid', '=', uuid).execute();
  }

  /** @returns Whether it was there. */
  async deleteBook(db: Db, uuid: string): Promise<boolean> {
    const result = await db.deleteFrom('logbooks').where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  async deleteBooks(db: Db): Promise<void> {
    await db.deleteFrom('logbooks').execute();
  }

  async flow(db: Db, uuid: string): Promise<StoredFlowRow | null> {
    const row = await db.selectFrom('flow_details').selectAll().where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return row === undefined ? null : { bookUuid: fromColumn(row.book_uuid), flow: flowFromColumns(row) };
  }

  /** Those of one book, or all; of each book in the order in which they were added. */
  async flows(db: Db, bookUuid: string | null): Promise<StoredFlowRow[]> {
    let query = db.selectFrom('flow_details').selectAll();
    if (bookUuid !== null) query = query.where('book_uuid', '=', toColumn(bookUuid));
    const rows = await query.orderBy('book_uuid').orderBy('position').execute();
    return rows.map((row) => ({ bookUuid: fromColumn(row.book_uuid), flow: flowFromColumns(row) }));
  }

  /** The position of a flow that is added to a book now. */
  async nextPosition(db: Db, bookUuid: string): Promise<number> {
    const row = await db
      .selectFrom('flow_details')
      .select(({ fn }) => fn.max('position').as('last'))
      .where('book_uuid', '=', toColumn(bookUuid))
      .executeTakeFirst();
    const last: unknown = row?.last;
    return last === null || last === undefined ? 0 : Number(last) + 1;
  }

  async insertFlow(db: Db, bookUuid: string, position: number, flow: FlowRow): Promise<void> {
    await db
      .insertInto('flow_details')
      .values(flowToColumns(bookUuid, position, flow))
      .execute();
  }

  /** @returns Whether it was there, at the revision before this one. */
  async updateFlow(db: Db, bookUuid: string, flow: FlowRow): Promise<boolean> {
    const { position: _, ...columns } = flowToColumns(bookUuid, 0, flow);
    const result = await db
      .updateTable('flow_details')
      .set(columns)
      .where('uuid', '=', columns.uuid)
      .where('revision', '=', flow.revision - 1)
      .executeTakeFirst();
    return result.numUpdatedRows > 0n;
  }

  /** @returns Whether the flow was there, at the expected revision, and at no later fence. */
  async advanceFlow(db: Db, commit: Pick<Commit, 'unit' | 'meta'>): Promise<boolean> {
    const { sql: text, parameters } = this.#statements.advance(commit);
    const result = await db.executeQuery(CompiledQuery.raw(text, [...parameters]));
    return result.numAffectedRows === 1n;
  }

  /** Takes a flow to its next revision, from whatever revision. */
  async touchFlow(db: Db, uuid: string): Promise<void> {
    await db
      .updateTable('flow_details')
      .set({ revision: sql<number>`revision + 1`, last_commit: null })
      .where('uuid', '=', toColumn(uuid))
      .execute();
  }

  /** Runs that a query is true of, the longest unchanged first. */
  async findFlows(db: Db, query: FlowQuery): Promise<StoredFlowRow[]> {
    const { states, bookUuid, name, updatedBefore, limit } = query;
    let select = db.selectFrom('flow_details').selectAll();
    if (states !== undefined) {
      const named = states.length === 0 ? sql<boolean>`1 = 0` : null;
      select = select.where(
        (is) =>
          named ?? is.or([is('state', 'in', states), ...(states.includes('PENDING') ? [is('state', 'is', null)] : [])]),
      );
    }
    if (bookUuid !== undefined) select = select.where('book_uuid', '=', toColumn(bookUuid));
    if (name !== undefined) select = select.where('name', '=', toColumn(name));
    if (updatedBefore !== undefined) select = select.where('updated_at', '<', updatedBefore);
    let ordered = select.orderBy('updated_at').orderBy('uuid');
    if (limit !== undefined) ordered = ordered.limit(limit);
    const rows = await ordered.execute();
    return rows.map((row) => ({ bookUuid: fromColumn(row.book_uuid), flow: flowFromColumns(row) }));
  }

  /** @returns Whether it was there, at the revision, if one is expected. */
  async deleteFlow(db: Db, uuid: string, expectedRevision: number | undefined): Promise<boolean> {
    let query = db.deleteFrom('flow_details').where('uuid', '=', toColumn(uuid));
    if (expectedRevision !== undefined) query = query.where('revision', '=', expectedRevision);
    const result = await query.executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  async atom(db: Db, uuid: string): Promise<AtomRow | null> {
    const row = await db.selectFrom('atom_details').selectAll().where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return row === undefined ? null : atomFromColumns(row);
  }

  async atomsOfFlow(db: Db, flowUuid: string): Promise<AtomRow[]> {
    const rows = await this.#readAtoms(db, toColumn(flowUuid));
    return rows.map(atomFromColumns);
  }

  /** Those of all flows of one book, or of all books. */
  async atomsOfBook(db: Db, bookUuid: string | null): Promise<StoredAtomRow[]> {
    let query: SelectQueryBuilder<Schema, 'atom_details', AtomDetailsTable> = db.selectFrom('atom_details').selectAll();
    if (bookUuid !== null) {
      query = query.where('flow_uuid', 'in', (inner) =>
        inner.selectFrom('flow_details').select('uuid').where('book_uuid', '=', toColumn(bookUuid)),
      );
    }
    const rows = await query.execute();
    return rows.map((row) => ({ flowUuid: fromColumn(row.flow_uuid), atom: atomFromColumns(row) }));
  }

  /** Where atoms with one of these uuids are stored. */
  async findAtoms(db: Db, uuids: readonly string[]): Promise<StoredAtomRow[]> {
    const found: StoredAtomRow[] = [];
    for (let start = 0; start < uuids.length; start += this.#statements.rowsAtOnce) {
      const chunk = uuids.slice(start, start + this.#statements.rowsAtOnce).map(toColumn);
      const rows = await db.selectFrom('atom_details').selectAll().where('uuid', 'in', chunk).execute();
      for (const row of rows) found.push({ flowUuid: fromColumn(row.flow_uuid), atom: atomFromColumns(row) });
    }
    return found;
  }

  /**
   * Inserts atoms of a flow, or writes them over the stored ones.
   *
   * @returns Whether all were written; one that is stored in another flow, or as another kind, is not.
   */
  async writeAtoms(db: Db, flowUuid: string, atoms: readonly AtomRow[]): Promise<boolean> {
    for (const { sql: text, parameters, rows } of this.#statements.writes(flowUuid, atoms)) {
      const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, [...parameters]));
      if (rows !== null && numAffectedRows !== BigInt(rows)) return false;
    }
    return true;
  }

  async writeJournal(db: Db, flowUuid: string, entries: readonly JournalRow[]): Promise<void> {
    for (const { sql: text, parameters } of this.#statements.journalWrites(flowUuid, entries)) {
      await db.executeQuery(CompiledQuery.raw(text, [...parameters]));
    }
  }

  async journal(db: Db, flowUuid: string, { after = 0, limit }: JournalQuery): Promise<JournalRow[]> {
    const query = db
      .selectFrom('journal_entries')
      .selectAll()
      .where('flow_uuid', '=', toColumn(flowUuid))
      .where('sequence', '>', after)
      .orderBy('sequence');
    const rows = await (limit === undefined ? query : query.limit(limit)).execute();
    return rows.map(entryFromColumns);
  }

  /** The number of the last entry of a journal; 0 where there is none. */
  async lastEntry(db: Db, flowUuid: string): Promise<number> {
    const row = await db
      .selectFrom('journal_entries')
      .select(({ fn }) => fn.max('sequence').as('last'))
      .where('flow_uuid', '=', toColumn(flowUuid))
      .executeTakeFirst();
    const last: unknown = row?.last;
    return Number(last ?? 0);
  }
}
