import { createHash } from 'node:crypto';
import { changesOf } from './commit-statements.js';
import type { Commit, CommitStatements } from './commit-statements.js';
import type { DurablePool, PgQuery } from './postgres-driver.js';
import { addAtomParameters, ATOM_COLUMNS } from './schema.js';
import { toColumn } from './text-column.js';
import { ON_CONFLICT } from './upsert.js';

/** What parameters are in a list of values, where the server cannot know it. */
const TYPES: readonly string[] = ATOM_COLUMNS.map((column) => {
  if (column === 'position') return 'integer';
  return ['meta', 'results', 'failure', 'revert_results', 'revert_failure'].includes(column) ? 'json' : 'text';
});
const DIVISION_BY_ZERO = '22012';
/** Statements for more atoms are seldom asked for again: the server does not keep them prepared. */
const MOST_PREPARED_ATOMS = 16;

/**
 * Commits in one statement, hence in one round trip: it takes the flow to its next revision, and writes the atoms if
 * that was so. It fails, and with it all it did, when an atom could not be written.
 */
export class PostgresCommit {
  readonly #pool: DurablePool;
  readonly #schema: string;
  readonly #built = new Map<string, Pick<PgQuery, 'text' | 'name'>>();

  constructor(pool: DurablePool, schema: string) {
    this.#pool = pool;
    this.#schema = `"${schema.replaceAll('"', '""')}"`;
  }

  /** @returns Whether it was applied; otherwise nothing was changed. */
  async apply({ unit, meta, atoms, journal }: Commit, { rowsAtOnce }: CommitStatements): Promise<boolean> {
    if (atoms.length > rowsAtOnce || journal.length > 0) return false;
    const { flowUuid, expectedRevision, fence } = unit;
    const changes = changesOf(unit, meta);
    const shape = `${[...changes.keys()].join()} ${atoms.length}`;
    let query = this.#built.get(shape);
    if (query === undefined) {
      query = this.#build([...changes.keys()], fence !== undefined, atoms.length);
      this.#built.set(shape, query);
    }
    const values: unknown[] = [...changes.values(), toColumn(flowUuid), expectedRevision];
    if (fence !== undefined) values.push(fence);
    for (const atom of atoms) addAtomParameters(values, toColumn(flowUuid), atom);
    const client = await this.#pool.connect();
    try {
      const { rowCount } = await client.ask({ ...query, values });
      return rowCount === 1;
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === DIVISION_BY_ZERO) return false;
      throw error;
    } finally {
      client.release();
    }
  }

  #build(changed: readonly string[], isFenced: boolean, atoms: number): Pick<PgQuery, 'text' | 'name'> {
    let count = 0;
    const next = () => `$${(count += 1)}`;
    const assignments = changed.map((column) => `${column} = ${next()}`);
    const advance = [
      `update ${this.#schema}.flow_details set ${assignments.join(', ')}, revision = revision + 1`,
      `where uuid = ${next()} and revision = ${next()}${isFenced ? ` and fence <= ${next()}` : ''}`,
    ].join(' ');
    const text = atoms === 0 ? advance : this.#withAtoms(advance, atoms, next);
    if (atoms > MOST_PREPARED_ATOMS) return { text };
    // Its name follows from the text: connections of one pool may be used by several backends.
    return { text, name: `flowstate_${createHash('sha256').update(text).digest('hex').slice(0, 32)}` };
  }

  #withAtoms(advance: string, atoms: number, next: () => string): string {
    const columns = ATOM_COLUMNS.join(', ');
    const row = () => `(${TYPES.map((type) => `${next()}::${type}`).join(', ')})`;
    return [
      `with advanced as (${advance} returning 1),`,
      `written as (insert into ${this.#schema}.atom_details (${columns})`,
      `select ${columns} from (values ${Array.from({ length: atoms }, row).join(', ')}) as given (${columns})`,
      'where exists (select from advanced)',
      `${ON_CONFLICT.clause} returning 1)`,
      `select 1 / (case (select count(*) from written) when ${atoms} then 1 else 0 end) from advanced`,
    ].join(' ');
  }
}
