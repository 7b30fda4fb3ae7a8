import { setMaxListeners } from 'node:events';
import type { TaskContext } from '../atoms/task.js';
import type { AtomNode } from '../compiler/compilation.js';
import type { Stopping, WorkOrigin } from '../executors/executor.js';
import type { Runtime } from './runtime.js';
import type { Stoppable } from './stops.js';

/**
 * What an atom is told while it runs. Signal and key are made when they are asked for.
 *
 * The key names the run, how often it was reset, the atom, the method, and the attempt of each retry around the atom:
 * it is the same whenever an attempt is executed again, and another for the next attempt (B4).
 */
export class Context implements TaskContext, Stoppable, Stopping, WorkOrigin {
  #abortion: AbortController | null = null;
  readonly #listeners = new Set<() => void>();
  #isListening = false;
  #phase: 'under way' | 'ended' | 'given up' = 'under way';

  constructor(
    private readonly runtime: Runtime,
    private readonly node: AtomNode,
    readonly method: 'execute' | 'revert',
  ) {}

  get atom(): string {
    return this.node.name;
  }

  get runId(): string {
    return this.runtime.storage.flowUuid;
  }

  get atomId(): string {
    return this.runtime.slot(this.node.index).detail.uuid;
  }

  get attempt(): number {
    const retry = this.node.kind === 'retry' ? this.node : this.node.controller;
    return retry === null ? 1 : Math.max(1, this.runtime.storage.getRetryHistory(retry.name).length);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  get #controller(): AbortController {
    if (this.#abortion === null) {
      this.#abortion = new AbortController();
      // An atom may hand its signal to as many as it likes.
      setMaxListeners(0, this.#abortion.signal);
      this.#listen();
    }
    return this.#abortion;
  }

  get stop(): { readonly reason: unknown } | null {
    const signal = this.#abortion?.signal;
    return signal?.aborted === true ? { reason: signal.reason as unknown } : null;
  }

  onStop(call: () => void): () => void {
    const own = () => call();
    this.#listeners.add(own);
    this.#listen();
    return () => void this.#listeners.delete(own);
  }

  #listen(): void {
    if (this.#isListening || this.#phase !== 'under way') return;
    this.#isListening = true;
    this.runtime.stops.listen(this);
  }

  /** Tells the atom to stop. */
  abort(reason: unknown): void {
    const controller = this.#controller;
    if (controller.signal.aborted) return;
    controller.abort(reason);
    for (const call of [...this.#listeners]) call();
  }

  /** Tells the atom to stop, and hears nothing of it any more. */
  giveUp(reason: unknown): void {
    this.abort(reason);
    this.end();
    this.#phase = 'given up';
  }

  /** Called when the atom has ended. */
  end(): void {
    if (this.#phase === 'under way') this.#phase = 'ended';
    if (this.#isListening) this.runtime.stops.forget(this);
  }

  get idempotencyKey(): string {
    const { storage } = this.runtime;
    const attempts: number[] = [];
    const first = this.node.kind === 'retry' ? this.node : this.node.controller;
    for (let retry = first; retry !== null; retry = retry.controller) {
      attempts.push(storage.getRetryHistory(retry.name).length);
    }
    const resets = storage.flowMeta['resets'];
    const parts = [storage.flowUuid, typeof resets === 'number' ? resets : 0, this.node.name, this.method, ...attempts];
    return parts.join(':');
  }

  // Functions are made when they are asked for, so that they may be taken out of the context.

  get progress(): TaskContext['progress'] {
    return (progress, details) => {
      if (this.node.kind === 'task' && this.#phase !== 'given up') this.node.item.updateProgress(progress, details);
    };
  }

  get notify(): TaskContext['notify'] {
    return (event, details = {}) => {
      if (this.node.kind === 'task' && this.#phase !== 'given up') this.node.item.notifier.notify(event, details);
    };
  }
}

export function contextOf(runtime: Runtime, node: AtomNode, method: 'execute' | 'revert'): Context {
  return new Context(runtime, node, method);
}
