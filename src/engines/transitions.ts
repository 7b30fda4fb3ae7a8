import type { FlowEvent, FlowState, RetryEvent } from '../../machines/index.js';
import { isAtom } from '../compiler/compilation.js';
import { Failure } from '../failure.js';
import type { AtomState } from '../persistence/details.js';
import { oneLine } from '../storage/journal.js';
import type { Transition } from '../storage/journal.js';
import type { Storage } from '../storage/storage.js';
import { isCancelled, reasonOfCancellation } from './cancellation.js';
import type { Runtime } from './runtime.js';

/* What a journal says of a change of a state: the event that made it, and why. */

/** A flow goes back to where it was when its next state could not be made durable. */
export const NOT_DURABLE: Transition = { event: null, cause: 'the next state could not be made durable' };

const STOPPING: ReadonlySet<FlowState> = new Set<FlowState>(['SUSPENDING', 'REVERTED']);
const FAILED: ReadonlySet<FlowState> = new Set<FlowState>(['REVERTED', 'FAILURE']);

export function flowTransition(storage: Storage, event: FlowEvent, state: FlowState): Transition {
  if (STOPPING.has(state) && isCancelled(storage)) return { event: event.type, cause: textOfCancellation(storage) };
  return { event: event.type, cause: FAILED.has(state) ? firstFailure(storage) : null };
}

/** The first failure that a flow ends with. */
function firstFailure(storage: Storage): string | null {
  for (const failures of [storage.getExecuteFailures(), storage.getRevertFailures()]) {
    for (const [name, failure] of failures) {
      const text = failureText(storage, failure);
      return oneLine(text === null ? `${name} failed` : `${name} failed: ${text}`);
    }
  }
  return null;
}

export function atomTransition(runtime: Runtime, index: number, event: RetryEvent, state: AtomState): Transition {
  return { event: event.type, cause: causeOf(runtime, index, event, state) };
}

function causeOf(runtime: Runtime, index: number, event: RetryEvent, state: AtomState): string | null {
  if ('result' in event && event.result instanceof Failure) {
    return state === 'FAILURE' || state === 'REVERT_FAILURE' ? failureText(runtime.storage, event.result) : null;
  }
  return state === 'REVERTING' ? causeOfRevert(runtime, index) : null;
}

/** Failures that are named where an atom is undone. */
const MOST_NAMED = 3;

/** Why an atom is undone: its run was cancelled, a retry asked for it, or something failed. */
function causeOfRevert(runtime: Runtime, index: number): string {
  const { compilation, storage } = runtime;
  if (isCancelled(storage)) return textOfCancellation(storage);
  const node = compilation.node(index);
  for (let retry = isAtom(node) ? node.controller : null; retry !== null; retry = retry.controller) {
    if (runtime.intentionOf(retry.index) === 'RETRY') return oneLine(`RETRY by ${retry.name}`);
  }
  const failures = storage.getExecuteFailures();
  const names: string[] = [];
  for (const name of failures.keys()) if (names.push(name) === MOST_NAMED) break;
  const more = failures.size - names.length;
  if (names.length === 0) return 'REVERT';
  return oneLine(`REVERT: ${names.join(', ')}${more === 0 ? '' : ` and ${more} more`} failed`);
}

function textOfCancellation(storage: Storage): string {
  return tellsSecrets(storage) ? 'cancelled' : oneLine(`cancelled: ${reasonOfCancellation(storage) ?? ''}`);
}

/** Where the store is not to know what it keeps, the words of an error are not told either: they may hold a value. */
function tellsSecrets({ codec }: Storage): boolean {
  return codec?.keepsSecrets === true;
}

function failureText(storage: Storage, { typeNames, message }: Failure): string | null {
  return tellsSecrets(storage) ? null : oneLine(`${typeNames[0] ?? 'Error'}: ${message}`);
}
