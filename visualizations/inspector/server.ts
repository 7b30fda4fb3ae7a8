import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../../src/environment.js';
import { systemEnvironment } from '../../src/environment.js';
import { Failure } from '../../src/failure.js';
import { EventStream } from './event-stream.js';
import { pageHtml, policyOf } from './page-html.js';
import { RequestGuard } from './request-guard.js';
import type { RunSource } from './run-source.js';
import { knowledgeText } from './run-source.js';

export interface InspectorServerOptions {
  /** The port that it listens on; 0 takes one that is free. @default 0 */
  readonly port?: number | undefined;
  /** The address that it listens on. Others can read the run where this is not of the loopback interface. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** Names under which it answers beside those of the loopback interface and `host`. @default none */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Whether the process goes on for it. @default false */
  readonly keepAlive?: boolean | undefined;
  /** Shortest time between two pieces of news, in milliseconds. @default 100 */
  readonly refreshMs?: number | undefined;
  /** Where its timers come from. The time of a run may be another one. @default the platform's */
  readonly clock?: Clock | undefined;
}

/** An inspector page that is being served. */
export interface Inspector extends AsyncDisposable {
  /** Where it is: `http://127.0.0.1:PORT/`. */
  readonly url: string;
  /** Ends it, and every connection to it. */
  close(): Promise<void>;
}

const EVENTS_PATH = '/events';
const LARGEST_PORT = 65_535;

/**
 * Serves a run as a page, with news of it as server-sent events.
 *
 * @throws {RangeError} for a port that is none.
 * @throws what Node throws when it cannot listen there.
 */
export async function serve(source: RunSource, options: InspectorServerOptions = {}): Promise<Inspector> {
  const { port = 0, host = '127.0.0.1', allowedHosts = [], keepAlive = false } = options;
  if (!Number.isSafeInteger(port) || port < 0 || port > LARGEST_PORT) {
    throw new RangeError(`port takes a whole number from 0 to ${LARGEST_PORT}, got ${port}`);
  }
  const server = createServer();
  await listen(server, port, host);
  const { port: taken } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  const served = new ServedRun(source, server, new RequestGuard([name, ...allowedHosts], taken), options);
  if (!keepAlive) served.letProcessEnd();
  return {
    url: `http://${host === '0.0.0.0' || host === '::' ? 'localhost' : name}:${taken}/`,
    close: () => served.close(),
    [Symbol.asyncDispose]: () => served.close(),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

class ServedRun {
  readonly #streams = new Set<EventStream>();
  readonly #clock: Clock;
  readonly #refreshMs: number;
  readonly #end: Disposable;
  #closed: Promise<void> | null = null;

  constructor(
    private readonly source: RunSource,
    private readonly server: Server,
    private readonly guard: RequestGuard,
    { clock = systemEnvironment.clock, refreshMs = 100 }: InspectorServerOptions,
  ) {
    this.#clock = clock;
    this.#refreshMs = refreshMs;
    this.#end = source.onEnd(() => void this.close());
    server.on('request', (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  letProcessEnd(): void {
    this.server.unref();
    this.server.on('connection', (socket: Socket) => socket.unref());
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#end[Symbol.dispose]();
    for (const stream of this.#streams) stream.end();
    this.source.close();
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.guard.check(request.method, request.headers);
    for (const [header, value] of ALWAYS) response.setHeader(header, value);
    if (refusal !== null) {
      if (refusal.status === 405) response.setHeader('Allow', 'GET, HEAD');
      this.#text(response, refusal.status, refusal.reason);
      return;
    }
    const [path, query] = (request.url ?? '').split('?');
    if (path === '/') this.#page(request, response).catch((error: unknown) => this.#failed(response, error));
    else if (path === EVENTS_PATH) this.#events(request, response, new URLSearchParams(query).get('since'));
    else this.#text(response, 404, 'There is nothing here. The page is at /.');
  }

  async #page(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.source.look();
    const live = { path: EVENTS_PATH, since: knowledgeText(this.source.latest) };
    const data = { picture: this.source.picture(), live };
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.setHeader('Content-Security-Policy', policyOf(data, { isHeader: true }));
    response.end(request.method === 'HEAD' ? undefined : pageHtml(data));
  }

  #events(request: IncomingMessage, response: ServerResponse, since: string | null): void {
    response.setHeader('Content-Type', 'text/event-stream');
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    // What a browser that was cut off says it had last counts more than the address that it was given first.
    const known = String(request.headers['last-event-id'] ?? since ?? '');
    const stream = new EventStream(this.source, response, known, { clock: this.#clock, refreshMs: this.#refreshMs });
    this.#streams.add(stream);
    response.on('close', () => {
      stream.end();
      this.#streams.delete(stream);
    });
  }

  /** What went wrong may tell of values: it is not said to whoever asks. */
  #failed(response: ServerResponse, error: unknown): void {
    const { name } = Failure.from(error);
    if (!response.headersSent) this.#text(response, 500, `The run could not be read: ${name}.`);
    else response.destroy();
  }

  #text(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end(`${text}\n`);
  }
}

/** There is no header that lets other origins read: none may. */
const ALWAYS: readonly (readonly [string, string])[] = [
  ['Cache-Control', 'no-store'],
  ['X-Content-Type-Options', 'nosniff'],
  ['X-Frame-Options', 'DENY'],
  ['Referrer-Policy', 'no-referrer'],
  ['Cross-Origin-Resource-Policy', 'same-origin'],
  ['Cross-Origin-Opener-Policy', 'same-origin'],
];
