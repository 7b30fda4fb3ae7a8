import type { IncomingHttpHeaders } from 'node:http';

/** Why a request is not answered. */
export interface Refusal {
  readonly status: 403 | 405;
  readonly reason: string;
}

const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Says which requests a server on this machine answers: those that only read, to a name that is its own, and that no
 * page of another origin has made. A foreign page can make a browser ask, under its own name too, when that was made to
 * lead here (DNS rebinding).
 */
export class RequestGuard {
  readonly #authorities: ReadonlySet<string>;

  /**
   * @param hosts - Names beside those of the loopback interface, as in a URL.
   * @param port - That it listens on.
   */
  constructor(hosts: Iterable<string>, port: number) {
    const names = [...LOOPBACK_NAMES, ...hosts].map((name) => name.toLowerCase());
    // A browser leaves out the port where it is the usual one.
    this.#authorities = new Set(names.flatMap((name) => [`${name}:${port}`, ...(port === 80 ? [name] : [])]));
  }

  /** @returns null for a request that is to be answered. */
  check(method: string | undefined, headers: IncomingHttpHeaders): Refusal | null {
    if (method !== 'GET' && method !== 'HEAD') {
      return { status: 405, reason: `Only GET and HEAD are answered, got ${method ?? 'nothing'}.` };
    }
    if (!this.#isOwn(headers.host)) {
      return { status: 403, reason: 'The page is not served under this name: open it by the address that was given.' };
    }
    const { origin } = headers;
    const [, authority] = /^http:\/\/([^/]*)$/i.exec(origin ?? '') ?? [];
    if (origin !== undefined && !this.#isOwn(authority)) {
      return { status: 403, reason: 'Requests of other origins are not answered.' };
    }
    const site = headers['sec-fetch-site'];
    if (site !== undefined && site !== 'same-origin' && site !== 'none') {
      return {
        status: 403,
        reason: 'Requests that another page makes are not answered: open the address in a window of its own.',
      };
    }
    return null;
  }

  #isOwn(authority: string | undefined): boolean {
    return authority !== undefined && this.#authorities.has(authority.toLowerCase());
  }
}
