import { createInterface } from 'node:readline';
import type { Socket } from 'node:net';

/** What is asked of the process that runs a run: one JSON text on a line of its own. */
export interface ControlRequest {
  readonly version: typeof PROTOCOL_VERSION;
  readonly run: string;
  /** The file that the run is kept in, as seen by who asks; null for a store that is no file. */
  readonly storePath: string | null;
  readonly command: ControlCommand;
}

export const PROTOCOL_VERSION = 1;
export const CONTROL_COMMANDS = ['status', 'suspend', 'cancel'] as const;
export type ControlCommand = (typeof CONTROL_COMMANDS)[number];

/** What comes back, on lines of their own: first what it says to it, then, unless it refused, how the run ended. */
export type ControlReply =
  { readonly pid: number; readonly state: string } | { readonly refused: string } | { readonly ended: string };

/** Longest line that is read: nobody needs more, and whoever sends more is not of us. */
const LONGEST_LINE = 10_000;

export function sendLine(socket: Socket, message: ControlRequest | ControlReply): void {
  socket.write(`${JSON.stringify(message)}\n`);
}

/** The lines that come, parsed; what is no JSON object ends the connection. */
export async function* readLines(socket: Socket): AsyncGenerator<Readonly<Record<string, unknown>>, undefined> {
  let size = 0;
  socket.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > LONGEST_LINE) socket.destroy();
  });
  for await (const line of createInterface({ input: socket })) {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = null;
    }
    if (typeof message !== 'object' || message === null) {
      socket.destroy();
      return undefined;
    }
    yield message as Readonly<Record<string, unknown>>;
  }
  return undefined;
}
