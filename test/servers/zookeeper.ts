import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

export interface FoundServer {
  readonly url: string;
  stop(): Promise<void>;
}

const LONGEST_ANSWER_MS = 2000;

/** Debian's package `zookeeper`. */
const JARS = '/usr/share/java';

/** A server: that of the environment, the one of this machine, or one that is started for the tests; or null. */
export async function find(): Promise<FoundServer | null> {
  const url = process.env['FLOWSTATE_TEST_ZOOKEEPER_URL'];
  if (url !== undefined && url !== '') return { url, stop: async () => undefined };
  if ((await ask('127.0.0.1', 2181)) !== null)
    return { url: 'zookeeper://127.0.0.1:2181', stop: async () => undefined };
  const found = existsSync(join(JARS, 'zookeeper.jar')) ? await start() : null;
  if (found !== null) return found;
  const missing = 'NOT TESTED: zookeeper (apt install zookeeper, or set FLOWSTATE_TEST_ZOOKEEPER_URL)';
  if (process.env['FLOWSTATE_REQUIRE_SERVICES'] === '1') throw new Error(missing);
  process.stderr.write(`\n┌ ${missing} ┐\n`);
  return null;
}

async function start(): Promise<FoundServer | null> {
  const folder = mkdtempSync(join(tmpdir(), 'flowstate-zookeeper-'));
  const port = await freePort();
  const settings = ['-Dzookeeper.admin.enableServer=false', '-Dzookeeper.4lw.commands.whitelist=srvr', '-Xmx256m'];
  const main = 'org.apache.zookeeper.server.ZooKeeperServerMain';
  const server = spawn('java', [...settings, '-cp', `${JARS}/*`, main, String(port), folder], { stdio: 'ignore' });
  const ended = once(server, 'exit').catch(() => undefined);
  const stop = async () => {
    server.kill('SIGKILL');
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  while (server.exitCode === null && server.pid !== undefined) {
    if ((await ask('127.0.0.1', port)) !== null) return { url: `zookeeper://127.0.0.1:${port}`, stop };
    await setTimeout(100);
  }
  await stop();
  return null;
}

/** What a server says of itself, or null when none answers. */
async function ask(host: string, port: number): Promise<string | null> {
  const socket = connect(port, host);
  socket.setTimeout(LONGEST_ANSWER_MS, () => socket.destroy(new Error('no answer')));
  try {
    await once(socket, 'connect');
    // Looking for a server at a port of our own may find ourselves.
    if (socket.localPort === port) return null;
    socket.write('srvr');
    let answer = '';
    for await (const part of socket) answer += String(part);
    return answer.includes('Mode:') || answer.includes('not in the whitelist') ? answer : null;
  } catch {
    return null;
  } finally {
    socket.destroy();
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
