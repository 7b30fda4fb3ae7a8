import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import type { Environment } from '../../../environment.js';
import { StorageError } from '../../../errors.js';
import { isProcessIdentity, lifeOfProcess, thisProcess } from '../../../process-identity.js';
import type { ProcessIdentity } from '../../../process-identity.js';
import type { Files } from './files.js';

/** Who holds a lock. */
interface Holder extends ProcessIdentity {
  /** Different for each time that a lock is taken. */
  readonly token: string;
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
    await this.#files.write(mine, JSON.stringify({ ...thisProcess(), thread: threadId, token }), false);
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
    isProcessIdentity(value) &&
    typeof Reflect.get(value, 'token') === 'string' &&
    typeof Reflect.get(value, 'thread') === 'number'
  );
}

function lifeOf(holder: Holder | null): 'alive' | 'gone' | 'unknown' {
  const me = thisProcess();
  if (holder === null) return 'unknown';
  const isMine = holder.machine === me.machine && holder.pid === me.pid && holder.began === me.began;
  if (isMine) return held.has(holder.token) ? 'alive' : 'unknown';
  return lifeOfProcess(holder);
}

/** What is held in this thread. */
const held = new Set<string>();
