import type { GivenOptions } from './given-options.js';

/** What the parts of a URL of a database server mean. */
export const SERVER_PARTS = { hosts: 'host', path: 'database', user: 'user', password: 'password' } as const;

const WITH_PORT = /^(?<host>\[[^\]]*\]|[^:]*):(?<port>\d+)$/;

/** Where a server is, and who asks, from a URL such as `//user:password@host:port`, or from options. */
export function readAddress(given: GivenOptions) {
  const address = given.text('host');
  const { host = address, port } = WITH_PORT.exec(address ?? '')?.groups ?? {};
  if (host?.includes(',') === true) throw new RangeError(`The option host takes one host, got '${host}'`);
  return {
    host: host?.replace(/^\[(.*)\]$/, '$1'),
    port: given.number('port') ?? (port === undefined ? undefined : Number(port)),
    user: given.text('user'),
    password: given.secret('password'),
  };
}

/** Where a database server is, from a URL such as `//user:password@host:port/database`, or from options. */
export function readServer(given: GivenOptions) {
  return {
    ...readAddress(given),
    database: withoutSlash(given.text('database')),
    ssl: given.flag('ssl'),
    maxConnections: given.number('maxConnections'),
    connectTimeoutMs: given.number('connectTimeoutMs'),
  };
}

/** The path of a URL begins with one; where nothing follows it, nothing was given. */
export function withoutSlash(path: string | undefined): string | undefined {
  const name = path?.replace(/^\//, '');
  return name === '' ? undefined : name;
}
