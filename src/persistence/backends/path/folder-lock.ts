import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Environment } from '../../../environment.js';
import { StorageError } from '../../../errors.js';
import type { Files } from './files.js';

/** Who holds a lock. */
interface Holder {
  /** Different for each time that a lock is taken. */
  readonly token: string;
  /** Of one name are those processes that see one another by their ids. */
  readonly machine: string;
  readonly pid: number;
  /** When the process began, as the system counts it: ids are given out again. null where that is not known. */
  readonly began: string | null;
  readonly thread: number;
}

const SHORTEST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 25;

/**
 * Lets one at a time work in a folder, of all processes that use it.
 *
 * The lock is a file that says who holds it. One of a process that is gone is broken at once. Whether another machine's
 * process or another thread is gone cannot be seen: its lock is broken when it stood, untouched, for the whole time that
 * somebody waits. Nobody holds a lock for longer than it takes to write, so that means that it was left behind.
 */
export class FolderLock {
  readonly #folder: string;
  readonly #files: Files;
  readonly #environment: Environment;
  readonly #timeoutMs: number;

  constructor(folder: string, files: Files, timeoutMs: number, environment: Environment) {
    this.#folder = folder;
    this.#files = files;
    this.#timeoutMs = timeoutMs;
    this.#environment = environment;
  }

  /**
   * @param work - Is given a function that throws when the lock was lost, to be called before each step that counts.
   * @throws {StorageError} when others hold it for too long.
   */
  async hold<Result>(work: (assureHeld: () => Promise<void>) => Promise<Result>): Promise<Result> {
    const deadline = this.#environment.clock.now() + this.#timeoutMs;
    const token = await this.#take('lock', deadline);
    const assureHeld = async () => {
      if (!(await this.#isHeld('lock', token)))
        throw new StorageError(`Somebody took away the lock of ${this.#folder}`);
    };
    try {
      return await work(assureHeld);
    } finally {
      await this.#release('lock', token);
    }
  }

  async #isHeld(name: string, token: string): Promise<boolean> {
    return holderIn(await this.#files.read(this.#pathOf(name)))?.token === token;
  }

  async #release(name: string, token: string): Promise<void> {
    held.delete(token);
    const isMine = await this.#isHeld(name, token).catch(() => false);
    if (isMine) await this.#removeIfPossible(this.#pathOf(name));
  }

  /** A lock that cannot be removed is broken by who waits for it; what was done under it is done. */
  async #removeIfPossible(path: string): Promise<void> {
    await this.#files.remove(path).catch(() => undefined);
  }

  async #take(name: string, deadline: number): Promise<string> {
    const { clock, newId, random } = this.#environment;
    const token = newId().replaceAll(/[^\w-]/g, '_');
    const mine = this.#pathOf(`${name}.${token}`);
    await this.#files.write(mine, JSON.stringify({ ...self(), token }), false);
    try {
      let seen: string | null = null;
      for (let pauseMs = SHORTEST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
        if (await this.#files.link(mine, this.#pathOf(name))) {
          held.add(token);
          return token;
        }
        const text = await this.#files.read(this.#pathOf(name));
        if (text === null) continue;
        seen ??= text;
        const life = lifeOf(holderIn(text));
        const isOver = clock.now() >= deadline;
        if (life === 'gone' || (life === 'unknown' && isOver && seen === text)) {
          await this.#break(name, text, deadline);
        } else if (isOver) {
          throw new StorageError(`${this.#folder} is locked for longer than ${this.#timeoutMs} ms, by ${text}`);
        } else {
          await new Promise<void>((resolve) => void clock.setTimer(pauseMs * (0.5 + random()), resolve));
        }
      }
    } finally {
      await this.#removeIfPossible(mine);
    }
  }

  /** Only who holds the lock to break this very lock may remove it: so nobody removes the one that comes after it. */
  async #break(name: string, text: string, deadline: number): Promise<void> {
    const breaking = `lock-${holderIn(text)?.token ?? 'of-nobody'}`;
    const token = await this.#take(breaking, deadline);
    try {
      if ((await this.#files.read(this.#pathOf(name))) === text) await this.#files.remove(this.#pathOf(name));
    } finally {
      await this.#release(breaking, token);
    }
  }

  #pathOf(name: string): string {
    return join(this.#folder, name);
  }
}

function holderIn(text: string | null): Holder | null {
  try {
    const parsed: unknown = JSON.parse(text ?? 'null');
    return isHolder(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

function isHolder(value: unknown): value is Holder {
  return (
    typeof value === 'object' &&
    value !== null &&
    ['token', 'machine'].every((name) => typeof Reflect.get(value, name) === 'string') &&
    ['pid', 'thread'].every((name) => typeof Reflect.get(value, name) === 'number')
  );
}

function lifeOf(holder: Holder | null): 'alive' | 'gone' | 'unknown' {
  const me = self();
  if (holder === null || holder.machine !== me.machine) return 'unknown';
  if (holder.pid === me.pid && holder.began === me.began) return held.has(holder.token) ? 'alive' : 'unknown';
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // Another user's process may not be asked, but it is there.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH' ? 'gone' : 'alive';
  }
  const began = beginningOf(holder.pid);
  return began === holder.began ? 'alive' : 'gone';
}

/** What is held in this thread. */
const held = new Set<string>();

let known: Omit<Holder, 'token'> | null = null;

function self(): Omit<Holder, 'token'> {
  known ??= { machine: machineName(), pid: process.pid, began: beginningOf(process.pid), thread: threadId };
  return known;
}

/** On Linux another one after each start, and in each container that counts its processes for itself. */
function machineName(): string {
  try {
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

/** null where it is not known, and for a process that has ended and is not buried yet. */
function beginningOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program, in parentheses, may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
    return null;
  }
}
