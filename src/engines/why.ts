import type { FlowState, Intention } from '../../machines/index.js';
import type { AtomNode, Compilation, PlanNode } from '../compiler/compilation.js';
import { isAtom } from '../compiler/compilation.js';
import type { AtomState } from '../persistence/details.js';
import type { Storage } from '../storage/storage.js';
import { isCancelled } from './cancellation.js';
import { retryAt } from './delays.js';
import type { Run } from './run.js';
import type { Runtime } from './runtime.js';
import { Traversal } from './traversal.js';

/**
 * What an atom waits for:
 *
 * - `start`: for the run to begin;
 * - `suspended`: for the run to be taken up again;
 * - `running`: for nobody but itself: it is under way;
 * - `worker`: for one of those who run atoms to be free;
 * - `round`: for nothing any more: it is looked at in the next round;
 * - `result`: for values that others provide;
 * - `decider`: for others, whose results a decider is to judge;
 * - `predecessor`: for others that come before it;
 * - `successors`: for others that come after it to be undone;
 * - `retry`: for a flow to be tried again, and itself with it;
 * - `delay`: for the time at which its flow may be tried again;
 * - `undo`: for the run, which was cancelled, to be undone;
 * - `end`: for the run to end.
 */
export type WaitsFor =
  | 'start'
  | 'suspended'
  | 'running'
  | 'worker'
  | 'round'
  | 'result'
  | 'decider'
  | 'predecessor'
  | 'successors'
  | 'retry'
  | 'delay'
  | 'undo'
  | 'end';

/** Why an atom has not come to its end. */
export interface WaitReason {
  /** Name of the atom; null for the flow itself, when no atom waits. */
  readonly atom: string | null;
  readonly waitsFor: WaitsFor;
  /** Names of the atoms that it waits for, in the order of the graph. */
  readonly of: readonly string[];
  /** When the waiting is over, in milliseconds since 1970, where that is known. */
  readonly until?: number;
  /** The same in words. */
  readonly message: string;
}

interface Wait {
  readonly waitsFor: WaitsFor;
  /** Instead of the usual words. */
  readonly words?: string | null;
  readonly of?: readonly string[];
  readonly until?: number;
}

const WORDS: Readonly<Record<WaitsFor, (of: string, until: string) => string>> = {
  start: () => 'the run has not begun',
  suspended: () => 'the run is suspended',
  running: () => 'it is under way',
  worker: (of) => `nobody is free to run it${of === '' ? '' : `: first comes ${of}`}`,
  round: () => 'it is looked at in the next round',
  result: (of) => `it needs what is provided by ${of}`,
  decider: (of) => `a decider is to judge ${of}`,
  predecessor: (of) => `it comes after ${of}`,
  successors: (of) => `first has to be undone ${of}`,
  retry: (of) => `it is tried again with ${of}`,
  delay: (_, until) => `its flow is tried again at ${until}`,
  undo: () => 'the run was cancelled, and is about to be undone',
  end: () => 'the run is about to end',
};

const ENDED: ReadonlySet<FlowState> = new Set<FlowState>(['SUCCESS', 'FAILURE', 'REVERTED']);

/**
 * One reason for each atom of a run that has not come to its end; for the flow itself where there is none. Nothing, for
 * a run that has ended.
 *
 * @param runtime - null before `prepare()`.
 * @param run - null while none is under way.
 */
export function why(
  compilation: Compilation,
  storage: Storage,
  runtime: Runtime | null,
  run: Run | null,
): readonly WaitReason[] {
  const flowState = storage.getFlowState();
  if (ENDED.has(flowState)) return [];
  const asked = new Inquiry(compilation, storage, runtime, run);
  const reasons = compilation.atoms.flatMap((node) => {
    const wait = asked.about(node);
    return wait === null ? [] : [reason(node.name, wait)];
  });
  return reasons.length > 0 ? reasons : [reason(null, asked.aboutFlow())];
}

function reason(atom: string | null, { waitsFor, words: own = null, of = [], until }: Wait): WaitReason {
  const words = own ?? WORDS[waitsFor](of.join(', '), until === undefined ? '' : new Date(until).toISOString());
  const message = `${atom ?? 'The flow'} waits: ${words}`;
  return { atom, waitsFor, of, ...(until === undefined ? {} : { until }), message };
}

type Progress = readonly [state: AtomState, intention: Intention];

const isOver = ([state, intention]: Progress) =>
  (state === 'SUCCESS' || state === 'IGNORE') && (intention === 'EXECUTE' || intention === 'IGNORE');
const isUndone = ([state]: Progress) => state === 'PENDING' || state === 'REVERTED' || state === 'IGNORE';

class Inquiry {
  readonly #flowState: FlowState;
  readonly #isCancelled: boolean;
  #retries: Map<number, AtomNode> | null = null;

  constructor(
    private readonly compilation: Compilation,
    private readonly storage: Storage,
    private readonly runtime: Runtime | null,
    private readonly run: Run | null,
  ) {
    this.#flowState = storage.getFlowState();
    this.#isCancelled = isCancelled(storage);
  }

  aboutFlow(): Wait {
    if (this.run === null) return this.#beforeRun();
    return { waitsFor: this.#isCancelled && this.#flowState === 'SUSPENDING' ? 'undo' : 'end' };
  }

  /** @returns null for an atom that has come to its end. */
  about(node: AtomNode): Wait | null {
    const progress = this.#progressOf(node);
    const [state, intention] = progress;
    if (this.#isToBeCancelled(progress)) return this.run === null ? this.#beforeRun() : { waitsFor: 'undo' };
    if (isOver(progress) || intention === 'IGNORE') return null;
    const { run, runtime } = this;
    if (run === null || runtime === null) return this.#isLeft(node, progress) ? this.#beforeRun() : null;
    if (state === 'RUNNING' || state === 'REVERTING') return this.#underWay(run, node);
    if (!this.#isLeft(node, progress)) return null;
    if (this.#flowState === 'SUSPENDING') return { waitsFor: 'suspended' };
    if (state === 'REVERT_FAILURE' || run.failures.length > 0) return { waitsFor: 'end' };
    if (intention === 'EXECUTE') return state === 'FAILURE' ? { waitsFor: 'round' } : this.#toExecute(runtime, node);
    return isUndone(progress) ? this.#toBeTriedAgain(runtime, node) : this.#toUndo(runtime, node, intention);
  }

  #progressOf({ name }: PlanNode): Progress {
    const detail = this.storage.find(name);
    return [detail?.state ?? 'PENDING', detail?.intention ?? 'EXECUTE'];
  }

  /** Whether the atom goes on as if nobody had cancelled the run, and does not know yet. */
  #isToBeCancelled([state, intention]: Progress): boolean {
    if (!this.#isCancelled || intention === 'REVERT') return false;
    return state === 'SUCCESS' || state === 'FAILURE';
  }

  /** Whether anything is left to be done. What never ran and is to be undone is left where it is, unless tried again. */
  #isLeft(node: AtomNode, [state, intention]: Progress): boolean {
    if (intention !== 'REVERT') return true;
    if (!isUndone([state, intention])) return true;
    return this.#retryOf(node) !== null;
  }

  /** The retry that takes an atom back to its beginning when it tries its flow again. */
  #retryOf({ index }: AtomNode): AtomNode | null {
    this.#retries ??= this.#findRetries();
    return this.#retries.get(index) ?? null;
  }

  #findRetries(): Map<number, AtomNode> {
    const retries = new Map<number, AtomNode>();
    const traversal = new Traversal(this.compilation);
    for (const retry of this.compilation.atoms) {
      if (this.#progressOf(retry)[1] !== 'RETRY') continue;
      for (const behind of traversal.depthFirst(retry.index)) retries.set(behind, retry);
    }
    return retries;
  }

  #beforeRun(): Wait {
    return { waitsFor: this.#flowState === 'PENDING' ? 'start' : 'suspended' };
  }

  #underWay(run: Run, { index }: AtomNode): Wait {
    const place = run.whereabouts(index);
    if (place.kind === 'waiting') return { waitsFor: 'worker', of: place.behind, words: place.what ?? null };
    if (place.kind === 'under way') return { waitsFor: 'running' };
    return { waitsFor: place.kind === 'unknown' && this.#flowState === 'SUSPENDING' ? 'suspended' : 'round' };
  }

  #toExecute({ readiness, deciders }: Runtime, node: AtomNode): Wait {
    if (readiness.isReached(node.index)) return { waitsFor: 'round' };
    const before = this.#nearest(node, 'predecessors', (passed) => {
      if (readiness.isSettled(passed.index)) return 'past';
      return isAtom(passed) && !isOver(this.#progressOf(passed)) ? 'found' : 'behind';
    });
    const of = before.map(({ name }) => name);
    const needed = new Set(node.item.executeMapping.bindings.values());
    if (before.some(({ item }) => [...item.provides].some((symbol) => needed.has(symbol)))) {
      return { waitsFor: 'result', of };
    }
    const judged = new Set(deciders.of(node).map(({ source }) => source));
    return { waitsFor: before.some((each) => judged.has(each)) ? 'decider' : 'predecessor', of };
  }

  #toUndo(runtime: Runtime, node: AtomNode, intention: Intention): Wait {
    const after = this.#nearest(node, 'successors', (passed) =>
      isAtom(passed) && !isUndone(this.#progressOf(passed)) ? 'found' : 'behind',
    );
    if (after.length > 0) return { waitsFor: 'successors', of: after.map(({ name }) => name) };
    const until = intention === 'RETRY' ? retryAt(runtime, node.index) : null;
    return until === null ? { waitsFor: 'round' } : { waitsFor: 'delay', until };
  }

  #toBeTriedAgain(runtime: Runtime, node: AtomNode): Wait {
    const retry = this.#retryOf(node);
    if (retry === null) return { waitsFor: 'round' };
    const until = retryAt(runtime, retry.index);
    return { waitsFor: 'retry', of: [retry.name], ...(until === null ? {} : { until }) };
  }

  /** The atoms on one side of a node that are looked for, and behind which nobody looks further. */
  #nearest(
    node: AtomNode,
    side: 'predecessors' | 'successors',
    look: (passed: PlanNode) => 'found' | 'behind' | 'past',
  ): AtomNode[] {
    const found: AtomNode[] = [];
    const seen = new Set<PlanNode>([node]);
    const pending = [...this.compilation[side](node)];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      if (seen.has(next)) continue;
      seen.add(next);
      const seenAs = look(next);
      if (seenAs === 'found' && isAtom(next)) found.push(next);
      else if (seenAs === 'behind') pending.push(...this.compilation[side](next));
    }
    return found.sort((a, b) => a.index - b.index);
  }
}
