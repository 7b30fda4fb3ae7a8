/** Where a database server is, and how many connections to it there are. */
export interface ServerOptions {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** It is never part of a message. */
  readonly password?: string | undefined;
  readonly database?: string | undefined;
  /** Whether the connection is encrypted, or how: as the driver takes it. @default false */
  readonly ssl?: boolean | object | undefined;
  /** How many connections there are at most. @default 10 */
  readonly maxConnections?: number | undefined;
  /** How long, in milliseconds, to wait for a connection. @default 10000 */
  readonly connectTimeoutMs?: number | undefined;
}

export const DEFAULT_CONNECTIONS = 10;
export const DEFAULT_CONNECT_TIMEOUT_MS = 10_000;

const WITHOUT_POOL = [
  'host',
  'port',
  'user',
  'password',
  'database',
  'ssl',
  'maxConnections',
  'connectTimeoutMs',
] as const satisfies readonly (keyof ServerOptions)[];

/** @throws {TypeError} for what is out of range, or stands beside a pool that was connected already. */
export function checkServer(owner: string, options: ServerOptions & { readonly pool?: unknown }): void {
  const { pool, port, maxConnections, connectTimeoutMs } = options;
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new TypeError(`port takes a whole number from 1 to 65535, got ${port}`);
  }
  if (maxConnections !== undefined && !(Number.isInteger(maxConnections) && maxConnections >= 1)) {
    throw new TypeError(`maxConnections takes a whole number from 1, got ${maxConnections}`);
  }
  if (connectTimeoutMs !== undefined && !(connectTimeoutMs > 0)) {
    throw new TypeError(`connectTimeoutMs takes milliseconds above 0, got ${connectTimeoutMs}`);
  }
  if (pool === undefined) return;
  const beside = WITHOUT_POOL.find((name) => options[name] !== undefined);
  if (beside !== undefined) throw new TypeError(`${owner} takes a pool or an address, got a pool and ${beside}`);
}

/** How a server is called in messages: without user and password. */
export function serverName(scheme: string, { host, port, database }: ServerOptions): string {
  if (host === undefined && database === undefined) return scheme;
  const at = host?.includes(':') === true ? `[${host}]` : (host ?? '');
  return `${scheme}://${at}${port === undefined ? '' : `:${port}`}/${database ?? ''}`;
}
