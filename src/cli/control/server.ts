import { rename, unlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { ControlCommand, ControlReply } from './protocol.js';
import { CONTROL_COMMANDS, PROTOCOL_VERSION, readLines, sendLine } from './protocol.js';

/** The run that a process runs, as far as others may act on it. */
export interface ControlledRun {
  readonly uuid: string;
  /** The file that it is kept in; null for a store that is no file. */
  readonly storePath: string | null;
  readonly pid: number;
  state(): string;
  /** Asks the run to stop. @throws when it cannot be. */
  suspend(): void;
  /** Asks for the run to be stopped and undone. @throws when it cannot be. */
  cancel(): void;
}

/** A run that others on this machine can reach. */
export interface Announcement {
  /** Tells all who wait how the run ended, and takes the announcement back. */
  end(state: string): Promise<void>;
}

/** Makes a run reachable under the path of a socket. @throws what the platform says when that cannot be. */
export async function announce(run: ControlledRun, path: string): Promise<Announcement> {
  const waiting = new Set<Socket>();
  const server = createServer((socket) => {
    waiting.add(socket);
    socket.on('close', () => waiting.delete(socket));
    // Who asks may leave before it has an answer.
    socket.on('error', () => undefined);
    void serve(run, socket);
  });
  // Nobody finds it before it listens: what nobody listens to counts as left behind.
  const early = `${path}.new`;
  await listening(server, early);
  await rename(early, path);
  return {
    end: async (state) => {
      server.close();
      await unlink(path).catch(() => undefined);
      await Promise.all(Array.from(waiting, (socket) => farewell(socket, { ended: state })));
    },
  };
}

/** Sends the last line. @returns when it is on its way, or the connection is gone. */
function farewell(socket: Socket, reply: ControlReply): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.once('finish', () => {
      socket.destroySoon();
      resolve();
    });
    sendLine(socket, reply);
    socket.end();
  });
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      server.unref();
      resolve();
    });
  });
}

async function serve(run: ControlledRun, socket: Socket): Promise<void> {
  try {
    for await (const request of readLines(socket)) {
      const refused = refusalOf(run, request);
      if (refused !== null) {
        sendLine(socket, { refused });
        continue;
      }
      sendLine(socket, { pid: run.pid, state: run.state() });
    }
  } catch {
    // The connection broke: there is nobody to tell.
  }
}

/** Does what is asked. @returns why not; null when it is done. */
function refusalOf(run: ControlledRun, { version, run: uuid, storePath, command }: Readonly<Record<string, unknown>>) {
  if (version !== PROTOCOL_VERSION) return `the process ${run.pid} is of another version of flowstate`;
  if (uuid !== run.uuid) return 'it is another run';
  if (typeof storePath === 'string' && run.storePath !== null && storePath !== run.storePath) {
    return `the process ${run.pid} runs a copy of it that is kept in ${run.storePath}`;
  }
  const known = CONTROL_COMMANDS.find((name) => name === command);
  if (known === undefined) return `the process ${run.pid} does not know what ${String(command)} is`;
  try {
    act(run, known);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function act(run: ControlledRun, command: ControlCommand): void {
  if (command === 'suspend') run.suspend();
  else if (command === 'cancel') run.cancel();
}
