import type { FlowState } from '../../machines/index.js';
import type { AtomState } from './details.js';
import type { JournalEntity, JournalEntry } from './journal-entry.js';

/** Something in a run, and the state that it is in. */
export interface JournaledState {
  readonly kind: JournalEntity['kind'];
  readonly name: string;
  readonly uuid: string;
  readonly state: AtomState | FlowState | null;
}

/** A run as its journal tells of it: the states in which everything was after an entry. */
export interface JournaledRun {
  /** Of the last entry that was looked at; 0 where there was none. */
  readonly sequence: number;
  /** When that one happened, in milliseconds since 1970; null where there was none. */
  readonly at: number | null;
  readonly flow: JournaledState | null;
  /** Tasks and retries, in the order in which they were first told of. */
  readonly atoms: ReadonlyMap<string, JournaledState>;
  /** The same by the names that they had then. */
  readonly byName: ReadonlyMap<string, JournaledState>;
}

export interface FoldOptions {
  /** The sequence number of the last entry to look at. @default all */
  readonly upTo?: number | undefined;
  /** What came of the entries before these. @default nothing */
  readonly onto?: JournaledRun | undefined;
}

const NOTHING: JournaledRun = { sequence: 0, at: null, flow: null, atoms: new Map(), byName: new Map() };

/**
 * Goes through a journal, and tells in which state everything was after an entry of it.
 *
 * @param entries - In their order, from the first, or from the one after those that `onto` came of.
 * @throws {RangeError} for entries that do not follow on one another: states would be missing.
 */
export function foldJournal(
  entries: Iterable<JournalEntry>,
  { upTo = Infinity, onto = NOTHING }: FoldOptions = {},
): JournaledRun {
  let { sequence, at, flow } = onto;
  const atoms = new Map(onto.atoms);
  for (const entry of entries) {
    if (entry.sequence > upTo) break;
    if (entry.sequence !== sequence + 1) {
      throw new RangeError(`The entry ${sequence + 1} of a journal was expected, got ${entry.sequence}`);
    }
    ({ sequence, at } = entry);
    const { kind, name, uuid } = entry.entity;
    const told: JournaledState = { kind, name, uuid, state: entry.to };
    if (kind === 'flow') flow = told;
    else atoms.set(uuid, told);
  }
  return { sequence, at, flow, atoms, byName: new Map(Array.from(atoms.values(), (atom) => [atom.name, atom])) };
}
