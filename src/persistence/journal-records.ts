import type { JournalEntity, JournalEntry } from './journal-entry.js';
import { Fields } from './record-fields.js';
import { atomStates, flowStates, isAtomState, isFlowState } from './records.js';

/** An entry of a journal as plain data, without the run that it belongs to. */
export interface JournalRecord {
  readonly sequence: number;
  readonly at: number;
  readonly kind: JournalEntity['kind'];
  readonly name: string;
  readonly uuid: string;
  readonly from: JournalEntry['from'];
  readonly event: string | null;
  readonly to: JournalEntry['to'];
  readonly cause: string | null;
}

export function entryToRecord({ sequence, at, entity, from, event, to, cause }: JournalEntry): JournalRecord {
  const { kind, name, uuid } = entity;
  return { sequence, at, kind, name, uuid, from, event, to, cause };
}

/** @throws {InvalidFormatError} naming whose entry it is and what is wrong with its record. */
export function entryFromRecord(record: unknown): JournalEntry {
  const fields = new Fields('journal entry of', record);
  const kind = fields.oneOf('kind', isKind, KINDS);
  const state = (key: 'from' | 'to'): JournalEntry['from'] => {
    if (fields.isNull(key)) return null;
    return kind === 'flow' ? fields.oneOf(key, isFlowState, flowStates) : fields.oneOf(key, isAtomState, atomStates);
  };
  const text = (key: 'event' | 'cause') => (fields.isNull(key) ? null : fields.text(key));
  return {
    sequence: fields.count('sequence'),
    at: fields.time('at'),
    entity: { kind, name: fields.text('name'), uuid: fields.text('uuid') },
    from: state('from'),
    event: text('event'),
    to: state('to'),
    cause: text('cause'),
  };
}

const KINDS = ['flow', 'task', 'retry'] as const;
const isKind = (text: string): text is JournalEntity['kind'] => KINDS.some((kind) => kind === text);
