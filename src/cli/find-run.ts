import { NotFoundError } from '../errors.js';
import { printable } from '../formatters/terminal-text.js';
import { nearestName } from '../nearest-name.js';
import type { Connection, FoundFlow } from '../persistence/backend.js';
import type { FlowDetail } from '../persistence/details.js';
import { UsageError } from './usage-error.js';

/** Runs that are listed when it is not clear which one is meant. */
const MOST_LISTED = 10;

/**
 * The run that is meant by its uuid, by the beginning of it, or by the name of its flow when there is one run of it.
 *
 * @returns it without its atoms.
 * @throws {UsageError} when there is none, naming the nearest; and when there are several, with a list of them.
 */
export async function findRun(connection: Connection, text: string): Promise<FoundFlow> {
  if (text === '') throw new UsageError('A run takes its uuid, the beginning of it, or the name of its flow');
  const all = await connection.findFlowDetails();
  const exact = all.find(({ flow }) => flow.uuid === text);
  if (exact !== undefined) return exact;
  const wanted = text.toLowerCase();
  const named = all.filter(({ flow }) => flow.name === text);
  // Programs may give runs uuids of their own making. The name of a flow is not the beginning of one.
  const canBeUuid = named.length === 0 || /^[\da-f-]+$/.test(wanted);
  const matching = canBeUuid
    ? all.filter(({ flow }) => flow.name === text || flow.uuid.toLowerCase().startsWith(wanted))
    : named;
  const [found, ...others] = matching;
  if (found !== undefined && others.length === 0) return found;
  if (found === undefined) throw notFound(text, all);
  const listed = matching
    .toReversed()
    .slice(0, MOST_LISTED)
    .map(({ flow }) => `  ${lineOf(flow)}`);
  const more = matching.length - listed.length;
  throw new UsageError(
    [`${text} may mean ${matching.length} runs:`, ...listed, ...(more > 0 ? [`  … and ${more} more`] : [])].join('\n'),
  );
}

/** The same with its atoms. */
export async function readRun(connection: Connection, text: string): Promise<FlowDetail> {
  const { flow } = await findRun(connection, text);
  return connection.getFlowDetail(flow.uuid);
}

/** The run as it is stored now; null when it is gone. */
export async function readAgain(connection: Connection, { uuid }: FlowDetail): Promise<FlowDetail | null> {
  try {
    return await connection.getFlowDetail(uuid);
  } catch (error) {
    if (error instanceof NotFoundError) return null;
    throw error;
  }
}

function notFound(text: string, all: readonly FoundFlow[]): UsageError {
  const meant = nearestName(text, new Set(all.map(({ flow }) => flow.name)));
  const hint =
    meant !== null ? `; did you mean ${meant}?` : all.length === 0 ? ': the store is empty' : ': see flowstate ls';
  return new UsageError(`There is no run ${JSON.stringify(text)}${hint}`);
}

function lineOf({ uuid, name, state, updatedAt }: FlowDetail): string {
  return `${uuid}  ${printable(name)}  ${state ?? 'PENDING'}  ${dateText(updatedAt)}`;
}

/** A time as a person reads it, in UTC. */
export function dateText(time: number): string {
  return `${new Date(time).toISOString().slice(0, 19).replace('T', ' ')}Z`;
}
