/** A text such as `sqlite:trips.db?synchronous=NORMAL`, taken apart. Nothing in it is understood yet. */
export interface ConnectionText {
  /** In lower case, without what follows a `+`. */
  readonly name: string;
  readonly user: string | null;
  readonly password: string | null;
  /** One for each host of a list, with its port if it has one: `h1:2181`, `[::1]:6379`. */
  readonly hosts: readonly string[];
  /** null when there is none. After `//host` it begins with a slash. */
  readonly path: string | null;
  /** In the order in which they stand. */
  readonly options: ReadonlyMap<string, string>;
}

const SHAPE = /^(?<name>[a-z][a-z0-9.-]*)(?:\+[a-z0-9+.-]*)?(?:(?::|(?=\?))(?<rest>.*))?$/isu;
const WITH_HOSTS = /^\/\/(?:(?<login>[^/]*)@)?(?<hosts>[^/]*)(?<path>\/.*)?$/su;
const HOST = /^(?:\[[0-9a-f:.]+\]|[^\s[\]:@]+)(?::\d{1,5})?$/iu;

/**
 * Takes a connection text apart: a name, or `name:path?options`, or `name://user:password@host:port,host/path?options`.
 *
 * Everything after the colon may be escaped as in URLs (`%20`). There is no fragment: `#` is a character like others.
 *
 * @throws {RangeError} naming the part that is wrong. It never repeats a password.
 */
export function parseConnectionText(text: string): ConnectionText {
  const { name, rest } = SHAPE.exec(text.trim())?.groups ?? {};
  if (name === undefined) {
    throw new RangeError(
      `A connection takes a name, or a URL that begins with one, such as sqlite:trips.db, got ${quoteSafely(text)}`,
    );
  }
  const lowerName = name.toLowerCase();
  const [place = '', ...queries] = (rest ?? '').split('?');
  const parts = WITH_HOSTS.exec(place)?.groups;
  const hosts = hostsIn(parts?.hosts, lowerName, text);
  const options = parseOptions(lowerName, queries.length === 0 ? null : queries.join('?'));
  if (parts === undefined) {
    const path = place === '' ? null : unescape(lowerName, 'path', place);
    return { name: lowerName, user: null, password: null, hosts: [], path, options };
  }
  const [user, ...passwords] = parts.login?.split(':') ?? [];
  return {
    name: lowerName,
    user: user === undefined ? null : unescape(lowerName, 'user', user),
    password: passwords.length === 0 ? null : unescape(lowerName, 'password', passwords.join(':')),
    hosts: hosts.map((host) => unescape(lowerName, 'host', host)),
    path: parts.path === undefined ? null : unescape(lowerName, 'path', parts.path),
    options,
  };
}

function hostsIn(list: string | undefined, name: string, text: string): readonly string[] {
  const hosts = list === undefined || list === '' ? [] : list.split(',');
  for (const host of hosts) {
    if (HOST.test(host)) continue;
    // What looks like a host may be the beginning of a password in which a slash or a question mark was not escaped.
    const got = quoteSafely(text.includes('@') ? text : host);
    throw new RangeError(`A ${name} URL takes hosts such as cache or cache:6379, got ${got}`);
  }
  return hosts;
}

function parseOptions(name: string, query: string | null): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  if (query === null || query === '') return options;
  for (const pair of query.split('&')) {
    const [key = '', ...values] = pair.split('=').map((part) => unescape(name, 'options', part.replaceAll('+', ' ')));
    if (key === '') throw new RangeError(`A ${name} URL takes options such as name=value, got one without a name`);
    if (values.length === 0)
      throw new RangeError(`A ${name} URL takes options such as name=value, got '${key}' without a value`);
    if (options.has(key)) throw new RangeError(`A ${name} URL takes each option once, got '${key}' twice`);
    options.set(key, values.join('='));
  }
  return options;
}

function unescape(name: string, what: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RangeError(
      `The ${what} of a ${name} URL takes a percent sign only as %25 or before two digits from 0 to F`,
    );
  }
}

/** What stands before an @ may be a password. */
function quoteSafely(text: string): string {
  return JSON.stringify(text.includes('@') ? `…${text.slice(text.lastIndexOf('@'))}` : text);
}
