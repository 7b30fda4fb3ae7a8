import type { PersistenceBackend } from './backend.js';
import type { BackendRegistry } from './backend-registry.js';
import { knownBackends } from './known-backends.js';
import { usingConnection } from './using-connection.js';

/** Options of a backend, and which one: its name or its URL. */
export interface BackendOptions {
  readonly connection: string;
  readonly [option: string]: unknown;
}

/** What a backend can be given as: its name or URL, options, or the backend itself. */
export type BackendConf = string | BackendOptions | PersistenceBackend;

export interface FetchOptions {
  /** Where names are looked up. @default the backends that come with flowstate */
  readonly registry?: BackendRegistry;
}

/**
 * Makes a persistence backend by name, by URL, or from options; a backend that is given is given back.
 *
 * `memory`, `sqlite:trips.db` (beside the working directory), `sqlite:///var/trips.db`, `sqlite::memory:`,
 * `sqlite:trips.db?synchronous=NORMAL`, `{ connection: 'sqlite', path: 'trips.db' }`, `dir:runs`, `file:///var/runs`,
 * `postgresql://ann:secret@db:5432/trips?schema=flows`, `mysql://ann:secret@db/trips`,
 * `zookeeper://h1:2181,h2:2181/path`. Options beside `connection` are
 * stronger than those in its URL. It is not upgraded yet, and nothing is opened before it is used.
 *
 * @throws {NotFoundError} for a name that no backend has.
 * @throws {RangeError} for a URL that cannot be taken apart, and for options that are unknown or of no use.
 * @throws {TypeError} for anything else, and for options that do not go together.
 * @see TaskFlow `persistence/backends/__init__.py`, `fetch`. Differs: the path of a URL counts, unknown options do not pass.
 */
export async function fetch(
  conf: BackendConf,
  { registry = knownBackends }: FetchOptions = {},
): Promise<PersistenceBackend> {
  if (typeof conf === 'string') return registry.make(conf);
  if (isBackend(conf)) return conf;
  if (!isOptions(conf)) {
    const got = typeof conf === 'object' ? 'something else' : String(conf);
    throw new TypeError(`A backend takes a name, a URL, options with a connection, or a backend, got ${got}`);
  }
  const { connection, ...options } = conf;
  return registry.make(connection, options);
}

/** A backend that ends with the block that uses it. */
export type ScopedBackend = PersistenceBackend & AsyncDisposable;

/**
 * Fetches a backend and upgrades it, for one block: `await using store = await backend('sqlite:trips.db')`.
 *
 * At the end of the block it is closed, unless it was given as a backend: then it stays its owner's.
 */
export async function backend(conf: BackendConf, options: FetchOptions = {}): Promise<ScopedBackend> {
  const fetched = await fetch(conf, options);
  const isOurs = fetched !== conf;
  try {
    await usingConnection(fetched, (connection) => connection.upgrade());
  } catch (error) {
    if (isOurs) await fetched.close();
    throw error;
  }
  return {
    name: fetched.name,
    ...(fetched.codec === undefined ? {} : { codec: fetched.codec }),
    getConnection: () => fetched.getConnection(),
    close: () => fetched.close(),
    [Symbol.asyncDispose]: async () => {
      if (isOurs) await fetched.close();
    },
  };
}

function isBackend(conf: unknown): conf is PersistenceBackend {
  return isObject(conf) && 'getConnection' in conf && typeof conf.getConnection === 'function';
}

function isOptions(conf: unknown): conf is BackendOptions {
  return isObject(conf) && 'connection' in conf && typeof conf.connection === 'string';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
