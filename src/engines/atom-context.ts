import type { TaskContext } from '../atoms/task.js';
import type { AtomNode } from '../compiler/compilation.js';
import type { Runtime } from './runtime.js';

/**
 * What an atom is told while it runs. Signal and key are made when they are asked for.
 *
 * The key names the run, how often it was reset, the atom, the method, and the attempt of each retry around the atom:
 * it is the same whenever an attempt is executed again, and another for the next attempt (B4).
 */
class Context implements TaskContext {
  constructor(
    private readonly runtime: Runtime,
    private readonly node: AtomNode,
    private readonly method: 'execute' | 'revert',
  ) {}

  get atom(): string {
    return this.node.name;
  }

  get signal(): AbortSignal {
    return this.runtime.signal;
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
      if (this.node.kind === 'task') this.node.item.updateProgress(progress, details);
    };
  }

  get notify(): TaskContext['notify'] {
    return (event, details = {}) => {
      if (this.node.kind === 'task') this.node.item.notifier.notify(event, details);
    };
  }
}

export function contextOf(runtime: Runtime, node: AtomNode, method: 'execute' | 'revert'): TaskContext {
  return new Context(runtime, node, method);
}
