import type { AtomEvent } from '../../machines/index.js';
import type { AtomNode, RetryNode, TaskNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import { ExecutionError } from '../errors.js';
import type { Work } from '../executors/executor.js';
import { Failure } from '../failure.js';
import { argumentsFor } from '../storage/lookup.js';
import { NO_NEWS } from './announcer.js';
import type { Context } from './atom-context.js';
import { contextOf } from './atom-context.js';
import type { Runtime } from './runtime.js';

/** Work whose atom the engine can tell to stop. */
export type EngineWork = Work & { readonly context: Context };

/** An atom that has been marked as under way. */
export interface Start {
  readonly node: AtomNode;
  readonly method: 'execute' | 'revert';
  /** What is to be called, or the failure that came before it could be (D8). */
  readonly work: EngineWork | Failure;
  /** What came of it: a result or a `Failure`. null until then. */
  outcome: unknown;
  /** Who is to be told that it is durable, if anybody. */
  settled: (() => void) | null;
  /** What is to be told before it runs. */
  news: readonly (() => void)[];
}

/** The state of an atom while a method of it is under way. */
const UNDER_WAY = { execute: 'RUNNING', revert: 'REVERTING' } as const;

const EXECUTE = { type: 'execute', hasProgress: false } as const;
const EXECUTE_AGAIN = { type: 'execute', hasProgress: true } as const;

/**
 * Marks atoms as under way, each according to what it is to do by then.
 *
 * @see TaskFlow `engines/action_engine/scheduler.py`.
 */
export class Scheduler {
  constructor(private readonly runtime: Runtime) {}

  /**
   * @returns null for an atom that never ran and is to be reverted: there is nothing to do (D21).
   * @throws {ExecutionError} for an atom whose intention cannot be scheduled.
   */
  begin(index: number): Start | null | Promise<Start | null> {
    const { runtime } = this;
    const node = runtime.compilation.node(index);
    if (!isAtom(node)) throw new ExecutionError(`${node.name} is not an atom`);
    const intention = runtime.intentionOf(index);
    switch (intention) {
      case 'EXECUTE':
        return this.#execute(node);
      case 'REVERT':
        return runtime.stateOf(index) === 'PENDING' ? null : this.#revert(node);
      case 'RETRY':
        if (node.kind === 'retry') return this.restart(node, { isRetrying: false }).then(() => this.#execute(node));
        break;
      case 'IGNORE':
        break;
    }
    throw new ExecutionError(`The ${node.kind} ${node.name} cannot be scheduled with the intention ${intention}`);
  }

  /** Takes a retry's flow back to where it can be tried again. */
  async restart({ index }: RetryNode, { isRetrying }: { readonly isRetrying: boolean }): Promise<void> {
    const { runtime } = this;
    if (!isRetrying) await runtime.tell(index, { type: 'retry' });
    runtime.setIntention(index, 'EXECUTE');
    for (const below of runtime.traversal.depthFirst(index)) await this.reset(below);
  }

  /** Takes an atom back to PENDING and EXECUTE. */
  async reset(index: number): Promise<void> {
    await this.runtime.tell(index, { type: 'reset' });
    this.runtime.setIntention(index, 'EXECUTE');
  }

  #execute(node: AtomNode): Start | Promise<Start> {
    let work: EngineWork | Failure;
    try {
      work = this.#executeWork(node);
    } catch (error) {
      work = Failure.from(error);
    }
    return this.#begun(node, work, this.#hasProgress(node) ? EXECUTE_AGAIN : EXECUTE);
  }

  #revert(node: AtomNode): Start | Promise<Start> {
    let work: EngineWork | Failure;
    try {
      work = this.#revertWork(node);
    } catch (error) {
      work = Failure.from(error);
    }
    const { isAtStart } = this.runtime;
    return this.#begun(node, work, { type: 'revert', atStart: isAtStart, hasProgress: this.#hasProgress(node) });
  }

  #begun(
    node: AtomNode,
    work: EngineWork | Failure,
    event: AtomEvent & { type: 'execute' | 'revert' },
  ): Start | Promise<Start> {
    const start: Start = { node, method: event.type, work, outcome: null, settled: null, news: NO_NEWS };
    const settled = this.runtime.tell(node.index, event);
    return settled === undefined ? start : settled.then(() => start);
  }

  #executeWork(node: AtomNode): EngineWork {
    const { storage, readiness } = this.runtime;
    const asker = { place: node.index, detail: this.runtime.slot(node.index).detail };
    const args = argumentsFor(storage, storage.surroundings, asker, node.item.executeMapping, {
      predecessorsAreDone: readiness.isReached(node.index),
    });
    if (node.kind === 'task') return this.#taskWork(node, 'execute', args);
    args['history'] = storage.getRetryHistory(node.name);
    return this.#retryWork(node, 'execute', args);
  }

  #revertWork(node: AtomNode): EngineWork {
    const { storage } = this.runtime;
    const { detail } = this.runtime.slot(node.index);
    const asker = { place: node.index, detail };
    const args = argumentsFor(storage, storage.surroundings, asker, node.item.revertMapping, {
      predecessorsAreDone: false,
    });
    args['flowFailures'] = storage.getExecuteFailures();
    if (node.kind === 'retry') {
      args['history'] = storage.getRetryHistory(node.name);
      return this.#retryWork(node, 'revert', args);
    }
    args['result'] = detail.failure ?? detail.results;
    return this.#taskWork(node, 'revert', args);
  }

  #taskWork(node: TaskNode, method: Work['method'], args: Record<string, unknown>): EngineWork {
    const { runtime } = this;
    const context = contextOf(runtime, node, method);
    const isTakenUp = runtime.isAtStart && runtime.stateOf(node.index) === UNDER_WAY[method];
    return { atom: node.item, method, args, context, owner: runtime, origin: context, stopping: context, isTakenUp };
  }

  #retryWork(node: RetryNode, method: Work['method'], args: Record<string, unknown>): EngineWork {
    return { atom: node.item, method, args, context: contextOf(this.runtime, node, method) };
  }

  #hasProgress({ kind, index }: AtomNode): boolean {
    return kind === 'task' && (this.runtime.slot(index).detail.meta['progress'] ?? 0) !== 0;
  }
}
