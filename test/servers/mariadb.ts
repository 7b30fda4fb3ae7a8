import { existsSync } from 'node:fs';
import { join } from 'node:path';
import mysql from 'mysql2/promise';
import { answers, freePort, newFolder, programFolders, removeFolder, runs, ServerProcess } from './processes.js';
import type { Server, ServerKind } from './server.js';

const STANDARD_PORT = 3306;

/** MariaDB or MySQL: a server on which the tests use only databases of their own. */
export const mariadb: ServerKind = {
  name: 'mysql',
  hint: 'apt install mariadb-server, or set FLOWSTATE_TEST_MYSQL_URL',
  find,
};

async function find(): Promise<Server | null> {
  const given = process.env['FLOWSTATE_TEST_MYSQL_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  const standard = urlAt(STANDARD_PORT);
  if ((await answers(STANDARD_PORT)) && (await accepts(standard)))
    return { url: standard, stop: async () => undefined };
  return start();
}

const urlAt = (port: number) => `mysql://root@127.0.0.1:${port}/test`;

async function accepts(url: string): Promise<boolean> {
  try {
    await (await mysql.createConnection(url)).end();
    return true;
  } catch {
    return false;
  }
}

async function start(): Promise<Server | null> {
  const programs = programFolders().find((folder) => existsSync(join(folder, 'mariadbd')));
  const installer = programFolders().find((folder) => existsSync(join(folder, 'mariadb-install-db')));
  if (programs === undefined || installer === undefined) return null;
  const folder = newFolder('mariadb');
  const data = join(folder, 'data');
  const port = await freePort();
  const isMade = runs(join(installer, 'mariadb-install-db'), [
    ...['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal'],
  ]);
  const server = isMade
    ? await ServerProcess.start(
        join(programs, 'mariadbd'),
        [
          ...['--no-defaults', `--datadir=${data}`, `--port=${port}`, '--bind-address=127.0.0.1'],
          ...[`--socket=${join(folder, 'socket')}`, `--pid-file=${join(folder, 'pid')}`],
        ],
        port,
      )
    : null;
  if (server === null) {
    removeFolder(folder);
    return null;
  }
  return {
    url: urlAt(port),
    async stop() {
      await server.stop('SIGTERM');
      removeFolder(folder);
    },
  };
}
