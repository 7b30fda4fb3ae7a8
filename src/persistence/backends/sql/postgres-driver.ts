import type { PostgresPool, PostgresPoolClient } from 'kysely';
import type { SqlTrouble } from './sql-database.js';

/** What is asked of a pool of connections. That of `pg` has it. */
export interface PgPool {
  connect(): Promise<PgClient>;
  end(): Promise<unknown>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
}

/** What is asked of one connection of a pool. */
export interface PgClient {
  query(query: PgQuery): Promise<PgResult>;
  on(event: 'error', listener: (error: unknown) => void): unknown;
  /** @param destroy - It is of no more use, and leaves the pool. */
  release(destroy: boolean): void;
  getTypeParser(oid: number, format: PgFormat): (text: string) => unknown;
}

type PgFormat = 'text' | 'binary';

export interface PgQuery {
  readonly text: string;
  readonly values?: unknown[];
  /** By which the server keeps it prepared. */
  readonly name?: string;
  readonly types?: { getTypeParser(oid: number, format: PgFormat): (text: string) => unknown };
}

export interface PgResult {
  readonly command: 'UPDATE' | 'DELETE' | 'INSERT' | 'SELECT' | 'MERGE';
  readonly rowCount: number;
  readonly rows: unknown[];
}

/** Columns that the driver would give in another form: whole numbers as text, JSON as what it means. */
const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [20, Number],
  [114, (text) => text],
]);

/** A pool that survives what happens to its connections, and reads columns as they are kept. */
export class DurablePool implements PostgresPool {
  readonly #pool: PgPool;
  readonly #isOurs: boolean;
  readonly #clients = new WeakMap<PgClient, DurableClient>();

  /** @param options.isOurs - It is ended with the backend. */
  constructor(pool: PgPool, { isOurs }: { readonly isOurs: boolean }) {
    this.#pool = pool;
    this.#isOurs = isOurs;
    // A connection that dies while nobody uses it has left the pool; unheard, its error would end the process.
    if (isOurs) pool.on('error', () => undefined);
  }

  async connect(): Promise<DurableClient> {
    const client = await this.#pool.connect();
    const known = this.#clients.get(client) ?? new DurableClient(client);
    this.#clients.set(client, known);
    return known;
  }

  async end(): Promise<void> {
    if (this.#isOurs) await this.#pool.end();
  }
}

class DurableClient implements PostgresPoolClient {
  readonly #client: PgClient;
  readonly #types: PgQuery['types'];
  #isBroken = false;

  constructor(client: PgClient) {
    this.#client = client;
    this.#types = {
      getTypeParser: (oid, format) => PARSERS.get(oid) ?? client.getTypeParser(oid, format),
    };
    client.on('error', () => {
      this.#isBroken = true;
    });
  }

  // Rows have the shape that the query builder derived from the tables.
  query(text: string, values?: readonly unknown[]): Promise<PgResult & { rows: never[] }>;
  query(cursor: unknown): never;
  async query(text: unknown, values: readonly unknown[] = []): Promise<PgResult & { rows: never[] }> {
    if (typeof text !== 'string') throw new TypeError('there are no cursors');
    // There is nothing to roll back, and the error that broke it is the one to be told.
    if (this.#isBroken && text === 'rollback') return { command: 'SELECT', rowCount: 0, rows: [] };
    return (await this.ask({ text, values: [...values] })) as PgResult & { rows: never[] };
  }

  async ask(query: PgQuery): Promise<PgResult> {
    try {
      return await this.#client.query(this.#types === undefined ? query : { ...query, types: this.#types });
    } catch (error) {
      if (troubleOf(error) === 'lost') this.#isBroken = true;
      throw error;
    }
  }

  release(): void {
    this.#client.release(this.#isBroken);
  }
}

/** `serialization_failure`, `deadlock_detected`, `lock_not_available` */
const BUSY = new Set(['40001', '40P01', '55P03']);
/** Connections that failed (class 08), a server that goes down or comes up, and what the system says. */
const LOST = /^(?:08...|57P0[123]|ECONNRESET|ECONNREFUSED|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)$/;
/** What the driver says without a code. */
const LOST_MESSAGE = /^Connection terminated|connection error and is not queryable|^Query read timeout|^timeout e?x?/i;

export function troubleOf(error: unknown): SqlTrouble {
  if (error instanceof AggregateError && error.errors.length > 0) return troubleOf(error.errors[0]);
  if (!(error instanceof Error)) return null;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (BUSY.has(code)) return 'busy';
  if (LOST.test(code) || (code === '' && LOST_MESSAGE.test(error.message))) return 'lost';
  if (code === '23505') return 'duplicate';
  return code === '42P01' ? 'no such table' : null;
}
