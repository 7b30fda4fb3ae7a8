import { ATOM_COLUMNS } from './schema.js';

/** How an atom is written over the stored one: what stands behind an insert. Not over one of another flow or kind. */
export interface Upsert {
  readonly clause: string;
  /**
   * The same for atoms that keep their names, where there is a quicker way: a database may write an index anew for every
   * column that is set, changed or not. An atom with another name is missing in the count.
   */
  readonly clauseForSameNames?: string;
  /** Whether an atom that is not written is missing in the count of rows; otherwise the statement is refused. */
  readonly counts: boolean;
}

const CHANGING = ATOM_COLUMNS.filter((column) => column !== 'uuid' && column !== 'flow_uuid' && column !== 'kind');

const onConflict = (columns: readonly string[], condition = '') =>
  [
    `on conflict (uuid) do update set ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}`,
    `where atom_details.flow_uuid = excluded.flow_uuid and atom_details.kind = excluded.kind${condition}`,
  ].join(' ');

export const ON_CONFLICT: Upsert = { clause: onConflict(CHANGING), counts: true };

/** Of SQLite, which writes all indexes of the columns that are set. */
export const ON_CONFLICT_IN_SQLITE: Upsert = {
  ...ON_CONFLICT,
  clauseForSameNames: onConflict(
    CHANGING.filter((column) => column !== 'name'),
    ' and atom_details.name = excluded.name',
  ),
};

/**
 * Of MySQL, where the key that is a duplicate may be any: where it is not the same atom, its kind becomes null, which
 * that column refuses.
 */
export const ON_DUPLICATE_KEY: Upsert = {
  clause: [
    'on duplicate key update',
    `kind = if(${['uuid', 'flow_uuid', 'kind'].map((column) => `atom_details.${column} = values(${column})`).join(' and ')},`,
    'atom_details.kind, null),',
    CHANGING.map((column) => `${column} = values(${column})`).join(', '),
  ].join(' '),
  counts: false,
};
