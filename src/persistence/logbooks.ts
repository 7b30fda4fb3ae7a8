import { flowMachine } from '../../machines/index.js';
import type { FlowState } from '../../machines/index.js';
import type { Environment } from '../environment.js';
import { systemEnvironment } from '../environment.js';
import { NotFoundError, StorageConflictError } from '../errors.js';
import { nearestName } from '../nearest-name.js';
import type { Connection, FlowQuery, FoundFlow, JournalQuery, PersistenceBackend } from './backend.js';
import type { FlowDetail, LogBook } from './details.js';
import type { JournalEntry } from './journal-entry.js';
import { checkJournalQuery } from './journal-query.js';
import { usingConnection } from './using-connection.js';

/** All books, without their runs, the oldest first. */
export function listLogbooks(backend: PersistenceBackend): Promise<LogBook[]> {
  return usingConnection(backend, (connection) => connection.getLogbooks({ lazy: true }));
}

/**
 * Looks for runs: by state, book, name of the flow, and when they were last changed.
 *
 * @returns them without their atoms, the longest unchanged first.
 * @throws {RangeError} for a state that there is not.
 */
export async function findRuns(backend: PersistenceBackend, query: FlowQuery = {}): Promise<FoundFlow[]> {
  for (const state of query.states ?? []) checkState(state, Object.keys(flowMachine.states));
  return usingConnection(backend, (connection) => connection.findFlowDetails(query));
}

function checkState(state: unknown, known: readonly string[]): void {
  if (known.some((each) => each === state)) return;
  const meant = typeof state === 'string' ? nearestName(state, known) : null;
  throw new RangeError(
    `states takes ${known.join(', ')}, got ${String(state)}${meant === null ? '' : `; did you mean ${meant}?`}`,
  );
}

/**
 * What the journal of a stored run holds, in its order. It was kept by engines that were loaded with `journal: true`.
 *
 * @param query - Which entries: a long journal is better read by pages. Default: all.
 * @throws {RangeError} for a query of numbers that cannot be.
 * @throws {NotFoundError} when the run is not stored.
 */
export async function readJournal(
  backend: PersistenceBackend,
  flowUuid: string,
  query: JournalQuery = {},
): Promise<JournalEntry[]> {
  checkJournalQuery(query);
  return usingConnection(backend, (connection) => connection.getJournal(flowUuid, query));
}

/** Removes a book with its runs and their atoms. @throws {NotFoundError} when it is not stored. */
export function destroyLogbook(backend: PersistenceBackend, uuid: string): Promise<void> {
  return usingConnection(backend, (connection) => connection.destroyLogbook(uuid));
}

/** The states in which a run has come to an end. */
const FINISHED = ['SUCCESS', 'REVERTED', 'FAILURE'] as const satisfies readonly FlowState[];

export interface PruneOptions {
  /** Runs that were last changed so many milliseconds ago, or earlier. Either this or `before`. */
  readonly olderThanMs?: number | undefined;
  /** Runs that were last changed before this, in milliseconds since 1970. */
  readonly before?: number | undefined;
  /** @default ['SUCCESS', 'REVERTED']; FAILURE can be given, too. */
  readonly states?: readonly (typeof FINISHED)[number][] | undefined;
  /** In this book only. */
  readonly bookUuid?: string | undefined;
  /** Of flows with this name only. */
  readonly name?: string | undefined;
  /** Whether books go that have no run left. Nobody may enter runs in them meanwhile. @default false */
  readonly emptyBooks?: boolean | undefined;
  /** Nothing is removed; the answer is what would be. @default false */
  readonly dryRun?: boolean | undefined;
  /** @default the platform's clock */
  readonly environment?: Environment | undefined;
}

/** What was removed. */
export interface Pruned {
  readonly runs: readonly FoundFlow[];
  /** Uuids of books that had no run left. */
  readonly books: readonly string[];
}

/**
 * Removes runs that came to their end some time ago.
 *
 * One that is changed or removed by somebody else meanwhile is left alone.
 *
 * @throws {RangeError|TypeError} for an age or a state that cannot be; nothing is removed then.
 */
export async function pruneRuns(backend: PersistenceBackend, options: PruneOptions): Promise<Pruned> {
  const { states = ['SUCCESS', 'REVERTED'], bookUuid, name, emptyBooks = false, dryRun = false } = options;
  for (const state of states) checkState(state, FINISHED);
  const query: FlowQuery = {
    states,
    updatedBefore: limitOf(options),
    ...(bookUuid === undefined ? {} : { bookUuid }),
    ...(name === undefined ? {} : { name }),
  };
  return usingConnection(backend, async (connection) => {
    const found = await connection.findFlowDetails(query);
    const runs: FoundFlow[] = [];
    for (const run of found) if (dryRun || (await removed(connection, run.flow))) runs.push(run);
    const books: string[] = [];
    if (emptyBooks) {
      const pruned = new Set(runs.map(({ flow }) => flow.uuid));
      for (const book of new Set(runs.map((run) => run.bookUuid))) {
        const left = await connection.getFlowsForBook(book, { lazy: true });
        if (left.some(({ uuid }) => !pruned.has(uuid))) continue;
        if (!dryRun) await connection.destroyLogbook(book);
        books.push(book);
      }
    }
    return { runs, books };
  });
}

function limitOf({ olderThanMs, before, environment = systemEnvironment }: PruneOptions): number {
  if ((olderThanMs === undefined) === (before === undefined)) {
    throw new TypeError('pruneRuns takes either olderThanMs or before');
  }
  if (before !== undefined) {
    if (Number.isFinite(before)) return before;
    throw new RangeError(`before takes milliseconds since 1970, got ${String(before)}`);
  }
  if (olderThanMs === undefined || !(olderThanMs >= 0 && Number.isFinite(olderThanMs))) {
    throw new RangeError(`olderThanMs takes milliseconds from 0, got ${String(olderThanMs)}`);
  }
  // Those of just this age, too.
  return environment.clock.now() - olderThanMs + 1;
}

/** Removes a run unless somebody has changed it since it was found. @returns Whether it was there, and is gone. */
async function removed(connection: Connection, { uuid, revision }: FlowDetail): Promise<boolean> {
  try {
    await connection.destroyFlowDetail(uuid, revision);
    return true;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof StorageConflictError) return false;
    throw error;
  }
}
