import type { Clock, Environment, Timer } from '../../src/environment.js';

interface Pending {
  readonly due: number;
  readonly callback: () => void;
}

/** A clock that goes on only when it is told to. */
export class ManualClock implements Clock {
  /** The delays of all timers that were ever set. */
  readonly delays: number[] = [];
  #now = 1_700_000_000_000;
  #pending: Pending[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    this.delays.push(delayMs);
    const timer = { due: this.#now + delayMs, callback };
    this.#pending.push(timer);
    return { cancel: () => void (this.#pending = this.#pending.filter((each) => each !== timer)) };
  }

  /** How many timers are set. */
  get pending(): number {
    return this.#pending.length;
  }

  yield(): Promise<void> {
    return Promise.resolve();
  }

  advance(ms: number): void {
    this.#now += ms;
    const due = this.#pending.filter((timer) => timer.due <= this.#now);
    this.#pending = this.#pending.filter((timer) => timer.due > this.#now);
    for (const { callback } of due) callback();
  }
}

export interface ManualEnvironment extends Environment {
  readonly clock: ManualClock;
}

/** Time that stands still, ids that count up. */
export function manualEnvironment(): ManualEnvironment {
  let ids = 0;
  return { clock: new ManualClock(), newId: () => `id-${(ids += 1)}`, random: () => 0.5 };
}

/** Lets everything go on that is ready to. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** A promise that is settled from outside. */
export class Gate<Value = void> {
  readonly promise: Promise<Value>;
  open!: (value: Value) => void;
  fail!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<Value>((resolve, reject) => {
      this.open = resolve;
      this.fail = reject;
    });
  }
}
