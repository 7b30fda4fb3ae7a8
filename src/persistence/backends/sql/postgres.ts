import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import type { PersistenceBackend } from '../../backend.js';
import { jsonCodec } from '../../codecs/json.js';
import { valueFormat } from '../../value-format.js';
import type { ValueOptions } from '../../value-format.js';
import { asJsonText } from './json-text.js';
import { importPackage, loadDriver } from '../../../driver-package.js';
import { lazyBackend } from './lazy-backend.js';
import type { ImportDriver } from '../../../driver-package.js';
import type { PgPool } from './postgres-driver.js';
import { checkServer, DEFAULT_CONNECT_TIMEOUT_MS, DEFAULT_CONNECTIONS, serverName } from './server-options.js';
import type { ServerOptions } from './server-options.js';
import { ON_CONFLICT } from './upsert.js';

export interface PostgresBackendOptions extends ServerOptions, ValueOptions {
  /** A pool of the package `pg`, instead of an address. It stays the caller's: closing the backend leaves it open. */
  readonly pool?: PgPool | undefined;
  /** The schema that the tables are in; `upgrade` makes it when it is not there. @default 'public' */
  readonly schema?: string | undefined;
  /** How long, in milliseconds, one statement may take, then it is given up. Not for a pool. @default no limit */
  readonly statementTimeoutMs?: number | undefined;
  /** @default the platform's clock and randomness */
  readonly environment?: Environment | undefined;
  /** How the package of the driver is imported. @default import() */
  readonly importDriver?: ImportDriver | undefined;
}

/** How long to go on trying when a transaction stood in another's way. */
const BUSY_TIMEOUT_MS = 5000;
/** A statement has at most 65535 parameters; a message of more than 1 GB is refused. */
const LIMITS = { parameters: 65_535, bytes: 256_000_000 } as const;

/**
 * Keeps runs in a PostgreSQL database, from version 12 on. Any number of processes may share it.
 *
 * Needs the package `pg`. What a codec writes that is not JSON is kept as a JSON string. What is not given of the address is taken from where its tools take it: `PGHOST`, `PGUSER`, …
 *
 * @throws {TypeError} for options that do not go together or have the wrong type.
 */
export function postgresBackend(options: PostgresBackendOptions): PersistenceBackend {
  const { environment = systemEnvironment, schema = 'public' } = options;
  const codec = valueFormat({ ...options, codec: asJsonText(options.codec ?? jsonCodec) });
  const { importDriver = importPackage, statementTimeoutMs } = options;
  checkServer('postgresBackend', options);
  if (typeof schema !== 'string' || schema === '') throw new TypeError('schema takes the name of a schema, got none');
  if (statementTimeoutMs !== undefined && !(statementTimeoutMs > 0)) {
    throw new TypeError(`statementTimeoutMs takes milliseconds above 0, got ${statementTimeoutMs}`);
  }
  const name = `${serverName('postgresql', options)}${schema === 'public' ? '' : `?schema=${schema}`}`;
  return lazyBackend(name, codec, async () => {
    const [{ sqlBackend }, { Kysely, PostgresDialect, sql }, { DurablePool, troubleOf }, { PostgresCommit }] =
      await Promise.all([
        import('./sql-backend.js'),
        import('kysely'),
        import('./postgres-driver.js'),
        import('./postgres-commit.js'),
      ]);
    // Compared and sorted byte by byte, whatever the database's own rules are.
    const text = sql`text collate "C"`;
    const flavor = {
      // What is JSON is seen as such by whoever looks in, and comes back as it was written, which jsonb would change.
      columnTypes: { id: text, name: text, version: 'text', value: 'json', time: 'bigint' },
      schema,
      limits: LIMITS,
      upsert: ON_CONFLICT,
      troubleOf,
      isMissingTable: (error: unknown) => troubleOf(error) === 'no such table',
      open: async () => {
        const isOurs = options.pool === undefined;
        const pool = new DurablePool(options.pool ?? (await openPool(importDriver, options)), { isOurs });
        const commit = new PostgresCommit(pool, schema);
        return {
          db: new Kysely<never>({ dialect: new PostgresDialect({ pool }) }).withSchema(schema),
          commit: commit.apply.bind(commit),
        };
      },
    } as const;
    return sqlBackend({ name, flavor, codec, busyTimeoutMs: BUSY_TIMEOUT_MS, environment });
  });
}

type PoolClass = new (options: object) => PgPool;

async function openPool(importDriver: ImportDriver, options: PostgresBackendOptions): Promise<PgPool> {
  const { host, port, user, password, database, ssl, statementTimeoutMs } = options;
  const { maxConnections = DEFAULT_CONNECTIONS, connectTimeoutMs = DEFAULT_CONNECT_TIMEOUT_MS } = options;
  const Pool = await loadDriver('PostgreSQL', ['pg'], importDriver, poolClassIn);
  return new Pool({
    host,
    port,
    user,
    password,
    database,
    ssl,
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    keepAlive: true,
    application_name: 'flowstate',
    // The server ends it; where it does not answer any more, the driver does.
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs === undefined ? undefined : 2 * statementTimeoutMs,
  });
}

function poolClassIn(imported: object): PoolClass | null {
  return 'Pool' in imported && isPoolClass(imported.Pool) ? imported.Pool : null;
}

function isPoolClass(value: unknown): value is PoolClass {
  return typeof value === 'function';
}
