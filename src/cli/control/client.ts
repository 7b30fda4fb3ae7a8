import { unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { Clock } from '../../environment.js';
import type { ControlCommand, ControlRequest } from './protocol.js';
import { PROTOCOL_VERSION, readLines, sendLine } from './protocol.js';
import type { RuntimeFolder } from './runtime-folder.js';
import { socketPaths } from './runtime-folder.js';

/** What came of asking the process that runs a run. */
export type Asked =
  /** No process that can be reached runs it. */
  | { readonly kind: 'nobody' }
  | { readonly kind: 'refused'; readonly why: string }
  /** It is there, but busy: it hears of it when it has time. */
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'accepted';
      readonly pid: number;
      readonly state: string;
      /** The state in which the run ended; null when the process was gone before it could say so. */
      ended(): Promise<string | null>;
      /** Waits for nothing more. */
      leave(): void;
    };

type Reply = Readonly<Record<string, unknown>>;
type Replies = AsyncGenerator<Reply, undefined>;

/** How long a process is given to answer. One that computes does not answer. */
const PATIENCE_MS = 5000;

export interface Asking {
  readonly folder: RuntimeFolder;
  readonly clock: Clock;
  readonly run: string;
  readonly storePath: string | null;
}

/** Asks the process that runs a run, if there is one on this machine, of this user. */
export async function ask(command: ControlCommand, { folder, clock, run, storePath }: Asking): Promise<Asked> {
  const request: ControlRequest = { version: PROTOCOL_VERSION, run, storePath, command };
  let best: Asked = { kind: 'nobody' };
  for (const path of await socketPaths(folder, run)) {
    const asked = await askAt(path, request, clock);
    if (asked.kind === 'accepted') return asked;
    if (asked.kind !== 'nobody') best = asked;
  }
  return best;
}

async function askAt(path: string, request: ControlRequest, clock: Clock): Promise<Asked> {
  const socket = await connected(path);
  if (socket === null) return { kind: 'nobody' };
  const replies = readLines(socket);
  sendLine(socket, request);
  const reply = await firstOf(replies, clock);
  if (reply === 'silent') {
    socket.destroy();
    return { kind: 'silent' };
  }
  if (reply === null) return { kind: 'nobody' };
  const { pid, state, refused } = reply;
  if (typeof pid !== 'number') {
    socket.destroy();
    return { kind: 'refused', why: typeof refused === 'string' ? refused : 'what it answers cannot be understood' };
  }
  return {
    kind: 'accepted',
    pid,
    state: String(state),
    ended: async () => {
      const reply = await replies.next();
      socket.destroy();
      const ended = reply.done === true ? null : reply.value['ended'];
      return typeof ended === 'string' ? ended : null;
    },
    leave: () => void socket.destroy(),
  };
}

/** @returns null when nobody listens: then what is left of the socket is removed. */
async function connected(path: string): Promise<Socket | null> {
  const socket = connect(path);
  const trouble = await new Promise<NodeJS.ErrnoException | null>((resolve) => {
    socket.once('connect', () => resolve(null));
    // Also later, when it breaks: then the lines end.
    socket.on('error', (error) => resolve(error));
  });
  if (trouble === null) return socket;
  if (trouble.code === 'ECONNREFUSED') await unlink(path).catch(() => undefined);
  return null;
}

/** @returns null when the connection ends before anything is said. */
function firstOf(replies: Replies, clock: Clock) {
  return new Promise<Reply | 'silent' | null>((resolve) => {
    const timer = clock.setTimer(PATIENCE_MS, () => resolve('silent'));
    replies.next().then(
      (reply) => {
        timer.cancel();
        resolve(reply.done === true ? null : reply.value);
      },
      () => {
        timer.cancel();
        resolve(null);
      },
    );
  });
}
