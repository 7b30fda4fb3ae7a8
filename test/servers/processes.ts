import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Servers refuse to run as root: there they run as nobody. */
const NOBODY = 65_534;
export const asNobody = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};

const ANSWER_TIMEOUT_MS = 1000;
const POLL_MS = 25;
const START_TIMEOUT_MS = 30_000;

/** Whether something accepts connections there. */
export function answers(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host, timeout: ANSWER_TIMEOUT_MS });
    const end = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}

/** A port of the loopback interface that nobody uses. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** A folder for temporary files that the server may write to. */
export function newFolder(prefix: string): string {
  const folder = mkdtempSync(join(tmpdir(), `flowstate-${prefix}-`));
  if (asNobody.uid !== undefined) chownSync(folder, asNobody.uid, asNobody.gid);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** The folders in which programs are looked for: of the PATH, and others. */
export function programFolders(...others: readonly string[]): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', ...others].filter((folder) => folder !== '');
}

/** `parent/<version>/bin`, the newest version first. */
export function versionFolders(parent: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent)
    .toSorted((left, right) => Number(right) - Number(left))
    .map((version) => join(parent, version, 'bin'));
}

/** Runs a program to its end. @returns Whether it succeeded. */
export function runs(program: string, args: readonly string[], env = process.env): boolean {
  return spawnSync(program, args, { ...asNobody, env, stdio: 'ignore' }).status === 0;
}

/** A server's process, which answers at a port. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  /** @returns null when it ends, or does not answer in time. */
  static async start(
    program: string,
    args: readonly string[],
    port: number,
    env = process.env,
    timeoutMs = START_TIMEOUT_MS,
  ): Promise<ServerProcess | null> {
    const child = spawn(program, args, { ...asNobody, env, stdio: 'ignore' });
    child.on('error', () => undefined);
    const server = new ServerProcess(child, port);
    const deadline = Date.now() + timeoutMs;
    while (child.pid !== undefined && !server.#hasEnded && Date.now() < deadline) {
      if (await answers(port)) return server;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
    await server.stop('SIGKILL');
    return null;
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async stop(signal: NodeJS.Signals): Promise<void> {
    if (this.#child.pid === undefined || this.#hasEnded) return;
    const ended = this.ended();
    this.#child.kill(signal);
    await ended;
  }

  /** Resolves when it has ended. */
  async ended(): Promise<void> {
    if (!this.#hasEnded) await once(this.#child, 'exit');
  }
}
