import { flowMachine, retryMachine, taskMachine } from '../../machines/index.js';
import { compileChart } from '../interpreter/chart.js';
import type { Connection } from '../persistence/backend.js';
import type { FlowDetail } from '../persistence/details.js';
import { foldJournal } from '../persistence/fold-journal.js';
import type { JournalEntry } from '../persistence/journal-entry.js';
import { isReserved } from '../storage/reserved.js';

const CHARTS = {
  flow: compileChart(flowMachine),
  task: compileChart(taskMachine),
  retry: compileChart(retryMachine),
};

/** A page is small here, so that several are read. */
const PAGE = 7;

/** What a stored journal tells otherwise than its run is stored; nothing where it is as it should be. */
export async function journalObjections(connection: Connection, flowUuid: string): Promise<string[]> {
  const detail = await connection.getFlowDetail(flowUuid);
  const entries: JournalEntry[] = [];
  for (let page = PAGE; page === PAGE;) {
    const read = await connection.getJournal(flowUuid, { after: entries.at(-1)?.sequence ?? 0, limit: PAGE });
    entries.push(...read);
    page = read.length;
  }
  return objectionsTo(entries, detail);
}

/** The same of a journal and a run that have been read. */
export function objectionsTo(entries: readonly JournalEntry[], detail: FlowDetail): string[] {
  const { flow, atoms } = foldJournal(entries);
  const stored = detail.atoms.filter(({ name }) => !isReserved(name));
  const told = (uuid: string) => atoms.get(uuid);
  return [
    ...entries.flatMap(illegal),
    ...broken(entries),
    ...((flow?.state ?? 'PENDING') === (detail.state ?? 'PENDING')
      ? []
      : [`the flow is stored as ${String(detail.state)} and told to be ${String(flow?.state)}`]),
    ...stored.flatMap(({ uuid, name, state }) =>
      told(uuid)?.state === state && told(uuid)?.name === name
        ? []
        : [`${name} is stored as ${String(state)} and told to be ${JSON.stringify(told(uuid) ?? null)}`],
    ),
    ...(atoms.size === stored.length ? [] : [`${atoms.size} atoms are told of and ${stored.length} stored`]),
  ];
}

/** An entry with an event that the chart does not take from one state to the other. */
function illegal({ sequence, entity: { kind, name }, from, event, to }: JournalEntry): string[] {
  if (event === null) return [];
  const branches = CHARTS[kind].states.get(from ?? 'PENDING')?.branches.get(event) ?? [];
  const isLegal = branches.some(({ target }) => target === to);
  return isLegal ? [] : [`the entry ${sequence} takes the ${kind} ${name} from ${from} to ${to} by ${event}`];
}

/** Entries that do not begin where the one before of the same entity ended. */
function broken(entries: readonly JournalEntry[]): string[] {
  const states = new Map<string, JournalEntry['to']>();
  return entries.flatMap(({ sequence, entity: { uuid, name }, from, to }) => {
    const before = states.get(uuid) ?? null;
    states.set(uuid, to);
    return before === from ? [] : [`the entry ${sequence} finds ${name} in ${from}, it was left in ${before}`];
  });
}
