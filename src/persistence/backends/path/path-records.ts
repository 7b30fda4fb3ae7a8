import { InvalidFormatError, NotFoundError } from '../../../errors.js';
import { flowFromRecord, flowToRecord, logbookFromRecord, logbookToRecord } from '../../records.js';
import type { AtomRow, FlowRow, JournalRow, LogBookRow, Read } from '../../rows.js';
import { safeName } from '../../../safe-name.js';
import type { RecordReader, RecordWriter, Table } from './record-store.js';

export interface BookEntry {
  readonly book: LogBookRow;
  /** In the order in which they were added. */
  readonly flows: readonly string[];
}

export interface FlowEntry {
  readonly bookUuid: string;
  readonly flow: FlowRow;
}

export interface AtomEntry {
  readonly flowUuid: string;
  readonly atom: AtomRow;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Reads what records say.
 *
 * @throws {InvalidFormatError} for one that is corrupted, naming it.
 */
export class PathRecords {
  readonly #records: RecordReader;

  constructor(records: RecordReader) {
    this.#records = records;
  }

  async book(uuid: string): Promise<BookEntry | null> {
    const [entry = null] = await this.#entries('books', [uuid], bookEntry);
    return entry;
  }

  async flow(uuid: string): Promise<FlowEntry> {
    const [entry = null] = await this.flows([uuid]);
    if (entry === null) throw new NotFoundError(`There is no flow detail ${uuid}`);
    return entry;
  }

  flows(uuids: readonly string[]): Promise<(FlowEntry | null)[]> {
    return this.#entries('flow_details', uuids, flowEntry);
  }

  atoms(uuids: readonly string[]): Promise<(AtomEntry | null)[]> {
    return this.#entries('atom_details', uuids, atomEntry);
  }

  async atomUuids(flowUuid: string): Promise<readonly string[]> {
    const [uuids = null] = await this.#entries('flow_atoms', [flowUuid], ({ atoms }) => texts(atoms, 'atoms'));
    return uuids ?? [];
  }

  async atomsOf(flowUuid: string): Promise<AtomRow[]> {
    const uuids = await this.atomUuids(flowUuid);
    const entries = await this.atoms(uuids);
    return entries.map((entry, index) => {
      if (entry !== null) return entry.atom;
      throw corrupted('flow_atoms', safeName(flowUuid), `the atom detail ${uuids[index]} that it names is not there`);
    });
  }

  /** Pages of journals, by their names. */
  async journalPages(names: readonly string[]): Promise<(readonly Read<JournalRow>[] | null)[]> {
    return this.#entries('journal_pages', names, journalPage);
  }

  async allBooks(): Promise<BookEntry[]> {
    return this.#all('books', bookEntry);
  }

  async allFlows(): Promise<FlowEntry[]> {
    return this.#all('flow_details', flowEntry);
  }

  async #all<Entry>(table: Table, read: (fields: Fields) => Entry): Promise<Entry[]> {
    const keys = await this.#records.keys(table);
    const records = await this.#records.get(table, keys);
    return records.flatMap((text, index) => (text === null ? [] : [parse(table, keys[index] ?? '', text, read)]));
  }

  async #entries<Entry>(
    table: Table,
    uuids: readonly string[],
    read: (fields: Fields) => Entry,
  ): Promise<(Entry | null)[]> {
    const keys = uuids.map(safeName);
    const records = await this.#records.get(table, keys);
    return records.map((text, index) => (text === null ? null : parse(table, keys[index] ?? '', text, read)));
  }
}

export function putBook(records: RecordWriter, { book, flows }: BookEntry): void {
  records.put('books', safeName(book.uuid), JSON.stringify({ ...book, flows }));
}

export function putFlow(records: RecordWriter, { bookUuid, flow }: FlowEntry): void {
  records.put('flow_details', safeName(flow.uuid), JSON.stringify({ ...flow, bookUuid }));
}

export function putAtoms(records: RecordWriter, flowUuid: string, atoms: readonly AtomRow[]): void {
  for (const atom of atoms) records.put('atom_details', safeName(atom.uuid), JSON.stringify({ ...atom, flowUuid }));
}

export function putAtomUuids(records: RecordWriter, uuid: string, atoms: readonly string[]): void {
  records.put('flow_atoms', safeName(uuid), JSON.stringify({ uuid, atoms }));
}

export function putJournalPage(records: RecordWriter, uuid: string, entries: readonly Read<JournalRow>[]): void {
  records.put('journal_pages', safeName(uuid), JSON.stringify({ uuid, entries }));
}

export function removeJournalPage(records: RecordWriter, uuid: string): void {
  records.put('journal_pages', safeName(uuid), null);
}

function journalPage({ entries }: Fields): readonly Read<JournalRow>[] {
  if (Array.isArray(entries) && entries.every(isFields)) return entries as unknown as readonly Read<JournalRow>[];
  throw new InvalidFormatError('entries takes a list of objects');
}

function bookEntry({ flows, ...row }: Fields): BookEntry {
  const book = logbookToRecord(logbookFromRecord({ ...row, meta: null }));
  return { book: { ...book, meta: text(row['meta'], 'meta') }, flows: texts(flows, 'flows') };
}

function flowEntry({ bookUuid, ...row }: Fields): FlowEntry {
  const flow = flowToRecord(flowFromRecord({ ...row, meta: null }));
  return { bookUuid: text(bookUuid, 'bookUuid'), flow: { ...flow, meta: text(row['meta'], 'meta') } };
}

function atomEntry({ flowUuid, ...atom }: Fields): AtomEntry {
  if (!isAtomRow(atom)) throw new InvalidFormatError('it is not the record of an atom detail');
  return { flowUuid: text(flowUuid, 'flowUuid'), atom };
}

/** What its values hold, and its state and intention, is looked at when it is decoded. */
function isAtomRow(row: object): row is AtomRow {
  const fields = new Map<string, unknown>(Object.entries(row));
  const isTextOrNull = (name: string) => fields.get(name) === null || typeof fields.get(name) === 'string';
  return (
    ['uuid', 'name', 'intention', 'meta'].every((name) => typeof fields.get(name) === 'string') &&
    ['version', 'state', 'results', 'failure', 'revertResults', 'revertFailure'].every(isTextOrNull) &&
    Number.isSafeInteger(fields.get('position')) &&
    (fields.get('kind') === 'task' || fields.get('kind') === 'retry')
  );
}

function parse<Entry>(table: Table, key: string, record: string, read: (fields: Fields) => Entry): Entry {
  let parsed: unknown;
  try {
    parsed = JSON.parse(record);
  } catch (cause) {
    throw corrupted(table, key, 'it is not JSON', cause);
  }
  if (!isFields(parsed)) throw corrupted(table, key, 'it is not an object');
  const { uuid } = parsed;
  if (typeof uuid !== 'string' || safeName(uuid) !== key) {
    throw corrupted(table, key, `it has the uuid of another one, ${JSON.stringify(uuid)}`);
  }
  try {
    return read(parsed);
  } catch (cause) {
    throw corrupted(table, key, cause instanceof Error ? cause.message : String(cause), cause);
  }
}

function corrupted(table: Table, key: string, reason: string, cause?: unknown): InvalidFormatError {
  return new InvalidFormatError(
    `The record ${table}/${key} is corrupted: ${reason}`,
    cause === undefined ? {} : { cause },
  );
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new InvalidFormatError(`${name} takes text, got ${JSON.stringify(value)}`);
}

function texts(value: unknown, name: string): readonly string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
  throw new InvalidFormatError(`${name} takes a list of texts`);
}
