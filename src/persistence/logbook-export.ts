import { DuplicateError, InvalidFormatError, NotFoundError } from '../errors.js';
import type { Codec, Connection, PersistenceBackend } from './backend.js';
import { jsonCodec } from './codecs/json.js';
import type { FlowDetail, LogBook } from './details.js';
import { flowToRecord, logbookToRecord } from './records.js';
import type { JournalEntry } from './journal-entry.js';
import type { AtomRow, FlowRow, JournalRow, LogBookRow, Read } from './rows.js';
import { RowFormat } from './rows.js';
import { lastOfEach } from './save-plan.js';
import { usingConnection } from './using-connection.js';

const FORMAT = 'flowstate-logbook';
const VERSION = 1;

/** A book with everything in it, as JSON. */
export interface LogbookExport {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  /** Whether results and metadata stand there as they are, or as the text that the backend's codec made of them. */
  readonly values: 'json' | 'codec';
  readonly book: Readonly<Record<string, unknown>>;
  readonly flows: readonly ExportedFlow[];
}

export interface ExportedFlow {
  readonly flow: Readonly<Record<string, unknown>>;
  readonly atoms: readonly Readonly<Record<string, unknown>>[];
  /** Its journal; absent where none was kept. */
  readonly journal?: readonly Readonly<Record<string, unknown>>[];
}

/** What the codec writes of an atom. */
const ATOM_VALUES = ['meta', 'results', 'revertResults'] as const;
/** What is JSON with any codec. */
const ATOM_FAILURES = ['failure', 'revertFailure'] as const;
const ENTRY_CAUSE = ['cause'] as const;
const BOOK_VALUES = ['meta'] as const;

export interface ExportOptions {
  /** How values become text. @default that of the backend; without one, JSON */
  readonly codec?: Codec | undefined;
}

/**
 * Writes a book down with its runs, their atoms, results, failures, attempts, injected values and
 * journals: all that is stored. Of a run that goes on meanwhile, the journal may be ahead.
 *
 * @returns plain data for `JSON.stringify`.
 * @throws {NotFoundError} when it is not stored.
 * @throws {UnstorableValueError} for a value that is no JSON, in a backend that keeps values as they are.
 */
export async function exportLogbook(
  backend: PersistenceBackend,
  uuid: string,
  { codec = backend.codec ?? jsonCodec }: ExportOptions = {},
): Promise<LogbookExport> {
  const { book, journals } = await usingConnection(backend, async (connection) => {
    const stored = await connection.getLogbook(uuid);
    return { book: stored, journals: await journalsOf(connection, stored.flows) };
  });
  const rows = new RowFormat(codec);
  const values = codec === jsonCodec ? 'json' : 'codec';
  const opened = values === 'json' ? parsed : (text: string) => text;
  return {
    format: FORMAT,
    version: VERSION,
    values,
    book: withEach(rows.encodeLogbook(logbookToRecord(book)), BOOK_VALUES, opened),
    flows: book.flows.map((flow) => ({
      flow: withEach(rows.encodeFlow(flowToRecord(flow)), BOOK_VALUES, opened),
      atoms: flow.atoms.map((atom) =>
        withEach(withEach(rows.encodeAtom(atom), ATOM_VALUES, opened), ATOM_FAILURES, parsed),
      ),
      ...exportedJournal(journals.get(flow.uuid), rows),
    })),
  };
}

async function journalsOf(
  connection: Connection,
  flows: readonly FlowDetail[],
): Promise<ReadonlyMap<string, readonly JournalEntry[]>> {
  const journals = new Map<string, readonly JournalEntry[]>();
  for (const { uuid } of flows) journals.set(uuid, await connection.getJournal(uuid));
  return journals;
}

function exportedJournal(entries: readonly JournalEntry[] | undefined, rows: RowFormat): Pick<ExportedFlow, 'journal'> {
  if (entries === undefined || entries.length === 0) return {};
  return { journal: entries.map((entry) => withEach(rows.encodeEntry(entry), ENTRY_CAUSE, parsed)) };
}

function parsed(text: string): unknown {
  return JSON.parse(text);
}

/** A row with the text in some of its columns replaced; null stays. */
function withEach(row: object, columns: readonly string[], change: (text: string) => unknown): Record<string, unknown> {
  const changed = new Map<string, unknown>(Object.entries(row));
  for (const column of columns) {
    const text = changed.get(column);
    if (typeof text === 'string') changed.set(column, change(text));
  }
  return Object.fromEntries(changed);
}

export interface ImportOptions {
  /** How values were made text, where they were. @default that of the backend */
  readonly codec?: Codec | undefined;
  /** Whether it takes the place of a book with this uuid, of which nothing stays; in one commit. @default false */
  readonly replace?: boolean | undefined;
}

/**
 * Stores a book that was written down by `exportLogbook`: all of it, or nothing.
 *
 * @param exported - What was exported, or its text.
 * @returns the book as it is stored now.
 * @throws {InvalidFormatError} for anything else, naming the record that is wrong.
 * @throws {DuplicateError} for a book that is stored already, unless it is to be replaced; and for a run or an atom that
 * is stored in another book.
 * @throws {UnstorableValueError} for a value that the backend cannot keep.
 */
export async function importLogbook(
  backend: PersistenceBackend,
  exported: LogbookExport | string,
  { codec, replace = false }: ImportOptions = {},
): Promise<LogBook> {
  const { book, journals } = readExport(exported, codec ?? backend.codec ?? jsonCodec);
  return usingConnection(backend, async (connection) => {
    const stored = replace ? null : await storedBook(connection, book.uuid);
    if (stored === null) return connection.saveLogbook(book, { journals, replace });
    throw new DuplicateError(
      `There is a logbook ${book.uuid} ('${stored.name}') already: give replace: true to have it replaced`,
    );
  });
}

async function storedBook(connection: Connection, uuid: string): Promise<LogBook | null> {
  try {
    return await connection.getLogbook(uuid, { lazy: true });
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

interface ReadBook {
  readonly book: LogBook;
  readonly journals: ReadonlyMap<string, readonly JournalEntry[]>;
}

function readExport(exported: unknown, codec: Codec): ReadBook {
  const fields = fieldsOf(typeof exported === 'string' ? parsedExport(exported) : exported, 'The export of a logbook');
  if (fields.get('format') !== FORMAT) throw wrong(`format takes ${FORMAT}`, fields.get('format'));
  if (fields.get('version') !== VERSION) throw wrong(`version takes ${VERSION}`, fields.get('version'));
  const values = fields.get('values');
  if (values !== 'json' && values !== 'codec') throw wrong('values takes json or codec', values);
  if (values === 'codec' && codec === jsonCodec) {
    throw new InvalidFormatError(
      'The values of this export of a logbook were written by a codec of its own: give it as codec',
    );
  }
  const rows = new RowFormat(values === 'json' ? jsonCodec : codec);
  const closed = (value: unknown) => (values === 'json' ? written(value) : value);
  const journals = new Map<string, readonly JournalEntry[]>();
  const flows = listOf(fields.get('flows'), 'flows').map((entry, number): FlowDetail => {
    const parts = fieldsOf(entry, `The run ${number} of the export`);
    const atoms = listOf(parts.get('atoms'), `atoms of the run ${number}`).map((atom) => {
      const row = fieldsOf(atom, `An atom of the run ${number} of the export`);
      for (const column of ATOM_VALUES) row.set(column, closed(row.get(column)));
      for (const column of ATOM_FAILURES) row.set(column, written(row.get(column)));
      return rows.decodeAtom(Object.fromEntries(row) as Read<AtomRow>);
    });
    const row = fieldsOf(parts.get('flow'), `The run ${number} of the export`);
    row.set('meta', closed(row.get('meta')));
    const flow = rows.decodeFlow(Object.fromEntries(row) as Read<FlowRow>, atoms);
    journals.set(flow.uuid, readEntries(parts.get('journal'), number, rows));
    return flow;
  });
  refuseTwice(flows);
  const row = fieldsOf(fields.get('book'), 'The book of the export');
  row.set('meta', closed(row.get('meta')));
  return { book: rows.decodeLogbook(Object.fromEntries(row) as Read<LogBookRow>, flows), journals };
}

function readEntries(given: unknown, number: number, rows: RowFormat): readonly JournalEntry[] {
  if (given === undefined || given === null) return [];
  return listOf(given, `journal of the run ${number}`).map((entry, index) => {
    const row = fieldsOf(entry, `An entry of the journal of the run ${number} of the export`);
    row.set('cause', written(row.get('cause')));
    const read = rows.decodeEntry(Object.fromEntries(row) as Read<JournalRow>);
    if (read.sequence === index + 1) return read;
    throw wrong(`the journal of the run ${number} takes the entry ${index + 1}`, read.sequence);
  });
}

/** A store would keep the last of two. */
function refuseTwice(flows: readonly FlowDetail[]): void {
  if (lastOfEach(flows).length < flows.length) throw wrong('flows takes each run once', 'one twice');
  for (const { name, atoms } of flows) {
    if (lastOfEach(atoms).length < atoms.length) throw wrong(`the run of ${name} takes each atom once`, 'one twice');
  }
}

function parsedExport(text: string): unknown {
  try {
    return parsed(text);
  } catch (cause) {
    throw new InvalidFormatError('The export of a logbook is not JSON', { cause });
  }
}

/** A value as the text that a row holds; what is missing stays so. */
function written(value: unknown): unknown {
  return value === undefined || value === null ? null : JSON.stringify(value);
}

function fieldsOf(value: unknown, what: string): Map<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return new Map(Object.entries(value));
  throw new InvalidFormatError(`${what} takes an object, got ${value === null ? 'null' : typeof value}`);
}

function listOf(value: unknown, what: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(`${what} takes a list`, value);
}

function wrong(takes: string, got: unknown): InvalidFormatError {
  const shown = typeof got === 'object' && got !== null ? 'something else' : String(got);
  return new InvalidFormatError(`The export of a logbook is corrupted: ${takes}, got ${shown}`);
}
