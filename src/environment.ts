import { randomBytes, randomFillSync } from 'node:crypto';

/** A timer that has been set and can be taken back. */
export interface Timer {
  cancel(): void;
  /** Lets the process end although the timer is set. A clock without processes has none. */
  unref?(): void;
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

/** What the platform can wait for at once: it takes a longer time for none. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** The platform's clock, ids and randomness. This file is the only place in flowstate that asks the platform for them. */
export const systemEnvironment: Environment = {
  clock: {
    now: () => Date.now(),
    setTimer: (delayMs, callback) => {
      let handle: NodeJS.Timeout;
      let isUnref = false;
      const wait = (leftMs: number) => {
        const ms = Math.min(leftMs, LONGEST_TIMEOUT);
        handle = setTimeout(() => (ms < leftMs ? wait(leftMs - ms) : callback()), ms);
        if (isUnref) handle.unref();
      };
      wait(delayMs);
      return {
        cancel: () => clearTimeout(handle),
        unref: () => {
          isUnref = true;
          handle.unref();
        },
      };
    },
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  },
  newId: randomId,
  random: () => Math.random(),
};

/** Bytes that nobody can foresee, from the platform: what `random` gives is not good enough for secrets. */
export const systemRandomBytes = (size: number): Uint8Array => randomBytes(size);

const IDS_AT_ONCE = 256;
const BYTES_OF_ID = 16;
const DIGITS = Buffer.from('0123456789abcdef', 'latin1');
/** Where in the text of an id each of its bytes stands. */
const PLACES = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34];

const pool = new Uint8Array(IDS_AT_ONCE * BYTES_OF_ID);
let used = pool.length;
const text = Buffer.from('00000000-0000-0000-0000-000000000000', 'latin1');

/**
 * A random UUID (RFC 9562, version 4).
 *
 * Node's own `randomUUID` puts its text together from twenty short ones, which V8 keeps as they are: eight times the
 * memory for each atom of each run, and seven times the work.
 */
function randomId(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  for (let at = 0; at < BYTES_OF_ID; at++) {
    let byte = pool[used++] ?? 0;
    if (at === 6) byte = 0x40 | (byte & 0x0f);
    else if (at === 8) byte = 0x80 | (byte & 0x3f);
    const place = PLACES[at] ?? 0;
    text[place] = DIGITS[byte >> 4] ?? 0;
    text[place + 1] = DIGITS[byte & 0x0f] ?? 0;
  }
  return text.toString('latin1');
}
