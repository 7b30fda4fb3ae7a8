import { sql } from 'kysely';
import type { CompiledQuery, Kysely } from 'kysely';
import type { UnitOfWork } from '../../backend.js';
import type { AtomRow, JournalRow } from '../../rows.js';
import { addAtomParameters, ATOM_COLUMNS, entryToColumns, JOURNAL_COLUMNS } from './schema.js';
import type { AtomDetailsTable, JournalEntriesTable, Schema } from './schema.js';
import { toColumn } from './text-column.js';
import type { Upsert } from './upsert.js';

/** A unit of work whose values are text already. */
export interface Commit {
  readonly unit: UnitOfWork;
  /** Encoded, when it changed. */
  readonly meta: string | undefined;
  readonly atoms: readonly AtomRow[];
  readonly journal: readonly JournalRow[];
}

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

export interface WriteStatement extends Statement {
  /** How many rows are affected when all is well; null where the statement is refused when it is not. */
  readonly rows: number | null;
}

/** What a database lets one statement have. */
export interface StatementLimits {
  readonly parameters: number;
  /** Of all its values together, in bytes. */
  readonly bytes: number;
}

/** More rows than this in one statement gain nothing. */
const MOST_ROWS = 100;
/** A character has at most so many bytes. */
const BYTES_IN_CHARACTER = 4;

/** The statements of commits: built once for each of their shapes, and then only given parameters. */
export class CommitStatements {
  readonly #built = new Map<string, string>();
  readonly #db: Kysely<Schema>;
  readonly #upsert: Upsert;
  readonly #characters: number;
  /** How many rows of atoms, or how many ids, one statement takes. */
  readonly rowsAtOnce: number;
  readonly #entriesAtOnce: number;

  constructor(db: Kysely<Schema>, limits: StatementLimits, upsert: Upsert) {
    this.#db = db;
    this.#upsert = upsert;
    this.#characters = limits.bytes / BYTES_IN_CHARACTER;
    this.rowsAtOnce = Math.max(1, Math.min(MOST_ROWS, Math.floor(limits.parameters / ATOM_COLUMNS.length)));
    this.#entriesAtOnce = Math.max(1, Math.min(MOST_ROWS, Math.floor(limits.parameters / JOURNAL_COLUMNS)));
  }

  /** Takes a flow to its next revision, where it is as the unit of work expects it. */
  advance({ unit, meta }: Pick<Commit, 'unit' | 'meta'>): Statement {
    const { flowUuid, expectedRevision, fence } = unit;
    const changes = changesOf(unit, meta);
    const text = this.#build(`advance ${[...changes.keys()].join()}`, () => {
      const update = this.#db
        .updateTable('flow_details')
        .set({ ...Object.fromEntries(changes), revision: sql<number>`revision + 1` })
        .where('uuid', '=', '')
        .where('revision', '=', 0);
      return (fence === undefined ? update : update.where('fence', '<=', fence)).compile();
    });
    const parameters = [...changes.values(), toColumn(flowUuid), expectedRevision];
    if (fence !== undefined) parameters.push(fence);
    return { sql: text, parameters };
  }

  /**
   * Inserts atoms of a flow, or writes them over the stored ones; not over those of another flow or kind.
   *
   * @param options.keepNames - Not over those of another name either, which may be quicker.
   */
  writes(
    flowUuid: string,
    atoms: readonly AtomRow[],
    { keepNames = false }: { readonly keepNames?: boolean } = {},
  ): WriteStatement[] {
    const { clause, clauseForSameNames, counts } = this.#upsert;
    const upsert = keepNames ? (clauseForSameNames ?? clause) : clause;
    const flow = toColumn(flowUuid);
    return this.#chunks(atoms).map((chunk) => {
      const parameters: unknown[] = [];
      for (const atom of chunk) addAtomParameters(parameters, flow, atom);
      return {
        sql: this.#build(`write ${chunk.length} ${keepNames}`, () => this.#write(chunk.length, upsert)),
        parameters,
        rows: counts ? chunk.length : null,
      };
    });
  }

  /** Adds entries to the journal of a flow. It is refused where one of their numbers is taken. */
  journalWrites(flowUuid: string, entries: readonly JournalRow[]): WriteStatement[] {
    const flow = toColumn(flowUuid);
    const statements: WriteStatement[] = [];
    for (let start = 0; start < entries.length; start += this.#entriesAtOnce) {
      const chunk = entries.slice(start, start + this.#entriesAtOnce);
      statements.push({
        sql: this.#build(`journal ${chunk.length}`, () => this.#insertEntries(chunk.length)),
        parameters: chunk.flatMap((entry): unknown[] => Object.values(entryToColumns(flow, entry))),
        rows: chunk.length,
      });
    }
    return statements;
  }

  #insertEntries(rows: number): CompiledQuery {
    return this.#db
      .insertInto('journal_entries')
      .values(Array.from({ length: rows }, () => EMPTY_ENTRY))
      .compile();
  }

  #chunks(atoms: readonly AtomRow[]): (readonly AtomRow[])[] {
    const chunks: (readonly AtomRow[])[] = [];
    let start = 0;
    let characters = 0;
    for (let index = 0; index < atoms.length; index++) {
      const more = charactersIn(atoms[index]);
      if (index > start && (index - start === this.rowsAtOnce || characters + more > this.#characters)) {
        chunks.push(atoms.slice(start, index));
        start = index;
        characters = 0;
      }
      characters += more;
    }
    if (start < atoms.length) chunks.push(start === 0 ? atoms : atoms.slice(start));
    return chunks;
  }

  #write(rows: number, upsert: string): CompiledQuery {
    return this.#db
      .insertInto('atom_details')
      .values(Array.from({ length: rows }, () => EMPTY_ATOM))
      .modifyEnd(sql.raw(upsert))
      .compile();
  }

  #build(shape: string, build: () => CompiledQuery): string {
    const built = this.#built.get(shape) ?? build().sql;
    this.#built.set(shape, built);
    return built;
  }
}

/** The columns that a unit of work changes in its flow, beside the revision. */
export function changesOf(
  { id, state, at, fence }: UnitOfWork,
  meta: string | undefined,
): ReadonlyMap<string, string | number | null> {
  const changes = new Map<string, string | number | null>([['last_commit', id === undefined ? null : toColumn(id)]]);
  if (state !== undefined) changes.set('state', state);
  if (meta !== undefined) changes.set('meta', meta);
  if (at !== undefined) changes.set('updated_at', at);
  if (fence !== undefined) changes.set('fence', fence);
  return changes;
}

/** Of its values: what may be large. */
export function charactersIn(atom: AtomRow | undefined): number {
  if (atom === undefined) return 0;
  const length = (text: string | null) => text?.length ?? 0;
  const { meta, results, failure, revertResults, revertFailure } = atom;
  return length(meta) + length(results) + length(failure) + length(revertResults) + length(revertFailure);
}

/** Stands for any entry of a journal; its columns are in the order of `entryToColumns`. */
const EMPTY_ENTRY: JournalEntriesTable = entryToColumns('', {
  sequence: 0,
  at: 0,
  kind: 'task',
  name: '',
  uuid: '',
  from: null,
  event: null,
  to: null,
  cause: null,
});

/** Stands for any atom when a statement is built; its columns are in the order of `ATOM_COLUMNS`. */
const EMPTY_ATOM: AtomDetailsTable = {
  uuid: '',
  flow_uuid: '',
  name: '',
  position: 0,
  kind: 'task',
  version: null,
  state: null,
  intention: 'EXECUTE',
  meta: '',
  results: null,
  failure: null,
  revert_results: null,
  revert_failure: null,
};
