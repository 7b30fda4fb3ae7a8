import { resolve } from 'node:path';
import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import type { PersistenceBackend } from '../../backend.js';
import { valueFormat } from '../../value-format.js';
import type { ValueOptions } from '../../value-format.js';
import type { Commit, CommitStatements } from './commit-statements.js';
import { importPackage, loadDriver } from '../../../driver-package.js';
import { lazyBackend } from './lazy-backend.js';
import type { ImportDriver } from '../../../driver-package.js';
import type { SqlTrouble } from './sql-database.js';
import type { SqliteDatabase } from './sqlite-driver.js';
import { ON_CONFLICT_IN_SQLITE } from './upsert.js';

export interface SqliteBackendOptions extends ValueOptions {
  /** The file, made when it is not there, or `:memory:`. Either this or `database` is needed. */
  readonly path?: string | undefined;
  /**
   * An open database of the caller's, instead of a path. It stays the caller's: closing the backend leaves it open.
   * Foreign keys are switched on; its journal mode and its own busy timeout, which blocks the process, stay as they are.
   */
  readonly database?: SqliteDatabase | undefined;
  /**
   * When a commit counts as durable: `FULL` also when the machine loses power, `NORMAL` only when the process dies.
   * Not for a database of the caller's. @default 'FULL'
   */
  readonly synchronous?: 'NORMAL' | 'FULL' | undefined;
  /** How long, in milliseconds, to go on trying while another process has the file locked. @default 5000 */
  readonly busyTimeoutMs?: number | undefined;
  /** @default the platform's clock and randomness */
  readonly environment?: Environment | undefined;
  /** How the package of a driver is imported. @default import() */
  readonly importDriver?: ImportDriver | undefined;
}

const IN_MEMORY = ':memory:';
const SYNCHRONOUS: readonly string[] = ['NORMAL', 'FULL'];
const DRIVERS = ['libsql', 'better-sqlite3'] as const;
/**
 * How long the log of changes becomes before it is begun anew, in pages of 4 KiB; SQLite's default is 1000. Where a
 * commit writes over what is there already, the disk has no growing file to note down with it.
 */
const LOG_PAGES = 100;
/** SQLite's own defaults, which all its drivers keep; what one value may have, all may have together. */
const LIMITS = { parameters: 32_766, bytes: 1_000_000_000 } as const;

/**
 * Keeps runs in one SQLite file. Several processes may share it, on one machine.
 *
 * Needs one of the packages `libsql` and `better-sqlite3`, looked for in this order when it is first used.
 *
 * @throws {TypeError} for options that do not go together or have the wrong type.
 */
export function sqliteBackend(options: SqliteBackendOptions): PersistenceBackend {
  const { environment = systemEnvironment } = options;
  const codec = valueFormat(options);
  const { name, busyTimeoutMs, open } = checked(options);
  return lazyBackend(name, codec, async () => {
    const [{ sqlBackend }, { Kysely }, { atomsInLists }, { SharedSqliteDialect }] = await Promise.all([
      import('./sql-backend.js'),
      import('kysely'),
      import('./sqlite-atoms.js'),
      import('./sqlite-driver.js'),
    ]);
    const flavor = {
      columnTypes: { id: 'text', name: 'text', version: 'varchar(64)', value: 'text', time: 'integer' },
      limits: LIMITS,
      upsert: ON_CONFLICT_IN_SQLITE,
      readAtoms: atomsInLists,
      troubleOf,
      isMissingTable: (error: unknown) => troubleOf(error) === 'no such table',
      open: async () => {
        const { database, close } = await open();
        const dialect = new SharedSqliteDialect(database, close);
        return {
          db: new Kysely<never>({ dialect }),
          commit: (commit: Commit, statements: CommitStatements) => dialect.commit(commit, statements),
          commitAtOnce: (commit: Commit, statements: CommitStatements) => dialect.commitAtOnce(commit, statements),
        };
      },
    } as const;
    return sqlBackend({ name, flavor, codec, busyTimeoutMs, environment });
  });
}

interface OpenDatabase {
  readonly database: SqliteDatabase;
  readonly close: () => void;
}

interface CheckedOptions {
  readonly name: string;
  readonly busyTimeoutMs: number;
  readonly open: () => Promise<OpenDatabase>;
}

function checked({
  path,
  database,
  synchronous,
  busyTimeoutMs = 5000,
  importDriver = importPackage,
}: SqliteBackendOptions): CheckedOptions {
  if (typeof busyTimeoutMs !== 'number' || !(busyTimeoutMs >= 0)) {
    throw new TypeError(`busyTimeoutMs takes milliseconds from 0, got ${String(busyTimeoutMs)}`);
  }
  if (synchronous !== undefined && !SYNCHRONOUS.includes(synchronous)) {
    throw new TypeError(`synchronous takes NORMAL or FULL, got ${synchronous}`);
  }
  if (database !== undefined) {
    if (path !== undefined) throw new TypeError('sqliteBackend takes a path or a database, got both');
    if (synchronous !== undefined) throw new TypeError('synchronous takes a path beside it, got a database');
    const open = async () => {
      database.exec('PRAGMA foreign_keys = ON');
      return { database, close: () => undefined };
    };
    return { name: 'sqlite', busyTimeoutMs, open };
  }
  if (typeof path !== 'string' || path === '') {
    throw new TypeError(
      `path takes the name of a file or ${IN_MEMORY}, got ${path === '' ? 'an empty text' : String(path)}`,
    );
  }
  // Resolved now: the process may be elsewhere when it is opened.
  const file = path === IN_MEMORY ? path : resolve(path);
  const open = async () =>
    openFile(await loadDriver('SQLite', DRIVERS, importDriver, driverIn), file, synchronous ?? 'FULL');
  return { name: `sqlite:${file}`, busyTimeoutMs, open };
}

function openFile(Driver: DriverClass, file: string, synchronous: 'NORMAL' | 'FULL'): OpenDatabase {
  // The driver itself must not wait for locks: it would keep this process from doing anything else meanwhile.
  const database = new Driver(file, { timeout: 0 });
  try {
    database.exec('PRAGMA foreign_keys = ON');
    database.exec(`PRAGMA synchronous = ${synchronous}`);
    if (file !== IN_MEMORY) {
      database.prepare('PRAGMA journal_mode = WAL').all([]);
      database.prepare(`PRAGMA wal_autocheckpoint = ${LOG_PAGES}`).all([]);
    }
  } catch (error) {
    database.close();
    throw error;
  }
  const close = () => {
    try {
      // Not all drivers do this when the last of them leaves.
      if (file !== IN_MEMORY) database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]);
    } finally {
      database.close();
    }
  };
  return { database, close };
}

type DriverClass = new (file: string, options: { readonly timeout: number }) => SqliteDatabase;

const driverIn = (imported: object) => (isDriverClass(imported) ? imported : null);

function isDriverClass(value: unknown): value is DriverClass {
  return typeof value === 'function';
}

function troubleOf(error: unknown): SqlTrouble {
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) return 'busy';
  if (code === 'SQLITE_CONSTRAINT_PRIMARYKEY' || code === 'SQLITE_CONSTRAINT_UNIQUE') return 'duplicate';
  return error.message.includes('no such table') ? 'no such table' : null;
}
