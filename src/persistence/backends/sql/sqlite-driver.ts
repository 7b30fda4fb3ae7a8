import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely';
import type {
  CompiledQuery,
  DatabaseConnection,
  Dialect,
  Driver,
  Kysely,
  QueryResult,
  TransactionSettings,
} from 'kysely';

import type { Commit, CommitStatements, Statement } from './commit-statements.js';

/** What is asked of a prepared statement. */
export interface SqliteStatement {
  /** Whether it gives rows. */
  readonly reader: boolean;
  all(parameters: readonly unknown[]): unknown[];
  run(parameters: readonly unknown[]): { readonly changes: number | bigint };
}

/** What is asked of a database handle. Those of `libsql` and `better-sqlite3` have it. */
export interface SqliteDatabase {
  readonly inTransaction: boolean;
  prepare(sql: string): SqliteStatement;
  /** Runs a statement without parameters and rows. */
  exec(sql: string): unknown;
  close(): unknown;
}

/** The query builder's dialect for one synchronous SQLite handle, which all users of the backend share. */
export class SharedSqliteDialect implements Dialect {
  readonly #driver: SharedSqliteDriver;

  /** @param close - Called once, when the database is left. */
  constructor(database: SqliteDatabase, close: () => void) {
    this.#driver = new SharedSqliteDriver(new SharedSqliteConnection(database), close);
  }

  createDriver(): Driver {
    return this.#driver;
  }

  /**
   * Applies a commit in one go, past the query builder: no other user has a turn in between.
   *
   * @returns Whether it was applied; otherwise nothing was changed.
   */
  async commit(commit: Commit, statements: CommitStatements): Promise<boolean> {
    const connection = await this.#driver.acquireConnection();
    try {
      return connection.apply(commit, statements);
    } finally {
      await this.#driver.releaseConnection();
    }
  }

  /** As `commit`, where nobody else has the connection. @returns false when somebody has. */
  commitAtOnce(commit: Commit, statements: CommitStatements): boolean {
    return this.#driver.isFree && this.#driver.connection.apply(commit, statements);
  }

  createQueryCompiler(): SqliteQueryCompiler {
    return new SqliteQueryCompiler();
  }

  createAdapter(): SqliteAdapter {
    return new TransactionalSqliteAdapter();
  }

  createIntrospector(db: Kysely<never>): SqliteIntrospector {
    return new SqliteIntrospector(db);
  }
}

/** SQLite can undo a migration: so two processes may upgrade one file at the same time. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Gives the one connection to one user at a time, in the order in which they asked. */
class SharedSqliteDriver implements Driver {
  readonly connection: SharedSqliteConnection;
  readonly #close: () => void;
  #lastInLine: Promise<void> = Promise.resolve();
  #letNextIn: () => void = () => undefined;
  /** How many have the connection, or wait for it. */
  #users = 0;

  constructor(connection: SharedSqliteConnection, close: () => void) {
    this.connection = connection;
    this.#close = close;
  }

  async init(): Promise<void> {}

  get isFree(): boolean {
    return this.#users === 0;
  }

  async acquireConnection(): Promise<SharedSqliteConnection> {
    this.#users += 1;
    const before = this.#lastInLine;
    const { promise, resolve } = deferred();
    this.#lastInLine = promise;
    await before;
    this.#letNextIn = resolve;
    return this.connection;
  }

  async releaseConnection(): Promise<void> {
    this.#users -= 1;
    this.#letNextIn();
  }

  /**
   * A transaction that writes takes the lock at once: one that read first and wrote later could find that it
   * had read what is no longer true, and would fail without being able to wait.
   */
  async beginTransaction(_connection: SharedSqliteConnection, { accessMode }: TransactionSettings): Promise<void> {
    this.connection.begin(accessMode === 'read only' ? 'begin' : 'begin immediate');
  }

  async commitTransaction(): Promise<void> {
    this.connection.commit();
  }

  async rollbackTransaction(): Promise<void> {
    this.connection.rollback();
  }

  async destroy(): Promise<void> {
    await this.acquireConnection();
    try {
      this.#close();
    } finally {
      // Whoever is still in line is told that it is closed, instead of nothing.
      this.#letNextIn();
    }
  }
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Statements kept prepared: more than the shapes that a backend uses. */
const MOST_STATEMENTS = 256;

class SharedSqliteConnection implements DatabaseConnection {
  readonly #database: SqliteDatabase;
  readonly #statements = new Map<string, SqliteStatement>();
  #inTransaction = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  begin(how: 'begin' | 'begin immediate'): void {
    // Not prepared: a driver leaves one that failed, as the file was locked, in the middle of its work.
    this.#database.exec(how);
    this.#inTransaction = true;
  }

  commit(): void {
    this.#database.exec('commit');
    this.#inTransaction = false;
  }

  rollback(): void {
    this.#inTransaction = false;
    // After some errors, such as a full disk, SQLite has rolled back already.
    if (this.#database.inTransaction) this.#database.exec('rollback');
  }

  /** @returns Whether all of it was applied; otherwise nothing is. */
  apply(commit: Commit, statements: CommitStatements): boolean {
    this.begin('begin immediate');
    try {
      const isWhole = this.#isWhole(commit, statements);
      if (isWhole) this.commit();
      else this.rollback();
      return isWhole;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  #isWhole(commit: Commit, statements: CommitStatements): boolean {
    const changes = ({ sql, parameters }: Statement) => Number(this.#prepare(sql).run(parameters).changes);
    if (changes(statements.advance(commit)) !== 1) return false;
    for (const write of statements.writes(commit.unit.flowUuid, commit.atoms, { keepNames: true })) {
      if (changes(write) !== write.rows) return false;
    }
    if (commit.journal.length === 0) return true;
    for (const write of statements.journalWrites(commit.unit.flowUuid, commit.journal)) changes(write);
    return true;
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const statement = this.#prepare(sql);
    // The rows have the shape that the query builder derived from the tables.
    if (statement.reader) return { rows: statement.all(parameters) as Row[] };
    const { changes } = this.#inTransaction ? statement.run(parameters) : this.#runAlone(statement, parameters);
    return { rows: [], numAffectedRows: BigInt(changes) };
  }

  /** Some drivers leave a failed statement half done, with its locks, unless there is a transaction to roll back. */
  #runAlone(statement: SqliteStatement, parameters: readonly unknown[]): ReturnType<SqliteStatement['run']> {
    this.begin('begin immediate');
    try {
      const result = statement.run(parameters);
      this.commit();
      return result;
    } catch (error) {
      this.rollback();
      throw error;
    }
  }

  async *streamQuery<Row>(query: CompiledQuery): AsyncIterableIterator<QueryResult<Row>> {
    yield await this.executeQuery<Row>(query);
  }

  #prepare(sql: string): SqliteStatement {
    let statement = this.#statements.get(sql);
    if (statement !== undefined) return statement;
    statement = this.#database.prepare(sql);
    // What was not used for long is not known; all are prepared again soon enough.
    if (this.#statements.size >= MOST_STATEMENTS) this.#statements.clear();
    this.#statements.set(sql, statement);
    return statement;
  }
}
