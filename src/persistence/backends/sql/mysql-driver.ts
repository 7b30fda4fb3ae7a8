import type { MysqlPool, MysqlPoolConnection } from 'kysely';
import type { SqlTrouble } from './sql-database.js';

/** What is asked of a pool of connections, in the manner of callbacks. That of `mysql2` has it. */
export interface MysqlCallbackPool {
  getConnection(callback: (error: unknown, connection: MysqlConnection) => void): void;
  end(callback: (error: unknown) => void): void;
}

/** What is asked of one connection of a pool. */
export interface MysqlConnection {
  query(sql: string, values: unknown[], callback: (error: unknown, result: unknown) => void): unknown;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  release(): void;
  /** It is of no more use, and leaves the pool. */
  destroy(): void;
}

/**
 * What each connection is told first: that nothing is cut or replaced in silence, that text is what it looks like,
 * and that a statement sees what others have committed before it.
 */
const SESSION = [
  "set session sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', foreign_key_checks = 1, autocommit = 1",
  'set names utf8mb4 collate utf8mb4_bin',
  'set session transaction isolation level read committed',
];

/** A pool that survives what happens to its connections, and whose sessions are strict. */
export class StrictPool implements MysqlPool {
  readonly #pool: MysqlCallbackPool;
  readonly #isOurs: boolean;
  readonly #connections = new WeakMap<MysqlConnection, StrictConnection>();

  /** @param options.isOurs - It is ended with the backend. */
  constructor(pool: MysqlCallbackPool, { isOurs }: { readonly isOurs: boolean }) {
    this.#pool = pool;
    this.#isOurs = isOurs;
  }

  async connect(): Promise<StrictConnection> {
    const raw = await new Promise<MysqlConnection>((resolve, reject) => {
      this.#pool.getConnection((error, connection) =>
        isNothing(error) ? resolve(connection) : reject(asError(error)),
      );
    });
    const known = this.#connections.get(raw);
    if (known !== undefined) return known;
    const connection = new StrictConnection(raw);
    try {
      for (const statement of SESSION) await connection.ask(statement, []);
    } catch (error) {
      raw.destroy();
      throw error;
    }
    this.#connections.set(raw, connection);
    return connection;
  }

  getConnection(callback: (error: unknown, connection: MysqlPoolConnection) => void): void {
    this.connect().then(
      (connection) => callback(null, connection),
      // The caller looks at the error first.
      (error: unknown) => callback(error, undefined as never),
    );
  }

  end(callback: (error: unknown) => void): void {
    if (this.#isOurs) this.#pool.end(callback);
    else callback(null);
  }
}

class StrictConnection implements MysqlPoolConnection {
  readonly #connection: MysqlConnection;
  #isBroken = false;

  constructor(connection: MysqlConnection) {
    this.#connection = connection;
    // Unheard, the error of a connection that dies between two statements would end the process.
    connection.on('error', () => {
      this.#isBroken = true;
    });
  }

  query(sql: string, values: readonly unknown[]): { stream: () => never };
  query(sql: string, values: readonly unknown[], callback: (error: unknown, result: never) => void): void;
  query(sql: string, values: readonly unknown[], callback?: (error: unknown, result: never) => void): unknown {
    if (callback === undefined) throw new TypeError('there are no streams');
    this.ask(sql, values).then(
      // What the query builder reads of it is what the driver gave.
      (result) => callback(null, result as never),
      (error: unknown) => callback(error, null as never),
    );
    return undefined;
  }

  async ask(sql: string, values: readonly unknown[]): Promise<unknown> {
    // There is nothing to roll back, and the error that broke it is the one to be told.
    if (this.#isBroken && sql === 'rollback') return [];
    return new Promise((resolve, reject) => {
      this.#connection.query(sql, [...values], (error, result) => {
        if (isNothing(error)) {
          resolve(result);
          return;
        }
        if (troubleOf(error) === 'lost' || sql === 'rollback') this.#isBroken = true;
        // The driver adds the statement, with all the values in it: these are nobody's but the run's.
        if (typeof error === 'object') Reflect.deleteProperty(error, 'sql');
        reject(asError(error));
      });
    });
  }

  release(): void {
    if (this.#isBroken) this.#connection.destroy();
    else this.#connection.release();
  }
}

const isNothing = (error: unknown): error is null | undefined => error === null || error === undefined;

const asError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

/** `ER_LOCK_WAIT_TIMEOUT`, `ER_LOCK_DEADLOCK` */
const BUSY: ReadonlySet<unknown> = new Set([1205, 1213]);
/** `ER_DUP_ENTRY`, and `ER_BAD_NULL_ERROR`: of an atom that would be written over another. */
const DUPLICATE: ReadonlySet<unknown> = new Set([1062, 1048]);
/** `ER_TABLE_EXISTS_ERROR`, `ER_DUP_FIELDNAME`, `ER_DUP_KEYNAME` */
const MADE: ReadonlySet<unknown> = new Set([1050, 1060, 1061]);
const NO_SUCH_TABLE = 1146;
/** A server that goes down, a connection that it ended, one that it does not know. */
const LOST: ReadonlySet<unknown> = new Set([1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 3169, 4031]);
const LOST_CODE =
  /^(?:PROTOCOL_CONNECTION_LOST|PROTOCOL_SEQUENCE_TIMEOUT|ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** What the driver says without a code. */
const LOST_MESSAGE = /connection is in closed state|Connection lost/i;

export function troubleOf(error: unknown): SqlTrouble {
  if (error instanceof AggregateError && error.errors.length > 0) return troubleOf(error.errors[0]);
  if (!(error instanceof Error)) return null;
  const errno: unknown = 'errno' in error ? error.errno : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (BUSY.has(errno)) return 'busy';
  if (LOST.has(errno) || LOST_CODE.test(code) || LOST_MESSAGE.test(error.message)) return 'lost';
  if (DUPLICATE.has(errno)) return 'duplicate';
  return errno === NO_SUCH_TABLE ? 'no such table' : null;
}

/** Whether an error says that a table, a column or an index is there already. */
export function wasMade(error: unknown): boolean {
  return error instanceof Error && 'errno' in error && MADE.has(error.errno);
}
