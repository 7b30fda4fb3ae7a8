import type { AtomDetail } from '../../details.js';
import type { AtomRow, FlowRow, JournalRow, LogBookRow } from '../../rows.js';
import { fromColumn, toColumn } from './text-column.js';

/** The tables, as the query builder knows them. Migrations are what makes them so. */
export interface Schema {
  logbooks: LogbooksTable;
  flow_details: FlowDetailsTable;
  atom_details: AtomDetailsTable;
  journal_entries: JournalEntriesTable;
}

export interface LogbooksTable {
  uuid: string;
  name: string;
  meta: string;
  created_at: number;
  updated_at: number | null;
}

export interface FlowDetailsTable {
  uuid: string;
  book_uuid: string;
  /** The order in which flow details were added to their book. */
  position: number;
  name: string;
  state: FlowRow['state'];
  meta: string;
  revision: number;
  created_at: number;
  updated_at: number;
  fence: number;
  last_commit: string | null;
}

export interface AtomDetailsTable {
  uuid: string;
  flow_uuid: string;
  name: string;
  position: number;
  kind: AtomDetail['kind'];
  version: string | null;
  state: AtomRow['state'];
  intention: AtomRow['intention'];
  meta: string;
  results: string | null;
  failure: string | null;
  revert_results: string | null;
  revert_failure: string | null;
}

export interface JournalEntriesTable {
  flow_uuid: string;
  sequence: number;
  happened_at: number;
  entity_kind: JournalRow['kind'];
  entity_uuid: string;
  entity_name: string;
  from_state: JournalRow['from'];
  event: string | null;
  to_state: JournalRow['to'];
  cause: string | null;
}

export const JOURNAL_COLUMNS = 10;

/** @param flow - The uuid of its flow, as a column. */
export function entryToColumns(flow: string, entry: JournalRow): JournalEntriesTable {
  return {
    flow_uuid: flow,
    sequence: entry.sequence,
    happened_at: entry.at,
    entity_kind: entry.kind,
    entity_uuid: toColumn(entry.uuid),
    entity_name: toColumn(entry.name),
    from_state: entry.from,
    event: entry.event,
    to_state: entry.to,
    cause: entry.cause,
  };
}

export function entryFromColumns(columns: JournalEntriesTable): JournalRow {
  return {
    sequence: wholeNumber(columns.sequence),
    at: wholeNumber(columns.happened_at),
    kind: columns.entity_kind,
    name: fromColumn(columns.entity_name),
    uuid: fromColumn(columns.entity_uuid),
    from: columns.from_state,
    event: columns.event,
    to: columns.to_state,
    cause: columns.cause,
  };
}

export const ATOM_COLUMNS = [
  'uuid',
  'flow_uuid',
  'name',
  'position',
  'kind',
  'version',
  'state',
  'intention',
  'meta',
  'results',
  'failure',
  'revert_results',
  'revert_failure',
] as const satisfies readonly (keyof AtomDetailsTable)[];

/**
 * Adds the columns of an atom, in the order of `ATOM_COLUMNS`.
 *
 * @param flow - The uuid of its flow, as a column.
 */
export function addAtomParameters(parameters: unknown[], flow: string, atom: AtomRow): void {
  parameters.push(
    toColumn(atom.uuid),
    flow,
    toColumn(atom.name),
    atom.position,
    atom.kind,
    atom.version === null ? null : toColumn(atom.version),
    atom.state,
    atom.intention,
    atom.meta,
    atom.results,
    atom.failure,
    atom.revertResults,
    atom.revertFailure,
  );
}

export function atomFromColumns(columns: AtomDetailsTable): AtomRow {
  return {
    uuid: fromColumn(columns.uuid),
    name: fromColumn(columns.name),
    position: columns.position,
    kind: columns.kind,
    version: columns.version === null ? null : fromColumn(columns.version),
    state: columns.state,
    intention: columns.intention,
    meta: columns.meta,
    results: columns.results,
    failure: columns.failure,
    revertResults: columns.revert_results,
    revertFailure: columns.revert_failure,
  };
}

export function flowToColumns(bookUuid: string, position: number, flow: FlowRow): FlowDetailsTable {
  return {
    uuid: toColumn(flow.uuid),
    book_uuid: toColumn(bookUuid),
    position,
    name: toColumn(flow.name),
    state: flow.state,
    meta: flow.meta,
    revision: flow.revision,
    created_at: flow.createdAt,
    updated_at: flow.updatedAt,
    fence: flow.fence,
    last_commit: flow.lastCommit === null ? null : toColumn(flow.lastCommit),
  };
}

export function flowFromColumns(columns: FlowDetailsTable): FlowRow {
  return {
    uuid: fromColumn(columns.uuid),
    name: fromColumn(columns.name),
    state: columns.state,
    meta: columns.meta,
    revision: columns.revision,
    createdAt: wholeNumber(columns.created_at),
    updatedAt: wholeNumber(columns.updated_at),
    fence: wholeNumber(columns.fence),
    lastCommit: columns.last_commit === null ? null : fromColumn(columns.last_commit),
  };
}

export function logbookToColumns(book: LogBookRow): LogbooksTable {
  return {
    uuid: toColumn(book.uuid),
    name: toColumn(book.name),
    meta: book.meta,
    created_at: book.createdAt,
    updated_at: book.updatedAt,
  };
}

export function logbookFromColumns(columns: LogbooksTable): LogBookRow {
  return {
    uuid: fromColumn(columns.uuid),
    name: fromColumn(columns.name),
    meta: columns.meta,
    createdAt: wholeNumber(columns.created_at),
    updatedAt: columns.updated_at === null ? null : wholeNumber(columns.updated_at),
  };
}

/** Drivers may be told to give whole numbers beyond 32 bits as text. */
function wholeNumber(column: number | string): number {
  return typeof column === 'string' ? Number(column) : column;
}
