import type { AtomNode, RetryNode } from '../compiler/compilation.js';
import type { Failure } from '../failure.js';
import { argumentsFor } from '../storage/lookup.js';
import { noteDelay } from './delays.js';
import type { Runtime } from './runtime.js';

/** What is to become of a flow after a failure. */
type Resolution =
  { readonly kind: 'RETRY' | 'REVERT'; readonly controller: RetryNode } | { readonly kind: 'REVERT_ALL' };

interface Answer {
  readonly resolution: Resolution;
  /** Whether a retry said so, rather than that there was none to ask. */
  readonly isDecision: boolean;
}

const NOBODY_TO_ASK: Answer = { resolution: { kind: 'REVERT_ALL' }, isDecision: false };

/**
 * Finds out from the retries what to do about a failure, and sets intentions accordingly. No state changes here.
 *
 * @see TaskFlow `engines/action_engine/completer.py`.
 */
export class Resolver {
  /** Where everything was set to REVERT, and at which count of other intentions; asked again it would change nothing. */
  readonly #reverted = new Map<number, number>();

  constructor(private readonly runtime: Runtime) {}

  /** @throws what a retry's `onFailure` throws, and {RangeError} for an answer that is none. */
  resolve(node: AtomNode, failure: Failure): void {
    this.#apply(this.#ask(node, failure).resolution);
  }

  #ask(node: AtomNode, failure: Failure): Answer {
    const { controller } = node;
    if (controller === null) return NOBODY_TO_ASK;
    const { storage, options } = this.runtime;
    storage.saveRetryFailure(controller.name, node.name, failure);
    const decision = this.#consult(controller);
    switch (decision) {
      case 'RETRY':
        return { resolution: { kind: 'RETRY', controller }, isDecision: true };
      case 'REVERT_ALL':
        return { resolution: { kind: 'REVERT_ALL' }, isDecision: true };
      case 'REVERT': {
        const outer = this.#ask(controller, failure);
        if (options.deferReverts) return outer;
        if (outer.isDecision && outer.resolution.kind !== 'REVERT') return outer;
        return { resolution: { kind: 'REVERT', controller }, isDecision: true };
      }
      default:
        throw new RangeError(
          `onFailure of the retry ${controller.name} answers RETRY, REVERT or REVERT_ALL, got ${describe(decision)}`,
        );
    }
  }

  #consult({ item, name, index }: RetryNode): unknown {
    const { storage } = this.runtime;
    const asker = { place: index, detail: this.runtime.slot(index).detail };
    const args = argumentsFor(storage, storage.surroundings, asker, item.executeMapping, {
      predecessorsAreDone: false,
    });
    args['history'] = storage.getRetryHistory(name);
    return item.onFailure(args as never);
  }

  #apply(resolution: Resolution): void {
    const { runtime } = this;
    if (resolution.kind === 'REVERT_ALL') {
      this.#revert(-1, () => runtime.compilation.atoms.map(({ index }) => index));
      return;
    }
    const { index } = resolution.controller;
    if (resolution.kind === 'RETRY') {
      const before = runtime.intentionOf(index);
      if (before !== 'REVERT' && before !== 'RETRY') {
        noteDelay(runtime, resolution.controller);
        runtime.setIntention(index, 'RETRY');
      }
    } else runtime.setIntention(index, 'REVERT');
    this.#revert(index, () => runtime.traversal.depthFirst(index));
  }

  #revert(key: number, atoms: () => number[]): void {
    const { runtime } = this;
    if (this.#reverted.get(key) === runtime.otherIntentions) return;
    for (const atom of atoms()) runtime.setIntention(atom, 'REVERT');
    this.#reverted.set(key, runtime.otherIntentions);
  }
}

function describe(answer: unknown): string {
  if (!(answer instanceof Promise)) return String(answer);
  // Nobody waits for it: what becomes of it must not end the process.
  answer.catch(() => undefined);
  return 'a promise (it has to answer at once)';
}
