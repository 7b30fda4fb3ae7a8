import { join } from 'node:path';
import type { Environment } from '../../../environment.js';
import { StorageError } from '../../../errors.js';
import type { Files } from './files.js';
import { FolderLock } from './folder-lock.js';
import { Journal, newJournal } from './journal.js';
import { isSafeName } from '../../../safe-name.js';
import { TABLES } from './record-store.js';
import type { Change, RecordReader, RecordStore, RecordWriter, Table } from './record-store.js';

export interface FolderStoreOptions {
  /** For messages. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  readonly files: Files;
  /** Whether what is written survives a loss of power. */
  readonly durable: boolean;
  readonly lockTimeoutMs: number;
  /** The journal is folded into the records when it is longer than so many bytes. */
  readonly journalBytes: number;
  readonly environment: Environment;
}

interface Job {
  /** @returns How to tell that it is done. */
  readonly work: (records: RecordWriter) => Promise<() => void>;
  readonly fail: (error: unknown) => void;
}

type Outcome<Result> = { readonly result: Result } | { readonly error: unknown };

const EXTENSION = '.json';
/** More open files at once are of no use, and may be more than the process may have. */
const FILES_AT_ONCE = 32;
/** After that a reader waits for its turn among the writers. */
const ATTEMPTS_BESIDE_WRITERS = 3;

/**
 * Records as files in a folder, one for each of them, and a journal of the latest commits.
 *
 * A commit is one line added to the journal, made durable at once. What is in the journal is stronger than the files:
 * these are written later, many commits together, and then the journal begins anew.
 */
export class FolderStore implements RecordStore {
  readonly name: string;
  readonly #options: FolderStoreOptions;
  readonly #files: Files;
  readonly #lock: FolderLock;
  readonly #journal: Journal;
  readonly #waiting: Job[] = [];
  #working: Promise<void> | null = null;
  #closed = false;

  constructor(options: FolderStoreOptions) {
    const { folder, files, lockTimeoutMs, environment } = options;
    this.name = options.name;
    this.#options = options;
    this.#files = files;
    this.#lock = new FolderLock(folder, files, lockTimeoutMs, environment);
    this.#journal = new Journal(this.#pathOf('journal'), files);
  }

  async upgrade(): Promise<void> {
    this.#assureOpen();
    for (const table of TABLES) await this.#files.makeFolder(this.#pathOf(table));
    if (await this.#journal.refresh()) return;
    await this.#lock.hold(async () => {
      if (await this.#journal.refresh()) return;
      await this.#beginJournal();
    });
  }

  async validate(): Promise<void> {
    this.#assureOpen();
    await this.#refresh();
    await this.#lock.hold(async () => undefined);
  }

  async read<Result>(work: (records: RecordReader) => Promise<Result>): Promise<Result> {
    this.#assureOpen();
    for (let attempts = 0; attempts < ATTEMPTS_BESIDE_WRITERS; attempts += 1) {
      await this.#refresh();
      const { version } = this.#journal;
      const outcome = await outcomeOf(() => work(this.#reader()));
      await this.#refresh();
      if (this.#journal.version !== version) continue;
      if ('error' in outcome) throw outcome.error;
      return outcome.result;
    }
    return this.write(work);
  }

  /** Work that comes while other work is being written is written together with all that waits. */
  async write<Result>(work: (records: RecordWriter) => Promise<Result>): Promise<Result> {
    this.#assureOpen();
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        work: async (records) => {
          const result = await work(records);
          return () => resolve(result);
        },
        fail: reject,
      });
      this.#working ??= this.#workOff();
    });
  }

  /** Nothing is lost when the records cannot be written now: it stays in the journal. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#working;
    try {
      if (!(await this.#journal.refresh()) || this.#journal.changes.size === 0) return;
      await this.#lock.hold(async (assureHeld) => {
        await this.#journal.refresh();
        await this.#fold(assureHeld);
      });
    } catch {
      // What is in the journal is found by whoever opens the folder next.
    }
  }

  async #workOff(): Promise<void> {
    // Lets those that are called in one go be written in one go.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const jobs = this.#waiting.splice(0);
      const outcome = await outcomeOf(() => this.#lock.hold((assureHeld) => this.#perform(jobs, assureHeld)));
      for (const [index, { fail }] of jobs.entries()) {
        const own = 'error' in outcome ? outcome : outcome.result[index];
        if (own === undefined) continue;
        if ('error' in own) fail(own.error);
        else own.result();
      }
    }
    this.#working = null;
  }

  async #perform(jobs: readonly Job[], assureHeld: () => Promise<void>): Promise<Outcome<() => void>[]> {
    await this.#refresh();
    const written = new Map<string, Change>();
    const outcomes: Outcome<() => void>[] = [];
    for (const { work } of jobs) {
      const writer = this.#writer(written);
      const outcome = await outcomeOf(() => work(writer));
      if (!('error' in outcome)) for (const [path, change] of writer.changes) written.set(path, change);
      outcomes.push(outcome);
    }
    if (written.size > 0) {
      await assureHeld();
      await this.#append([...written.values()]);
      if (this.#journal.end > this.#options.journalBytes) await outcomeOf(() => this.#fold(assureHeld));
    }
    return outcomes;
  }

  async #append(changes: readonly Change[]): Promise<void> {
    const entry = this.#journal.entryOf(changes);
    const { end } = this.#journal;
    // When this fails, half a line may be left, which the next one takes the place of.
    await this.#files.writeFrom(this.#pathOf('journal'), end, entry, this.#options.durable);
    this.#journal.added(changes, entry, end);
  }

  /** Writes into the records what is in the journal, and begins a new one. A crash on the way leaves the old one. */
  async #fold(assureHeld: () => Promise<void>): Promise<void> {
    await assureHeld();
    const changes = [...this.#journal.changes.values()];
    for (let start = 0; start < changes.length; start += FILES_AT_ONCE) {
      await Promise.all(changes.slice(start, start + FILES_AT_ONCE).map((change) => this.#writeRecord(change)));
    }
    if (this.#options.durable) {
      for (const table of new Set(changes.map(([each]) => each))) await this.#files.syncFolder(this.#pathOf(table));
    }
    await assureHeld();
    await this.#beginJournal();
    await this.#refresh();
  }

  async #writeRecord([table, key, text]: Change): Promise<void> {
    const path = this.#recordPath(table, key);
    if (text === null) return this.#files.remove(path);
    await this.#files.write(`${path}.tmp`, text, this.#options.durable);
    await this.#files.rename(`${path}.tmp`, path);
  }

  async #beginJournal(): Promise<void> {
    const { environment, durable, folder } = this.#options;
    const path = this.#pathOf('journal');
    await this.#files.write(`${path}.tmp`, newJournal(environment.newId()), durable);
    await this.#files.rename(`${path}.tmp`, path);
    if (durable) await this.#files.syncFolder(folder);
  }

  #reader(): RecordReader {
    return {
      get: (table, keys) => this.#get(table, keys, (key) => this.#journal.get(table, key)),
      keys: (table) => this.#keys(table, [this.#journal.changes]),
    };
  }

  /** @param before - What others in the same commit have written. */
  #writer(before: ReadonlyMap<string, Change>): RecordWriter & { readonly changes: ReadonlyMap<string, Change> } {
    const changes = new Map<string, Change>();
    return {
      changes,
      get: (table, keys) =>
        this.#get(table, keys, (key) => {
          const path = `${table}/${key}`;
          return changes.get(path) ?? before.get(path) ?? this.#journal.get(table, key);
        }),
      keys: (table) => this.#keys(table, [this.#journal.changes, before, changes]),
      put: (table, key, text) => changes.set(`${table}/${key}`, [table, key, text]),
    };
  }

  async #get(
    table: Table,
    keys: readonly string[],
    changeOf: (key: string) => Change | undefined,
  ): Promise<(string | null)[]> {
    const texts: (string | null)[] = [];
    for (let start = 0; start < keys.length; start += FILES_AT_ONCE) {
      const some = keys.slice(start, start + FILES_AT_ONCE).map(async (key) => {
        const change = changeOf(key);
        return change === undefined ? this.#files.read(this.#recordPath(table, key)) : change[2];
      });
      texts.push(...(await Promise.all(some)));
    }
    return texts;
  }

  async #keys(table: Table, layers: readonly ReadonlyMap<string, Change>[]): Promise<readonly string[]> {
    const names = (await this.#files.list(this.#pathOf(table))) ?? [];
    const keys = new Set(
      names.filter((name) => name.endsWith(EXTENSION)).map((name) => name.slice(0, -EXTENSION.length)),
    );
    for (const layer of layers) {
      for (const [of, key, text] of layer.values()) {
        if (of !== table) continue;
        if (text === null) keys.delete(key);
        else keys.add(key);
      }
    }
    return [...keys].filter(isSafeName);
  }

  async #refresh(): Promise<void> {
    if (await this.#journal.refresh()) return;
    throw new StorageError(`${this.name} has no journal: it holds no runs, or has to be upgraded first`);
  }

  #assureOpen(): void {
    if (this.#closed) throw new StorageError(`${this.name} is closed`);
  }

  #recordPath(table: Table, key: string): string {
    return this.#pathOf(table, key + EXTENSION);
  }

  #pathOf(...names: readonly string[]): string {
    return join(this.#options.folder, ...names);
  }
}

async function outcomeOf<Result>(work: () => Promise<Result>): Promise<Outcome<Result>> {
  try {
    return { result: await work() };
  } catch (error) {
    return { error };
  }
}
