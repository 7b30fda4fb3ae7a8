import type { RetryNode } from '../compiler/compilation.js';
import { delayBefore } from '../atoms/delay.js';
import type { Timer } from '../environment.js';
import type { Runtime } from './runtime.js';

/** Where a retry's record says when its flow may be tried again, in milliseconds since 1970. */
const RETRY_AT = 'retryAt';

/** Notes when a flow may be tried again. It is durable with the decision to try. */
export function noteDelay(runtime: Runtime, { item, name, index }: RetryNode): void {
  const slot = runtime.slot(index);
  const { [RETRY_AT]: before, ...meta } = slot.detail.meta;
  const { delay } = item;
  if (delay === undefined) {
    if (before !== undefined) runtime.storage.write(slot, { ...slot.detail, meta });
    return;
  }
  const { clock, random } = runtime.environment;
  const ms = delayBefore(name, delay, runtime.storage.getRetryHistory(name), random);
  runtime.storage.write(slot, { ...slot.detail, meta: { ...meta, [RETRY_AT]: clock.now() + ms } });
}

/** When the flow of a retry may be tried again; null when it need not wait, or is not to be tried again. */
export function retryAt(runtime: Runtime, node: number): number | null {
  if (runtime.intentionOf(node) !== 'RETRY') return null;
  const at = runtime.slot(node).detail.meta[RETRY_AT];
  return typeof at === 'number' && at > runtime.environment.clock.now() ? at : null;
}

/** The retries of a run that wait until their flows may be tried again. */
export class Delays {
  readonly #timers = new Map<number, Timer>();
  readonly #due = new Set<number>();

  constructor(
    private readonly runtime: Runtime,
    /** Called when the time of one has come. */
    private readonly wake: () => void,
  ) {}

  /** Whether there is a retry whose time has not come, and may. */
  get isWaiting(): boolean {
    if (this.#timers.size === 0) return false;
    // What was to be tried again may be given up meanwhile.
    for (const node of [...this.#timers.keys()]) {
      if (this.runtime.intentionOf(node) !== 'RETRY') this.#cancel(node);
    }
    return this.#timers.size > 0;
  }

  /** Whether the time of one has come, and nobody has taken it. */
  get isDue(): boolean {
    return this.#due.size > 0;
  }

  /** Sets those aside whose time has not come. @returns the others. */
  sift(wave: readonly number[]): number[] {
    return wave.filter((node) => !this.#setAside(node));
  }

  #setAside(node: number): boolean {
    const at = retryAt(this.runtime, node);
    if (at === null) return false;
    if (!this.#timers.has(node)) {
      const { clock } = this.runtime.environment;
      const timer = clock.setTimer(at - clock.now(), () => {
        this.#timers.delete(node);
        this.#due.add(node);
        this.wake();
      });
      this.#timers.set(node, timer);
    }
    return true;
  }

  /** Those whose time has come. */
  takeDue(): number[] {
    const due = [...this.#due].filter((node) => this.runtime.intentionOf(node) === 'RETRY');
    this.#due.clear();
    return due;
  }

  /** Nobody waits any more. */
  cancel(): void {
    for (const node of [...this.#timers.keys()]) this.#cancel(node);
    this.#due.clear();
  }

  #cancel(node: number): void {
    this.#timers.get(node)?.cancel();
    this.#timers.delete(node);
  }
}
