import type { AtomContext, AtomEvent, RetryEvent } from '../../machines/index.js';
import { setHidden } from '../hidden-property.js';
import type { Services } from '../interpreter/services.js';
import type { Notifier } from '../notifications/notifier.js';
import { inState, put, resetDetail, withIntention, withProgress } from '../persistence/atom-details.js';
import type { AtomState } from '../persistence/details.js';
import type { Runtime } from './runtime.js';
import { atomTransition } from './transitions.js';

/**
 * What is told of an atom's change of state. A task is named by `taskName`, a retry by `retryName`.
 *
 * Where the store's codec keeps secrets, `result` is there to be read, and hidden: it is not enumerable, so that neither
 * `console.log`, nor JSON, nor a copy has it.
 */
export type AtomDetails = { readonly oldState: AtomState; readonly result?: unknown } & (
  { readonly taskName: string; readonly taskUuid: string } | { readonly retryName: string; readonly retryUuid: string }
);

/** What the charts say of the state that is entered. Progress is kept with the state, in one change. */
interface Entered {
  readonly state: AtomState;
  readonly progress?: number;
}

const FINISHED: ReadonlySet<AtomState> = new Set<AtomState>(['SUCCESS', 'FAILURE', 'REVERTED', 'REVERT_FAILURE']);

/** What the charts of tasks and retries call upon: storage keeps, the notifier tells. */
export function atomServices(runtime: Runtime, notifier: Notifier<AtomDetails>): Services<AtomContext, RetryEvent> {
  const { storage, readiness, announcer, compilation } = runtime;
  const by = (index: number, event: RetryEvent, state: AtomState) =>
    storage.journal === null ? null : atomTransition(runtime, index, event, state);

  return {
    saveState({ context: { index }, event }, { state, progress }: Entered) {
      const slot = runtime.slot(index);
      const { detail } = slot;
      const meta = progress === undefined ? detail.meta : withProgress(detail.meta, progress);
      storage.write(slot, inState(detail, state, meta), by(index, event, state));
      readiness.update(index);
    },

    saveResult({ context: { index }, event }, { state, progress }: Entered) {
      const slot = runtime.slot(index);
      const { meta } = slot.detail;
      const detail = put(
        slot.detail,
        state,
        resultOf(event),
        progress === undefined ? meta : withProgress(meta, progress),
      );
      // A retry that was undone starts from its first attempt when it is run again.
      const whole = detail.kind === 'retry' && state === 'REVERTED' ? { ...detail, results: [] } : detail;
      storage.write(slot, whole, by(index, event, state));
      readiness.update(index);
    },

    /** Results and failures go before the change is told; the intention is set by whoever asked (D4, D15). */
    forget({ context: { index }, event }) {
      const slot = runtime.slot(index);
      const { kind, intention, meta } = slot.detail;
      const forgotten = withIntention(resetDetail(slot.detail, 'PENDING'), intention);
      const whole = kind === 'task' ? inState(forgotten, 'PENDING', withProgress(meta, 0)) : forgotten;
      storage.write(slot, whole, by(index, event, 'PENDING'));
      readiness.update(index);
    },

    notify({ context: { index, name }, event }, { state }: { state: AtomState }) {
      if (!notifier.hasListeners) return;
      const { kind, uuid } = runtime.slot(index).detail;
      const oldState = runtime.actor(index).value as AtomState;
      const isHidden = storage.codec?.keepsSecrets === true;
      const result = FINISHED.has(state) && !isHidden ? { result: resultOf(event) } : {};
      const details: AtomDetails =
        kind === 'task'
          ? { taskName: name, taskUuid: uuid, oldState, ...result }
          : { retryName: name, retryUuid: uuid, oldState, ...result };
      if (FINISHED.has(state) && isHidden) setHidden(details, 'result', resultOf(event));
      announcer.announce(() => {
        notifier.notify(state, details);
      });
    },

    reportProgress({ context: { index } }, { progress }: { progress: number }) {
      const node = compilation.node(index);
      if (node.kind !== 'task' || !node.item.hasListeners) return;
      const task = node.item;
      announcer.announce(() => {
        task.updateProgress(progress);
      });
    },
  };
}

function resultOf(event: AtomEvent | RetryEvent): unknown {
  return 'result' in event ? event.result : null;
}
