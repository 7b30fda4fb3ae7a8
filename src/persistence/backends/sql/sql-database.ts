import type { Kysely } from 'kysely';
import type { Environment } from '../../../environment.js';
import { FlowstateError, StorageError } from '../../../errors.js';
import type { Codec } from '../../backend.js';
import { CommitStatements } from './commit-statements.js';
import type { Commit, StatementLimits } from './commit-statements.js';
import type { SchemaFlavor } from './migrations.js';
import { Queries } from './queries.js';
import type { ReadAtoms } from './queries.js';
import type { Schema } from './schema.js';
import type { Upsert } from './upsert.js';

/**
 * What kind of trouble a driver's error tells of; null when it is none that is known.
 *
 * `busy`: it was not done, and may be done when it is asked again. `lost`: the server does not answer, and nobody knows
 * what it did.
 */
export type SqlTrouble = 'busy' | 'lost' | 'duplicate' | 'no such table' | null;

/** All that is particular to one database. */
export interface SqlFlavor extends SchemaFlavor {
  readonly limits: StatementLimits;
  readonly upsert: Upsert;
  /** How it is best asked for all atoms of a flow. @default row by row */
  readonly readAtoms?: ReadAtoms;
  /** Connects; called once, or again after it failed. */
  open(): Promise<OpenDatabase>;
  troubleOf(error: unknown): SqlTrouble;
}

export interface OpenDatabase {
  readonly db: Kysely<Schema>;
  /**
   * The short way to apply a commit, where there is one.
   *
   * @returns Whether it was applied. Otherwise nothing was changed, and the long way finds out why.
   */
  readonly commit?: (commit: Commit, statements: CommitStatements) => Promise<boolean>;
  /**
   * The same without waiting for anything or anybody, where a driver can.
   *
   * @returns false when nothing was changed; another way finds out why.
   */
  readonly commitAtOnce?: (commit: Commit, statements: CommitStatements) => boolean;
}

export interface SqlBackendOptions {
  /** For messages. */
  readonly name: string;
  readonly flavor: SqlFlavor;
  readonly codec: Codec;
  /** How long, in milliseconds, to go on trying while somebody else has the database locked. */
  readonly busyTimeoutMs: number;
  readonly environment: Environment;
}

interface Opened {
  readonly db: Kysely<Schema>;
  readonly queries: Queries;
  readonly commit: (commit: Commit) => Promise<boolean>;
  readonly commitAtOnce: ((commit: Commit) => boolean) | undefined;
}

const FIRST_PAUSE_MS = 1;
const LONGEST_PAUSE_MS = 50;

/** The database behind a backend: opened when first used, tried again while it is locked. */
export class SqlDatabase {
  readonly #options: SqlBackendOptions;
  #opening: Promise<Opened> | null = null;
  #opened: Opened | null = null;
  #closed = false;

  constructor(options: SqlBackendOptions) {
    this.#options = options;
  }

  /**
   * @param what - What is being done, for the message when it fails.
   * @param options.isRead - It changes nothing: where its connection turns out to be dead, it is asked again on another.
   */
  async use<Result>(
    what: string,
    work: (opened: Opened) => Promise<Result>,
    { isRead = false }: { readonly isRead?: boolean } = {},
  ): Promise<Result> {
    const { name, flavor, busyTimeoutMs, environment } = this.#options;
    const deadline = environment.clock.now() + busyTimeoutMs;
    let mayReconnect = isRead;
    for (let longest = FIRST_PAUSE_MS; ; longest = Math.min(2 * longest, LONGEST_PAUSE_MS)) {
      try {
        return await work(await this.#open());
      } catch (cause) {
        if (cause instanceof FlowstateError) throw cause;
        const trouble = flavor.troubleOf(cause);
        const again = trouble === 'busy' ? environment.clock.now() < deadline : trouble === 'lost' && mayReconnect;
        if (!again) throw failedTo(name, what, trouble, cause);
        if (trouble === 'lost') mayReconnect = false;
      }
      await this.#pause(longest);
    }
  }

  /**
   * Applies a commit on an open database that nobody else uses.
   *
   * @returns false when it was not applied, for whatever reason: then it has to wait for its turn.
   */
  commitAtOnce(commit: Commit): boolean {
    if (this.#closed || this.#opened?.commitAtOnce === undefined) return false;
    try {
      return this.#opened.commitAtOnce(commit);
    } catch (cause) {
      const trouble = this.#options.flavor.troubleOf(cause);
      if (trouble === 'busy' || trouble === 'duplicate') return false;
      throw failedTo(this.#options.name, whatOf(commit), trouble, cause);
    }
  }

  /** The database is asked again only after others had their turn: one of them may be in this very process. */
  #pause(longestMs: number): Promise<void> {
    const { clock, random } = this.#options.environment;
    return new Promise((resolve) => void clock.setTimer(Math.ceil(longestMs * (0.5 + random() / 2)), resolve));
  }

  #open(): Promise<Opened> {
    const { name, flavor } = this.#options;
    if (this.#closed) throw new StorageError(`${name} is closed`);
    this.#opening ??= flavor.open().then(
      ({ db, commit, commitAtOnce }) => {
        const statements = new CommitStatements(db, flavor.limits, flavor.upsert);
        this.#opened = {
          db,
          queries: new Queries(statements, flavor.readAtoms),
          commit: async (encoded) => commit !== undefined && (await commit(encoded, statements)),
          commitAtOnce: commitAtOnce === undefined ? undefined : (encoded) => commitAtOnce(encoded, statements),
        };
        return this.#opened;
      },
      (error: unknown) => {
        this.#opening = null;
        throw error;
      },
    );
    return this.#opening;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const opening = this.#opening;
    this.#closed = true;
    if (opening === null) return;
    const { name, flavor } = this.#options;
    try {
      const { db } = await opening;
      await db.destroy();
    } catch (cause) {
      if (cause instanceof FlowstateError) throw cause;
      throw failedTo(name, 'close', flavor.troubleOf(cause), cause);
    }
  }
}

/** What a commit does, for messages. */
export function whatOf({ unit: { flowUuid, expectedRevision } }: Commit): string {
  return `commit revision ${expectedRevision + 1} of the flow detail ${flowUuid}`;
}

function failedTo(name: string, what: string, trouble: SqlTrouble, cause: unknown): StorageError {
  const hint = trouble === 'no such table' ? ': call upgrade() first' : '';
  return new StorageError(`${name} could not ${what}: ${reasonIn(cause)}${hint}`, { cause });
}

/** A host with several addresses fails with an error for each of them, and no words of its own. */
function reasonIn(cause: unknown): string {
  if (cause instanceof AggregateError && cause.message === '') return cause.errors.map(reasonIn).join(', ');
  return cause instanceof Error ? cause.message : String(cause);
}
