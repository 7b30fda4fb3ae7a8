import { charactersIn } from './commit-statements.js';
import type { Commit, CommitStatements } from './commit-statements.js';
import type { StrictPool } from './mysql-driver.js';
import { addAtomParameters, ATOM_COLUMNS } from './schema.js';
import { toColumn } from './text-column.js';
import { ON_DUPLICATE_KEY } from './upsert.js';

/** More than this is not sent in one packet. */
const MOST_CHARACTERS = 500_000;

/**
 * Commits in one round trip: a transaction as one text of several statements, of which the atoms are written only if
 * the flow was taken to its next revision. It fails as a whole when an atom could not be written.
 */
export class MysqlCommit {
  readonly #pool: StrictPool;

  /** @param pool - Its connections take several statements at once. */
  constructor(pool: StrictPool) {
    this.#pool = pool;
  }

  /** @returns Whether it was applied; otherwise nothing was changed. */
  async apply(commit: Commit, statements: CommitStatements): Promise<boolean> {
    const { unit, atoms, journal } = commit;
    if (journal.length > 0) return false;
    const size = atoms.reduce((sum, atom) => sum + charactersIn(atom), 0);
    if (atoms.length > statements.rowsAtOnce || size > MOST_CHARACTERS) return false;
    const advance = statements.advance(commit);
    const connection = await this.#pool.connect();
    try {
      if (atoms.length === 0) return affectedRows(await connection.ask(advance.sql, advance.parameters)) === 1;
      const text = [
        'begin',
        advance.sql,
        'set @flowstate_advanced = row_count()',
        guarded(atoms.length),
        'commit',
      ].join(';');
      const values = [...advance.parameters];
      for (const atom of atoms) addAtomParameters(values, toColumn(unit.flowUuid), atom);
      const results = await connection.ask(text, values);
      return Array.isArray(results) && affectedRows(results[1]) === 1;
    } catch (error) {
      await connection.ask('rollback', []).catch(() => undefined);
      throw error;
    } finally {
      connection.release();
    }
  }
}

const COLUMNS = ATOM_COLUMNS.join(', ');
const FIRST_ROW = ATOM_COLUMNS.map((column) => `? as ${column}`).join(', ');
const ROW = ATOM_COLUMNS.map(() => '?').join(', ');

/** Writes atoms where the statement before it was not in vain. */
function guarded(atoms: number): string {
  const rows = Array.from({ length: atoms }, (_, index) => `select ${index === 0 ? FIRST_ROW : ROW}`).join(
    ' union all ',
  );
  return [
    `insert into atom_details (${COLUMNS}) select ${COLUMNS} from (${rows}) as given where @flowstate_advanced = 1`,
    ON_DUPLICATE_KEY.clause,
  ].join(' ');
}

function affectedRows(result: unknown): unknown {
  return typeof result === 'object' && result !== null && 'affectedRows' in result ? result.affectedRows : null;
}
