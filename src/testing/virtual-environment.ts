import { systemEnvironment } from '../environment.js';
import type { Clock, Environment, Timer } from '../environment.js';
import { seededRandom } from './seeded-random.js';

interface Pending {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that goes on only when it is told to. */
export class VirtualClock implements Clock {
  /** The delays of all timers that were ever set, in milliseconds. */
  readonly delays: number[] = [];
  #now = 1_700_000_000_000;
  #pending: Pending[] = [];

  now(): number {
    return this.#now;
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#pending.length;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.delays.push(delayMs);
    const timer = { due: this.#now + delayMs, callback };
    this.#pending.push(timer);
    return { cancel: () => void (this.#pending = this.#pending.filter((each) => each !== timer)) };
  }

  yield(): Promise<void> {
    return Promise.resolve();
  }

  /** Goes on by so many milliseconds. Timers that are due meanwhile go off, each at its time. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (let next = this.#next(); next !== undefined && next.due <= until; next = this.#next()) {
      this.#pending = this.#pending.filter((each) => each !== next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
    }
    this.#now = until;
  }

  /** Goes on to the timer that is due next. @returns false when none is set. */
  advanceToNext(): boolean {
    const next = this.#next();
    if (next !== undefined) this.advance(Math.max(0, next.due - this.#now));
    return next !== undefined;
  }

  #next(): Pending | undefined {
    return this.#pending.toSorted((left, right) => left.due - right.due)[0];
  }
}

/** A clock that goes on to the next timer by itself whenever one is set and everything else has had its turn. */
class SelfAdvancingClock extends VirtualClock {
  #isAdvancing = false;

  override setTimer(delayMs: number, callback: () => void): Timer {
    const timer = super.setTimer(delayMs, callback);
    if (!this.#isAdvancing) void this.#advance();
    return timer;
  }

  async #advance(): Promise<void> {
    this.#isAdvancing = true;
    do await settled();
    while (this.advanceToNext());
    this.#isAdvancing = false;
  }
}

export interface VirtualEnvironmentOptions {
  /** Of the random numbers. @default 1 */
  readonly seed?: number;
  /** What ids begin with, before their number. @default 'id' */
  readonly prefix?: string;
  /** Whether time goes on by itself to the next timer, whenever nothing else is left to do. @default false */
  readonly advancesByItself?: boolean;
}

export interface VirtualEnvironment extends Environment {
  readonly clock: VirtualClock;
}

/**
 * An environment in which a run is the same each time: time stands still until it is told to go on, ids count up, and
 * random numbers follow from a seed. For `engines.load(flow, { environment })`.
 */
export function virtualEnvironment({
  seed = 1,
  prefix = 'id',
  advancesByItself = false,
}: VirtualEnvironmentOptions = {}): VirtualEnvironment {
  let ids = 0;
  return {
    clock: advancesByItself ? new SelfAdvancingClock() : new VirtualClock(),
    newId: () => `${prefix}-${(ids += 1)}`,
    random: seededRandom(seed),
  };
}

/** Resolves when everything has gone on that is ready to: several turns of the event loop. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await systemEnvironment.clock.yield();
}
