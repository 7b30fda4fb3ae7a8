import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { answers, freePort, newFolder, removeFolder, ServerProcess } from './processes.js';
import type { Server, ServerKind } from './server.js';

const STANDARD_PORT = 2181;

/** Debian's package puts them there, ZooKeeper's own and what it needs. */
const JARS = '/usr/share/java';

/** ZooKeeper: a server on which the tests use only nodes of their own. */
export const zookeeper: ServerKind = {
  name: 'zookeeper',
  hint: 'apt install zookeeper, or set FLOWSTATE_TEST_ZOOKEEPER_URL',
  find,
};

async function find(): Promise<Server | null> {
  const given = process.env['FLOWSTATE_TEST_ZOOKEEPER_URL'];
  if (given !== undefined) return { url: given, stop: async () => undefined };
  if (await answers(STANDARD_PORT)) return { url: urlAt(STANDARD_PORT), stop: async () => undefined };
  return existsSync(join(JARS, 'zookeeper.jar')) ? start() : null;
}

const urlAt = (port: number) => `zookeeper://127.0.0.1:${port}`;

async function start(): Promise<Server | null> {
  const folder = newFolder('zookeeper');
  const port = await freePort();
  const settings = ['-Dzookeeper.admin.enableServer=false', '-Xmx256m', '-cp', `${JARS}/*`];
  const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
  const server = await ServerProcess.start('java', [...settings, main, String(port), folder], port);
  if (server === null) {
    removeFolder(folder);
    return null;
  }
  return {
    url: urlAt(port),
    async stop() {
      await server.stop('SIGKILL');
      removeFolder(folder);
    },
  };
}
