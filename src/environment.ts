import { randomBytes, randomUUID } from 'node:crypto';

/** A timer that has been set and can be taken back. */
export interface Timer {
  cancel(): void;
}

/** Where an engine gets its time from. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `callback` once, `delayMs` milliseconds from now. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Lets everything else that waits in the event loop go first. */
  yield(): Promise<void>;
}

/** Everything an engine takes from outside that is not the same in two runs. */
export interface Environment {
  readonly clock: Clock;
  /** A new unique id, different at each call. */
  readonly newId: () => string;
  /** A number from 0 (included) to 1 (excluded). */
  readonly random: () => number;
}

/** The platform's clock, ids and randomness. This file is the only place in flowstate that asks the platform for them. */
export const systemEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    setTimer: (delayMs, callback) => {
      const handle = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(handle) };
    },
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  },
  newId: () => {
    const id = randomUUID();
    // Node puts it together from many short strings; asked for a number, V8 makes one of them, at a fifth of the memory.
    Number(id);
    return id;
  },
  random: () => Math.random(),
};

/** Bytes that nobody can foresee, from the platform: what `random` gives is not good enough for secrets. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);
