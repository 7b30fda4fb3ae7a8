import { CompiledQuery } from 'kysely';
import { ATOM_COLUMNS } from './schema.js';
import type { AtomDetailsTable } from './schema.js';
import type { ReadAtoms } from './queries.js';

/** How many atoms stand in one cell. */
const AT_ONCE = 256;
/** Of an atom with more, all together would be too long for a cell, or for the driver. */
const MOST_CHARACTERS = 65_536;

const COLUMNS = ATOM_COLUMNS.join(', ');
const VALUES = ['meta', 'results', 'failure', 'revert_results', 'revert_failure'] as const;
const LENGTH = VALUES.map((column) => `coalesce(length(${column}), 0)`).join(' + ');
const KINDS = ATOM_COLUMNS.map((column) => `typeof(${column})`).join(' || ');

/** Whether an atom can stand in a list of JSON: bytes cannot. Where something is not text, a record is corrupted. */
const CAN_BE_LISTED = `(${LENGTH} <= ${MOST_CHARACTERS} and instr(${KINDS}, 'blob') = 0)`;

const LISTED =
  `select json_group_array(json_array(${COLUMNS})) as list from atom_details ` +
  `where flow_uuid = ? and ${CAN_BE_LISTED} group by position / ${AT_ONCE}`;
const COUNT = 'select count(*) as count from atom_details where flow_uuid = ?';
const OTHERS = `select ${COLUMNS} from atom_details where flow_uuid = ? and not ${CAN_BE_LISTED}`;

/**
 * Reads the atoms of a flow as lists of JSON, hundreds in a cell: an SQLite driver takes longest for each cell, and JSON
 * is soon read. Those with large values are read by themselves.
 */
export const atomsInLists: ReadAtoms = async (db, flow) => {
  const ask = async <Row>(text: string) => (await db.executeQuery<Row>(CompiledQuery.raw(text, [flow]))).rows;
  const atoms: AtomDetailsTable[] = [];
  for (const { list } of await ask<{ readonly list: string }>(LISTED)) {
    for (const listed of JSON.parse(list) as ListedAtom[]) atoms.push(fromList(listed));
  }
  const [all] = await ask<{ readonly count: number }>(COUNT);
  if (all?.count === atoms.length) return atoms;
  return [...atoms, ...(await ask<AtomDetailsTable>(OTHERS))];
};

/** What stands in columns, in their order. */
type Listed<Columns extends readonly (keyof AtomDetailsTable)[]> = {
  [At in keyof Columns]: AtomDetailsTable[Columns[At]];
};

type ListedAtom = Listed<typeof ATOM_COLUMNS>;

function fromList(listed: ListedAtom): AtomDetailsTable {
  const [uuid, flow_uuid, name, position, kind, version, state, intention, ...values] = listed;
  const [meta, results, failure, revert_results, revert_failure] = values;
  return {
    uuid,
    flow_uuid,
    name,
    position,
    kind,
    version,
    state,
    intention,
    meta,
    results,
    failure,
    revert_results,
    revert_failure,
  };
}
