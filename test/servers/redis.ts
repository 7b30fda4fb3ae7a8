import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, newFolder, programFolders, removeFolder, ServerProcess } from './processes.js';
import type { Server, ServerKind, TlsSettings } from './server.js';

const STANDARD_PORT = 6379;

/** Redis: a server on which the tests use only keys of their own. */
export const redis: ServerKind = {
  name: 'redis',
  hint: 'apt install redis-server, or set FLOWSTATE_TEST_REDIS_URL',
  find,
};

async function find(): Promise<Server | null> {
  const given = process.env['FLOWSTATE_TEST_REDIS_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  if (await answers(STANDARD_PORT)) return { url: urlAt(STANDARD_PORT), stop: async () => undefined };
  return OwnRedis.start();
}

type Settings = Readonly<Record<string, string | number>>;

const urlAt = (port: number) => `redis://127.0.0.1:${port}`;

/** A server of the tests' own, which writes each change to its disk before it answers. */
export class OwnRedis implements Server {
  readonly port: number;
  readonly #folder: string;
  readonly #program: string;
  readonly #tls: TlsSettings | null;
  readonly #more: Settings;
  #process: ServerProcess;

  private constructor(
    folder: string,
    program: string,
    tls: TlsSettings | null,
    more: Settings,
    process: ServerProcess,
  ) {
    this.#folder = folder;
    this.#program = program;
    this.#tls = tls;
    this.#more = more;
    this.#process = process;
    this.port = process.port;
  }

  /** @param more - Further settings. @returns null where there is no program of it. */
  static async start(tls: TlsSettings | null = null, more: Settings = {}): Promise<OwnRedis | null> {
    const program = programFolders()
      .map((folder) => join(folder, 'redis-server'))
      .find((path) => existsSync(path));
    if (program === undefined) return null;
    const folder = newFolder('redis');
    const process = await launch(program, folder, await freePort(), tls, more);
    if (process !== null) return new OwnRedis(folder, program, tls, more, process);
    removeFolder(folder);
    return null;
  }

  get url(): string {
    return this.#tls === null ? urlAt(this.port) : `rediss://127.0.0.1:${this.port}`;
  }

  /** Ends it without a word. */
  async crash(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }

  async restart(): Promise<void> {
    const process = await launch(this.#program, this.#folder, this.port, this.#tls, this.#more);
    if (process === null) throw new Error('Redis did not start again');
    this.#process = process;
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
    removeFolder(this.#folder);
  }
}

function launch(
  program: string,
  folder: string,
  port: number,
  tls: TlsSettings | null,
  more: Settings,
): Promise<ServerProcess | null> {
  const ports =
    tls === null
      ? { port }
      : {
          port: 0,
          'tls-port': port,
          'tls-key-file': tls.keyFile,
          'tls-cert-file': tls.certFile,
          'tls-ca-cert-file': tls.certFile,
          'tls-auth-clients': tls.asksClients === true ? 'yes' : 'no',
        };
  const settings = {
    ...ports,
    bind: '127.0.0.1',
    dir: folder,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    ...more,
  };
  return ServerProcess.start(
    program,
    Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
    port,
  );
}
