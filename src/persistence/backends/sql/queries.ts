import { CompiledQuery, sql } from 'kysely';
import type { Kysely, SelectQueryBuilder, Transaction } from 'kysely';
import type { FlowQuery, UnitOfWork } from '../../backend.js';
import type { AtomRow, FlowRow, LogBookRow } from '../../rows.js';
import {
  ATOM_COLUMNS,
  atomFromColumns,
  atomToParameters,
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

/** More rows than this in one statement gain nothing. */
const MOST_ROWS = 100;

/**
 * All that is said to the database after it was upgraded.
 *
 * The statements of a commit are built once for each of their shapes, and then only given parameters.
 */
export class Queries {
  readonly #built = new Map<string, string>();
  readonly #db: Kysely<Schema>;
  readonly #rowsAtOnce: number;

  /** @param parametersAtOnce - How many parameters a statement may have. */
  constructor(db: Kysely<Schema>, parametersAtOnce: number) {
    this.#db = db;
    this.#rowsAtOnce = Math.max(1, Math.min(MOST_ROWS, Math.floor(parametersAtOnce / ATOM_COLUMNS.length)));
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

  /**
   * Takes a flow from the expected revision to the next one.
   *
   * @param meta - Encoded, when it changed.
   * @returns Whether it was there, at that revision, and at no later fence.
   */
  async advanceFlow(
    db: Db,
    { flowUuid, expectedRevision, state, id, at, fence }: UnitOfWork,
    meta: string | undefined,
  ): Promise<boolean> {
    const changes = new Map<string, unknown>([['last_commit', id === undefined ? null : toColumn(id)]]);
    if (state !== undefined) changes.set('state', state);
    if (meta !== undefined) changes.set('meta', meta);
    if (at !== undefined) changes.set('updated_at', at);
    if (fence !== undefined) changes.set('fence', fence);
    const text = this.#build(`advance ${[...changes.keys()].join()}`, () => {
      const update = this.#db
        .updateTable('flow_details')
        .set({ ...Object.fromEntries(changes), revision: sql<number>`revision + 1` })
        .where('uuid', '=', '')
        .where('revision', '=', 0);
      return (fence === undefined ? update : update.where('fence', '<=', fence)).compile();
    });
    const parameters = [...changes.values(), toColumn(flowUuid), expectedRevision];
    if (fence !== undefined) parameters.push(fence);
    const result = await db.executeQuery(CompiledQuery.raw(text, parameters));
    return result.numAffectedRows === 1n;
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

  /** @returns Whether it was there. */
  async deleteFlow(db: Db, uuid: string): Promise<boolean> {
    const result = await db.deleteFrom('flow_details').where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return result.numDeletedRows > 0n;
  }

  async atom(db: Db, uuid: string): Promise<AtomRow | null> {
    const row = await db.selectFrom('atom_details').selectAll().where('uuid', '=', toColumn(uuid)).executeTakeFirst();
    return row === undefined ? null : atomFromColumns(row);
  }

  async atomsOfFlow(db: Db, flowUuid: string): Promise<AtomRow[]> {
    const rows = await db.selectFrom('atom_details').selectAll().where('flow_uuid', '=', toColumn(flowUuid)).execute();
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
    for (let start = 0; start < uuids.length; start += this.#rowsAtOnce) {
      const chunk = uuids.slice(start, start + this.#rowsAtOnce).map(toColumn);
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
    for (let start = 0; start < atoms.length; start += this.#rowsAtOnce) {
      const chunk = atoms.slice(start, start + this.#rowsAtOnce);
      const text = this.#build(`write ${chunk.length}`, () => this.#atomUpsert(chunk.length));
      const parameters = chunk.flatMap((atom) => atomToParameters(flowUuid, atom));
      const { numAffectedRows } = await db.executeQuery(CompiledQuery.raw(text, parameters));
      if (numAffectedRows !== BigInt(chunk.length)) return false;
    }
    return true;
  }

  #atomUpsert(rows: number): CompiledQuery {
    const [uuid, , ...changing] = ATOM_COLUMNS;
    return this.#db
      .insertInto('atom_details')
      .values(Array.from({ length: rows }, () => EMPTY_ATOM))
      .onConflict((conflict) =>
        conflict
          .column(uuid)
          .doUpdateSet((row) => Object.fromEntries(changing.map((column) => [column, row.ref(`excluded.${column}`)])))
          .whereRef('atom_details.flow_uuid', '=', 'excluded.flow_uuid')
          .whereRef('atom_details.kind', '=', 'excluded.kind'),
      )
      .compile();
  }

  #build(shape: string, build: () => CompiledQuery): string {
    const built = this.#built.get(shape) ?? build().sql;
    this.#built.set(shape, built);
    return built;
  }
}

/** Stands for any atom when a statement is built; its columns are in the order of `ATOM_COLUMNS`. */
const EMPTY_ATOM: AtomDetailsTable = {
  uuid: '',
  flow_uuid: '',
  name: '',
  position: 0,
  kind: 'task',
  version: null,
  state: null,
  intention: 'EXECUTE',
  meta: '',
  results: null,
  failure: null,
  revert_results: null,
  revert_failure: null,
};
