import { CompiledQuery } from 'kysely';
import { ATOM_COLUMNS } from './schema.js';
import type { AtomDetailsTable } from './schema.js';
import type { ReadAtoms } from './queries.js';

/** How many atoms stand in one cell. */
const AT_ONCE = 256;
/** Of an atom with more, all together would be too long for a cell, or for the driver. */
const MOST_CHARACTERS = 65_536;

const COLUMNS = ATOM_COLUMNS.join(', ');
const LISTED_COLUMNS = ATOM_COLUMNS.filter((column) => column !== 'flow_uuid').join(', ');
const VALUES = ['meta', 'results', 'failure', 'revert_results', 'revert_failure'] as const;
const LENGTH = VALUES.map((column) => `coalesce(length(${column}), 0)`).join(' + ');

const LISTED =
  `select json_group_array(json_array(${LISTED_COLUMNS})) as list from atom_details ` +
  `where flow_uuid = ? and ${LENGTH} <= ${MOST_CHARACTERS} group by position / ${AT_ONCE}`;
const COUNT = 'select count(*) as count from atom_details where flow_uuid = ?';
const OTHERS = `select ${COLUMNS} from atom_details where flow_uuid = ? and ${LENGTH} > ${MOST_CHARACTERS}`;
const ALL = `select ${COLUMNS} from atom_details where flow_uuid = ?`;

/** What SQLite says where bytes stand in place of text: a record is corrupted, and JSON cannot tell of it. */
const HAS_BYTES = /JSON cannot hold BLOB/;

/**
 * Reads the atoms of a flow as lists of JSON, hundreds in a cell: an SQLite driver takes longest for each cell, and JSON
 * is soon read. Those with large values are read by themselves.
 */
export const atomsInLists: ReadAtoms = async (db, flow) => {
  const ask = async <Row>(text: string) => (await db.executeQuery<Row>(CompiledQuery.raw(text, [flow]))).rows;
  const atoms: AtomDetailsTable[] = [];
  try {
    for (const { list } of await ask<{ readonly list: string }>(LISTED)) {
      for (const listed of JSON.parse(list) as ListedAtom[]) atoms.push(fromList(flow, listed));
    }
  } catch (error) {
    if (error instanceof Error && HAS_BYTES.test(error.message)) return ask<AtomDetailsTable>(ALL);
    throw error;
  }
  const [all] = await ask<{ readonly count: number }>(COUNT);
  if (all?.count === atoms.length) return atoms;
  return [...atoms, ...(await ask<AtomDetailsTable>(OTHERS))];
};

/** What stands in columns, in their order; of a flow that is known. */
type Listed<Columns extends readonly unknown[]> = Columns extends readonly [infer Column, ...infer Others]
  ? Column extends Exclude<keyof AtomDetailsTable, 'flow_uuid'>
    ? [AtomDetailsTable[Column], ...Listed<Others>]
    : Listed<Others>
  : [];

type ListedAtom = Listed<typeof ATOM_COLUMNS>;

function fromList(flow: string, listed: ListedAtom): AtomDetailsTable {
  const [uuid, name, position, kind, version, state, intention, ...values] = listed;
  const [meta, results, failure, revert_results, revert_failure] = values;
  return {
    uuid,
    flow_uuid: flow,
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
