import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { NotFoundError, persistence, StorageConflictError } from 'flowstate';
import type { Connection, FlowDetail } from 'flowstate';
import { CannotStartError } from './command-line.js';

const LOCK = 'publish-directory-lock';

const ownerSchema = z.object({ pid: z.int(), startedAt: z.string() });
type Owner = z.infer<typeof ownerSchema>;

/**
 * Lets one process at a time publish into an output folder.
 *
 * The lock is a record in the state, beside the runs: it names the process that holds it, and who finds that one gone
 * takes the lock over. Of two who try at once, one succeeds, because a commit says which revision it expects.
 *
 * @returns what gives the lock back.
 * @throws {CannotStartError} naming the process that holds it.
 */
export async function takeLock(connection: Connection, out: string): Promise<() => Promise<void>> {
  const me: Owner = { pid: process.pid, startedAt: (await startOf(process.pid)) ?? '' };
  for (;;) {
    const { uuid, revision, meta } = await lockDetail(connection);
    const owner = ownerSchema.nullable().catch(null).parse(meta['owner']);
    if (owner !== null && (await isRunning(owner))) {
      throw new CannotStartError(
        `The process ${owner.pid} is publishing into ${out} right now: wait for it, or use another --out`,
      );
    }
    try {
      await connection.commit({ flowUuid: uuid, expectedRevision: revision, meta: { owner: me }, atoms: [] });
    } catch (error) {
      // Somebody was faster: let us see who.
      if (error instanceof StorageConflictError) continue;
      throw error;
    }
    return () =>
      connection.commit({ flowUuid: uuid, expectedRevision: revision + 1, meta: { owner: null }, atoms: [] });
  }
}

async function lockDetail(connection: Connection): Promise<FlowDetail> {
  for (;;) {
    try {
      return await connection.getFlowDetail(LOCK, { lazy: true });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
    }
    const detail = persistence.newFlowDetail({ name: LOCK, uuid: LOCK, meta: { owner: null } });
    const book = persistence.newLogBook({ name: LOCK, uuid: LOCK });
    try {
      await connection.saveLogbook({ ...book, flows: [detail] });
    } catch (error) {
      if (!(error instanceof StorageConflictError)) throw error;
    }
  }
}

/** Whether the process is still there: it itself, and not another one that got its number. */
async function isRunning({ pid, startedAt }: Owner): Promise<boolean> {
  // A process before this one, in another container or before a restart.
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM says that it is there and somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
  const start = await startOf(pid);
  return start === null || start === startedAt;
}

/** When a process started, in the system's own count; empty for one that has ended, null where nobody says. */
async function startOf(pid: number): Promise<string | null> {
  if (process.platform !== 'linux') return null;
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything. What follows are the fields from the third.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? null);
  } catch {
    return '';
  }
}
