import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import type { PersistenceBackend } from '../../backend.js';
import { valueFormat } from '../../value-format.js';
import type { ValueOptions } from '../../value-format.js';
import { importPackage, loadDriver } from '../../../driver-package.js';
import { lazyBackend } from './lazy-backend.js';
import type { ImportDriver } from '../../../driver-package.js';
import type { MysqlCallbackPool } from './mysql-driver.js';
import { checkServer, DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_CONNECTIONS, serverName } from './server-options.js';
import type { ServerOptions } from './server-options.js';
import { ON_DUPLICATE_KEY } from './upsert.js';

export interface MysqlBackendOptions extends ServerOptions, ValueOptions {
  /**
   * A pool of the package `mysql2` or `mysql2/promise`, instead of an address. It stays the caller's: closing the
   * backend leaves it open. Its sessions are made strict, with READ COMMITTED.
   */
  readonly pool?: MysqlPoolLike | undefined;
  /** @default the platform's clock and randomness */
  readonly environment?: Environment | undefined;
  /** How the package of the driver is imported. @default import() */
  readonly importDriver?: ImportDriver | undefined;
}

/** A pool in the manner of callbacks, or one in the manner of promises, which has such a one inside. */
export type MysqlPoolLike = MysqlCallbackPool | { readonly pool: MysqlCallbackPool };

/** How long to go on trying when a transaction stood in another's way. */
const BUSY_TIMEOUT_MS = 5000;
/** Servers take packets of 16 MB and more. */
const LIMITS = { parameters: 65_535, bytes: 8_000_000 } as const;

/**
 * Keeps runs in a MariaDB (10.6 on) or MySQL (8.0 on) database. Any number of processes may share it.
 *
 * Needs the package `mysql2`. One value may be as large as the server's `max_allowed_packet` lets it.
 *
 * @throws {TypeError} for options that do not go together or have the wrong type.
 */
export function mysqlBackend(options: MysqlBackendOptions): PersistenceBackend {
  const { environment = systemEnvironment, importDriver = importPackage } = options;
  const codec = valueFormat(options);
  checkServer('mysqlBackend', options);
  const name = serverName('mysql', options);
  return lazyBackend(name, codec, async () => {
    const [{ sqlBackend }, { Kysely, MysqlDialect, sql }, { StrictPool, troubleOf, wasMade }, { MysqlCommit }] =
      await Promise.all([
        import('./sql-backend.js'),
        import('kysely'),
        import('./mysql-driver.js'),
        import('./mysql-commit.js'),
      ]);
    const flavor = {
      // Text: MySQL's JSON changes what it is given, MariaDB's takes no more than 32 levels.
      columnTypes: {
        id: 'varchar(255)',
        name: 'varchar(512)',
        version: 'varchar(255)',
        value: sql`longtext`,
        time: 'bigint',
      },
      // Compared byte by byte.
      tableOptions: sql`engine = InnoDB default character set utf8mb4 collate utf8mb4_bin`,
      limits: LIMITS,
      upsert: ON_DUPLICATE_KEY,
      troubleOf,
      isMissingTable: (error: unknown) => troubleOf(error) === 'no such table',
      wasMade,
      open: async () => {
        const { pool: given } = options;
        const isOurs = given === undefined;
        const raw = isOurs ? await openPool(importDriver, options) : 'pool' in given ? given.pool : given;
        const pool = new StrictPool(raw, { isOurs });
        const db = new Kysely<never>({ dialect: new MysqlDialect({ pool }) });
        if (!isOurs) return { db };
        const commit = new MysqlCommit(pool);
        return { db, commit: commit.apply.bind(commit) };
      },
    } as const;
    return sqlBackend({ name, flavor, codec, busyTimeoutMs: BUSY_TIMEOUT_MS, environment });
  });
}

type CreatePool = (options: object) => MysqlCallbackPool;

async function openPool(importDriver: ImportDriver, options: MysqlBackendOptions): Promise<MysqlCallbackPool> {
  const { host, port, user, password, database, ssl } = options;
  const { maxConnections = DEFAULT_CONNECTIONS, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
  const createPool = await loadDriver('MySQL', ['mysql2'], importDriver, createPoolIn);
  return createPool({
    host,
    port,
    user,
    password,
    database,
    ssl: ssl === true ? {} : ssl === false ? undefined : ssl,
    connectionLimit: maxConnections,
    connectTimeout: connectTimeoutMs,
    enableKeepAlive: true,
    charset: 'utf8mb4',
    // A commit is sent as one text. Values are escaped by the driver, in the mode that each session is put into.
    multipleStatements: true,
  });
}

function createPoolIn(imported: object): CreatePool | null {
  return 'createPool' in imported && isCreatePool(imported.createPool) ? imported.createPool : null;
}

function isCreatePool(value: unknown): value is CreatePool {
  return typeof value === 'function';
}
