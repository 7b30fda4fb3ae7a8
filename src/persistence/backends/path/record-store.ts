import { createHash } from 'node:crypto';

/** The kinds of records, and the names of the places where they are. */
export const TABLES = ['books', 'flow_details', 'flow_atoms', 'atom_details', 'journal_pages'] as const;

export type Table = (typeof TABLES)[number];

/** What a commit writes into a record; null when it removed it. */
export type Change = readonly [table: Table, key: string, text: string | null];

/** Reads records. All that one piece of work reads was there at one moment. */
export interface RecordReader {
  /** @param keys - As `keyOf` makes them. @returns A text or null for each of them. */
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

const LONGEST_KEY = 160;
const KEPT_OF_LONG = 80;
/** Names that mean a device on Windows. */
const DEVICE = /^(?:con|prn|aux|nul|com\d|lpt\d)$/;

/**
 * The name of a record: any text becomes one that is safe as a file name everywhere.
 *
 * It has only lower-case letters, digits, `_`, `-`, `%` and `~`, so that no two become one where case or Unicode forms
 * count for nothing. A long one ends with a digest.
 */
export function keyOf(uuid: string): string {
  const escaped = uuid.replaceAll(/[^a-z0-9_-]/g, escapeUnit);
  const safe = escaped === '' ? '%' : DEVICE.test(escaped) ? `%${escaped}` : escaped;
  if (safe.length <= LONGEST_KEY) return safe;
  return `${safe.slice(0, KEPT_OF_LONG)}~${createHash('sha256').update(safe).digest('hex')}`;
}

/** One UTF-16 unit, which may be half a character. */
function escapeUnit(unit: string): string {
  const code = unit.charCodeAt(0).toString(16);
  return code.length <= 2 ? `%${code.padStart(2, '0')}` : `%u${code.padStart(4, '0')}`;
}

/** Whether a name can be one that `keyOf` made. */
export function isKey(name: string): boolean {
  return /^[a-z0-9_%~-]+$/.test(name) && name.length <= LONGEST_KEY;
}

const tables: readonly unknown[] = TABLES;

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isChange(value: unknown): value is Change {
  if (!isList(value)) return false;
  const [table, key, text] = value;
  return tables.includes(table) && typeof key === 'string' && isKey(key) && (text === null || typeof text === 'string');
}
