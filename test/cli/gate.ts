import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';

/** Where tasks of other processes say that they have come, and wait until they may go on. */
export interface Gate extends AsyncDisposable {
  /** For the tasks: what they connect to. */
  readonly path: string;
  /** Resolves when the next task of this name has come; it goes on when `open` is called. */
  arrival(name: string): Promise<{ open(): void }>;
}

/** The source of a function `pass(name)`, for modules of tasks: it waits at the gate in `GATE`, if there is one. */
export const PASS = `
import { connect } from 'node:net';
const pass = (name) => new Promise((resolve) => {
  if (process.env.GATE === undefined) return resolve();
  const socket = connect(process.env.GATE, () => socket.write(name));
  socket.on('error', resolve).on('data', () => { socket.destroy(); resolve(); });
});
`;

export async function openGate(folder: string): Promise<Gate> {
  const path = join(folder, 'gate.sock');
  const sockets = new Set<Socket>();
  const arrived = new Map<string, Socket[]>();
  const waiting = new Map<string, ((socket: Socket) => void)[]>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.once('data', (name) => {
      const first = waiting.get(String(name))?.shift();
      if (first !== undefined) first(socket);
      else arrived.set(String(name), [...(arrived.get(String(name)) ?? []), socket]);
    });
  });
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  const passing = (socket: Socket) => ({ open: () => void socket.write('go') });
  return {
    path,
    arrival: async (name) => {
      const socket = arrived.get(name)?.shift();
      if (socket !== undefined) return passing(socket);
      return passing(
        await new Promise<Socket>((resolve) => waiting.set(name, [...(waiting.get(name) ?? []), resolve])),
      );
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
