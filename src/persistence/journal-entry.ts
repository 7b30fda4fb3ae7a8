import type { AtomState } from './details.js';
import type { FlowState } from '../../machines/index.js';

/** Something in a run that has a state. */
export type JournalEntity =
  | { readonly kind: 'flow'; readonly name: string; readonly uuid: string }
  | { readonly kind: 'task' | 'retry'; readonly name: string; readonly uuid: string };

/** One change of a state in a run, written in the commit that makes the change durable. */
export interface JournalEntry {
  /** Counts the entries of one run, from 1, without a gap. */
  readonly sequence: number;
  /** When it happened, in milliseconds since 1970. */
  readonly at: number;
  readonly entity: JournalEntity;
  /** null: it was not there before. */
  readonly from: AtomState | FlowState | null;
  /** The event that the entity's machine took; null for what comes without one, such as a record that is made. */
  readonly event: string | null;
  readonly to: AtomState | FlowState | null;
  /** Why: the failure of what failed, the intention of what is undone, the reason of a cancellation. */
  readonly cause: string | null;
}
