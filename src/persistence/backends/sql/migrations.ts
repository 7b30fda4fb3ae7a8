import { Migrator } from 'kysely';
import type { ColumnDataType, Expression, Kysely, Migration } from 'kysely';
import { StorageError } from '../../../errors.js';
import type { Schema } from './schema.js';

type ColumnType = ColumnDataType | Expression<unknown>;

/** The types that dialects do not agree on. */
export interface ColumnTypes {
  /** An id: compared byte by byte. */
  readonly id: ColumnType;
  /** A name of any length up to 255 characters, compared byte by byte. */
  readonly name: ColumnType;
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
function migrationsFor(types: ColumnTypes): Record<string, Migration> {
  return {
    '0001_books_flows_atoms': {
      async up(db) {
        await db.schema
          .createTable('logbooks')
          .addColumn('uuid', types.id, (column) => column.primaryKey().notNull())
          .addColumn('name', types.name, (column) => column.notNull())
          .addColumn('meta', types.value, (column) => column.notNull())
          .addColumn('created_at', types.time, (column) => column.notNull())
          .addColumn('updated_at', types.time)
          .execute();
        await db.schema
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
          )
          .execute();
        await db.schema
          .createIndex('flow_details_by_book')
          .on('flow_details')
          .columns(['book_uuid', 'position'])
          .execute();
        await db.schema
          .createTable('atom_details')
          .addColumn('uuid', types.id, (column) => column.primaryKey().notNull())
          .addColumn('flow_uuid', types.id, (column) => column.notNull())
          .addColumn('name', types.name, (column) => column.notNull())
          .addColumn('position', 'integer', (column) => column.notNull())
          .addColumn('kind', 'varchar(8)', (column) => column.notNull())
          .addColumn('version', 'varchar(64)')
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
          .addUniqueConstraint('atom_details_names', ['flow_uuid', 'name'])
          .execute();
      },
    },
    '0002_times_and_fences': {
      async up(db) {
        const table = () => db.schema.alterTable('flow_details');
        await table()
          .addColumn('created_at', types.time, (column) => column.notNull().defaultTo(0))
          .execute();
        await table()
          .addColumn('updated_at', types.time, (column) => column.notNull().defaultTo(0))
          .execute();
        await table()
          .addColumn('fence', types.time, (column) => column.notNull().defaultTo(0))
          .execute();
        await table().addColumn('last_commit', types.id).execute();
        await db.schema
          .createIndex('flow_details_by_state')
          .on('flow_details')
          .columns(['state', 'updated_at'])
          .execute();
      },
    },
  };
}

type MigrationsSchema = { readonly [MIGRATIONS_TABLE]: { readonly name: string } };

/** Brings a database to the newest schema, and knows whether it is there. */
export class Migrations {
  readonly #store: string;
  readonly #steps: Record<string, Migration>;

  /** @param store - The backend's name, for messages. */
  constructor(store: string, types: ColumnTypes) {
    this.#store = store;
    this.#steps = migrationsFor(types);
  }

  /** @throws {StorageError} for a database that a newer flowstate has upgraded. */
  async upgrade(db: Kysely<Schema>): Promise<void> {
    await this.#refuseNewer(db);
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => this.#steps },
      migrationTableName: MIGRATIONS_TABLE,
      migrationLockTableName: LOCK_TABLE,
    });
    const { error } = await migrator.migrateToLatest();
    if (error instanceof Error) throw error;
    if (error !== undefined) throw new StorageError(`${this.#store} could not be upgraded`, { cause: error });
  }

  /** @throws {StorageError} for a database at any other schema than the newest that is known here. */
  async validate(db: Kysely<Schema>): Promise<void> {
    const done = await this.#refuseNewer(db);
    const missing = Object.keys(this.#steps).filter((step) => !done.has(step));
    if (missing.length === 0) return;
    throw new StorageError(
      `${this.#store} is at an older schema, without [${missing.join(', ')}]: call upgrade() first`,
    );
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
    const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
    if (!tables.some((table) => table.name === MIGRATIONS_TABLE)) return new Set();
    const rows = await db.withTables<MigrationsSchema>().selectFrom(MIGRATIONS_TABLE).select('name').execute();
    return new Set(rows.map((row) => row.name));
  }
}
