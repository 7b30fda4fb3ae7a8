import { Migrator } from 'kysely';
import type { ColumnDataType, CreateTableBuilder, Expression, Kysely, Migration } from 'kysely';
import { StorageError } from '../../../errors.js';
import type { Schema } from './schema.js';

type ColumnType = ColumnDataType | Expression<unknown>;

/** What dialects do not agree on when tables are made. */
export interface SchemaFlavor {
  readonly columnTypes: ColumnTypes;
  /** The schema that the tables are in, made when it is missing; absent where there are none. */
  readonly schema?: string;
  /** What stands behind each table's columns. */
  readonly tableOptions?: Expression<unknown>;
  /** Whether an error says that a table is missing. */
  isMissingTable(error: unknown): boolean;
  /**
   * Whether an error says that a change was made already. Only for databases that cannot take back the changes of a
   * migration that was interrupted: there it is gone through again.
   */
  wasMade?(error: unknown): boolean;
}

/** The types that dialects do not agree on. */
export interface ColumnTypes {
  /** An id: compared byte by byte. */
  readonly id: ColumnType;
  /** A name of any length up to 255 characters, compared byte by byte. */
  readonly name: ColumnType;
  /** An atom's version. */
  readonly version: ColumnType;
  /** Encoded values: large from the start, and never looked into by the database. */
  readonly value: ColumnType;
  /** Milliseconds since 1970, and other whole numbers beyond 32 bits. */
  readonly time: ColumnType;
}

const MIGRATIONS_TABLE = 'flowstate_migrations';
const LOCK_TABLE = 'flowstate_migrations_lock';

/**
 * The steps from nothing to the newest schema, by name; the names sort in their order.
 *
 * A step that was released is never changed: the next one is added.
 */
function migrationsFor(flavor: SchemaFlavor): Record<string, Migration> {
  const { columnTypes: types, tableOptions } = flavor;
  const make = async (change: { execute(): Promise<void> }) => {
    try {
      await change.execute();
    } catch (error) {
      if (flavor.wasMade?.(error) !== true) throw error;
    }
  };
  const makeTable = <Table extends string, Column extends string>(table: CreateTableBuilder<Table, Column>) =>
    make(tableOptions === undefined ? table : table.modifyEnd(tableOptions));
  return {
    '0001_books_flows_atoms': {
      async up(db) {
        await makeTable(
          db.schema
            .createTable('logbooks')
            .addColumn('uuid', types.id, (column) => column.primaryKey().notNull())
            .addColumn('name', types.name, (column) => column.notNull())
            .addColumn('meta', types.value, (column) => column.notNull())
            .addColumn('created_at', types.time, (column) => column.notNull())
            .addColumn('updated_at', types.time),
        );
        await makeTable(
          db.schema
            .createTable('flow_details')
            .addColumn('uuid', types.id, (column) => column.primaryKey().notNull())
            .addColumn('book_uuid', types.id, (column) => column.notNull())
            .addColumn('position', 'integer', (column) => column.notNull())
            .addColumn('name', types.name, (column) => column.notNull())
            .addColumn('state', 'varchar(32)')
            .addColumn('meta', types.value, (column) => column.notNull())
            .addColumn('revision', 'integer', (column) => column.notNull())
            .addForeignKeyConstraint('flow_details_book', ['book_uuid'], 'logbooks', ['uuid'], (key) =>
              key.onDelete('cascade'),
            ),
        );
        await make(db.schema.createIndex('flow_details_by_book').on('flow_details').columns(['book_uuid', 'position']));
        await makeTable(
          db.schema
            .createTable('atom_details')
            .addColumn('uuid', types.id, (column) => column.primaryKey().notNull())
            .addColumn('flow_uuid', types.id, (column) => column.notNull())
            .addColumn('name', types.name, (column) => column.notNull())
            .addColumn('position', 'integer', (column) => column.notNull())
            .addColumn('kind', 'varchar(8)', (column) => column.notNull())
            .addColumn('version', types.version)
            .addColumn('state', 'varchar(32)')
            .addColumn('intention', 'varchar(16)', (column) => column.notNull())
            .addColumn('meta', types.value, (column) => column.notNull())
            .addColumn('results', types.value)
            .addColumn('failure', types.value)
            .addColumn('revert_results', types.value)
            .addColumn('revert_failure', types.value)
            .addForeignKeyConstraint('atom_details_flow', ['flow_uuid'], 'flow_details', ['uuid'], (key) =>
              key.onDelete('cascade'),
            )
            // Also the index by which the atoms of a flow are found.
            .addUniqueConstraint('atom_details_names', ['flow_uuid', 'name']),
        );
      },
    },
    '0002_times_and_fences': {
      async up(db) {
        for (const column of ['created_at', 'updated_at', 'fence']) {
          await make(
            db.schema
              .alterTable('flow_details')
              .addColumn(column, types.time, (definition) => definition.notNull().defaultTo(0)),
          );
        }
        await make(db.schema.alterTable('flow_details').addColumn('last_commit', types.id));
        // Without the time of the last change: every commit would change the index too.
        await make(db.schema.createIndex('flow_details_by_state').on('flow_details').column('state'));
      },
    },
    '0003_journal': {
      async up(db) {
        await makeTable(
          db.schema
            .createTable('journal_entries')
            .addColumn('flow_uuid', types.id, (column) => column.notNull())
            .addColumn('sequence', types.time, (column) => column.notNull())
            .addColumn('happened_at', types.time, (column) => column.notNull())
            .addColumn('entity_kind', 'varchar(8)', (column) => column.notNull())
            .addColumn('entity_uuid', types.id, (column) => column.notNull())
            .addColumn('entity_name', types.name, (column) => column.notNull())
            .addColumn('from_state', 'varchar(32)')
            .addColumn('event', 'varchar(64)')
            .addColumn('to_state', 'varchar(32)')
            .addColumn('cause', types.value)
            .addPrimaryKeyConstraint('journal_entries_in_order', ['flow_uuid', 'sequence'])
            .addForeignKeyConstraint('journal_entries_flow', ['flow_uuid'], 'flow_details', ['uuid'], (key) =>
              key.onDelete('cascade'),
            ),
        );
      },
    },
  };
}

type MigrationsSchema = { readonly [MIGRATIONS_TABLE]: { readonly name: string } };

/** Brings a database to the newest schema, and knows whether it is there. */
export class Migrations {
  readonly #store: string;
  readonly #flavor: SchemaFlavor;
  readonly #steps: Record<string, Migration>;

  /** @param store - The backend's name, for messages. */
  constructor(store: string, flavor: SchemaFlavor) {
    this.#store = store;
    this.#flavor = flavor;
    this.#steps = migrationsFor(flavor);
  }

  /** @throws {StorageError} for a database that a newer flowstate has upgraded. */
  async upgrade(db: Kysely<Schema>): Promise<void> {
    const done = await this.#refuseNewer(db);
    if (this.#missingIn(done).length === 0) return;
    const { schema } = this.#flavor;
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => this.#steps },
      migrationTableName: MIGRATIONS_TABLE,
      migrationLockTableName: LOCK_TABLE,
      ...(schema === undefined ? {} : { migrationTableSchema: schema }),
    });
    const { error } = await migrator.migrateToLatest();
    if (error instanceof Error) throw error;
    if (error !== undefined) throw new StorageError(`${this.#store} could not be upgraded`, { cause: error });
  }

  /** @throws {StorageError} for a database at any other schema than the newest that is known here. */
  async validate(db: Kysely<Schema>): Promise<void> {
    const missing = this.#missingIn(await this.#refuseNewer(db));
    if (missing.length === 0) return;
    throw new StorageError(
      `${this.#store} is at an older schema, without [${missing.join(', ')}]: call upgrade() first`,
    );
  }

  #missingIn(done: ReadonlySet<string>): string[] {
    return Object.keys(this.#steps).filter((step) => !done.has(step));
  }

  async #refuseNewer(db: Kysely<Schema>): Promise<ReadonlySet<string>> {
    const done = await this.#stepsDone(db);
    const unknown = [...done].filter((step) => !Object.hasOwn(this.#steps, step));
    if (unknown.length === 0) return done;
    throw new StorageError(
      `${this.#store} is at a newer schema, with [${unknown.join(', ')}]: it takes a newer flowstate than this one`,
    );
  }

  async #stepsDone(db: Kysely<Schema>): Promise<ReadonlySet<string>> {
    try {
      const rows = await db.withTables<MigrationsSchema>().selectFrom(MIGRATIONS_TABLE).select('name').execute();
      return new Set(rows.map((row) => row.name));
    } catch (error) {
      if (this.#flavor.isMissingTable(error)) return new Set();
      throw error;
    }
  }
}
