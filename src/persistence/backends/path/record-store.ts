import { isSafeName } from '../../../safe-name.js';

/** The kinds of records, and the names of the places where they are. */
export const TABLES = ['books', 'flow_details', 'flow_atoms', 'atom_details', 'journal_pages'] as const;

export type Table = (typeof TABLES)[number];

/** What a commit writes into a record; null when it removed it. */
export type Change = readonly [table: Table, key: string, text: string | null];

/** Reads records. All that one piece of work reads was there at one moment. */
export interface RecordReader {
  /** @param keys - As `safeName` makes them. @returns A text or null for each of them. */
  get(table: Table, keys: readonly string[]): Promise<(string | null)[]>;
  /** In any order. */
  keys(table: Table): Promise<readonly string[]>;
}

export interface RecordWriter extends RecordReader {
  /** @param text - null removes the record. */
  put(table: Table, key: string, text: string | null): void;
}

/**
 * A place for small texts: what a store has to bring so that `pathBackend` keeps runs in it.
 *
 * What a flow record says of its run is changed whenever one of its atoms is: a store needs to watch only the former.
 */
export interface RecordStore {
  /** For messages. */
  readonly name: string;
  /** Makes what is missing. */
  upgrade(): Promise<void>;
  validate(): Promise<void>;
  /** May make several attempts: the work is then done again from the start. */
  read<Result>(work: (records: RecordReader) => Promise<Result>): Promise<Result>;
  /**
   * All that the work puts becomes durable together when it is done, or nothing of it. It may be done several times.
   * In between nobody else changed what it read.
   */
  write<Result>(work: (records: RecordWriter) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

const tables: readonly unknown[] = TABLES;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isChange(value: unknown): value is Change {
  if (!isList(value)) return false;
  const [table, key, text] = value;
  return (
    tables.includes(table) && typeof key === 'string' && isSafeName(key) && (text === null || typeof text === 'string')
  );
}
