import type { Environment } from '../../../environment.js';
import { InvalidFormatError, StorageError } from '../../../errors.js';
import { isChange, TABLES } from './record-store.js';
import type { Change, RecordReader, RecordStore, RecordWriter, Table } from './record-store.js';
import { bytesOf, IN_PARTS, inRequests, LONGEST_TEXT, partsIn, REQUEST_BYTES, splitText } from './zookeeper-parts.js';
import { ZooKeeperSession } from './zookeeper-session.js';
import type { Node, ZooKeeperClient, ZooKeeperTransaction } from './zookeeper-session.js';
import { isWatched, Overtaken, ZooKeeperView } from './zookeeper-view.js';
import type { JournalState } from './zookeeper-view.js';

export interface ZooKeeperStoreOptions {
  /** For messages. */
  readonly name: string;
  /** The node under which all others are; without a slash at its end. */
  readonly root: string;
  readonly timeoutMs: number;
  /** Called for each session. */
  readonly client: () => Promise<ZooKeeperClient>;
  /** Whether a client is for one session, and is not connected yet. */
  readonly ownsClient: boolean;
  readonly environment: Environment;
}

const LONGEST_PAUSE_MS = 50;

/**
 * Records as nodes, `<root>/<table>/<key>`.
 *
 * A commit is one transaction of ZooKeeper, with checks of what was read. Where that would be too large, what it changes
 * is written into `parts` first, and the transaction only adds a node to `journal` that refers to them. From there it
 * is taken into the records by whoever writes next; until then it is read from the journal. A long text is
 * written into `parts` likewise.
 */
export class ZooKeeperStore implements RecordStore {
  readonly name: string;
  readonly #options: ZooKeeperStoreOptions;
  #session: Promise<ZooKeeperSession> | null = null;
  #closed = false;

  constructor(options: ZooKeeperStoreOptions) {
    this.name = options.name;
    this.#options = options;
  }

  async upgrade(): Promise<void> {
    const session = await this.#open();
    for (const folder of [...TABLES, 'parts', 'journal']) await session.makeFolder(this.#pathOf(folder));
    // The client takes version 0, that of a new node, for any version.
    const journal = this.#pathOf('journal');
    if ((await session.versionOf(journal)) === 0)
      await session.commit((step) => step.setData(journal, Buffer.alloc(0)));
  }

  async validate(): Promise<void> {
    await this.#look(await this.#open());
  }

  read<Result>(work: (records: RecordReader) => Promise<Result>): Promise<Result> {
    return this.#repeat(async (session) => {
      const view = new ZooKeeperView(this, session, await this.#look(session));
      return this.#checked(view, () => work(view));
    });
  }

  write<Result>(work: (records: RecordWriter) => Promise<Result>): Promise<Result> {
    return this.#repeat(async (session) => {
      const journal = await this.#look(session);
      for (const entry of journal.entries) await this.#fold(session, entry);
      const view = new ZooKeeperView(this, session, { ...journal, entries: [], changes: new Map() });
      const result = await this.#checked(view, () => work(view));
      if (view.changes.size > 0) await this.#commit(session, view);
      return result;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    const session = await this.#session?.catch(() => null);
    session?.end(new StorageError(`${this.name} is closed`));
  }

  recordPath(table: Table, key: string): string {
    return this.#pathOf(table, key);
  }

  /** The text of a record, which may be in parts. */
  async textOf(session: ZooKeeperSession, text: string): Promise<string> {
    const parts = partsIn(text);
    if (parts === null) return text;
    const nodes = await Promise.all(parts.map((name) => session.read(this.#pathOf('parts', name))));
    return nodes.map(presentText).join('');
  }

  #pathOf(...names: readonly string[]): string {
    return [this.#options.root, ...names].join('/');
  }

  /** A session, which is begun anew when the last one is over. */
  async #open(): Promise<ZooKeeperSession> {
    if (this.#closed) throw new StorageError(`${this.name} is closed`);
    const last = this.#session;
    const isUsable = last !== null && (await last.then(({ isOver }) => !isOver).catch(() => false));
    if (isUsable) return last;
    // Somebody else may have begun one meanwhile.
    if (this.#session === last) this.#session = this.#begin();
    return this.#session ?? this.#begin();
  }

  async #begin(): Promise<ZooKeeperSession> {
    const { client, ownsClient, timeoutMs, environment } = this.#options;
    const session = new ZooKeeperSession(await client(), ownsClient, timeoutMs, environment.clock);
    await session.open();
    return session;
  }

  /** Until nobody else was quicker. */
  async #repeat<Result>(attempt: (session: ZooKeeperSession) => Promise<Result>): Promise<Result> {
    const { clock, random } = this.#options.environment;
    const deadline = clock.now() + this.#options.timeoutMs;
    const session = await this.#open();
    for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      try {
        return await attempt(session);
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error;
        if (clock.now() >= deadline) {
          throw new StorageError(`Others went on writing for ${this.#options.timeoutMs} ms`, { cause: error });
        }
      }
      await new Promise<void>((resolve) => void clock.setTimer(pauseMs * random(), resolve));
    }
  }

  /** What work comes to, or `Overtaken` when it may have come to it because others wrote meanwhile. */
  async #checked<Result>(view: ZooKeeperView, work: () => Promise<Result>): Promise<Result> {
    const outcome = await work().then(
      (result) => ({ result }),
      (error: unknown) => ({ error }),
    );
    await view.assureCurrent(this.#pathOf('journal'));
    if ('error' in outcome) throw outcome.error;
    return outcome.result;
  }

  async #look(session: ZooKeeperSession): Promise<JournalState> {
    // They are answered in this order: a commit that is made in between is noticed by the version.
    const [node, entries] = await Promise.all([
      session.read(this.#pathOf('journal')),
      session.children(this.#pathOf('journal')).catch(() => []),
    ]);
    if (node === null) throw new StorageError(`${this.name} holds no runs, or has to be upgraded first`);
    const changes = new Map<string, Change>();
    for (const entry of entries) {
      for (const change of await this.#changesIn(session, entry)) changes.set(`${change[0]}/${change[1]}`, change);
    }
    return { version: node.version, entries, changes };
  }

  async #changesIn(session: ZooKeeperSession, entry: string): Promise<readonly Change[]> {
    const node = await session.read(this.#pathOf('journal', entry));
    const changes: unknown = JSON.parse(await this.textOf(session, presentText(node)));
    if (Array.isArray(changes) && changes.every(isChange)) return changes;
    throw new InvalidFormatError(`The node ${this.#pathOf('journal', entry)} is corrupted`);
  }

  async #commit(session: ZooKeeperSession, view: ZooKeeperView): Promise<void> {
    const changes = [...view.changes.values()];
    await view.lookFor(changes);
    const made: string[] = [];
    const stored: Change[] = [];
    for (const [table, key, text] of changes) {
      stored.push([table, key, text === null ? null : await this.#storable(session, text, made)]);
    }
    const watched = stored.filter(([table]) => isWatched(table));
    const others = stored.filter(([table]) => !isWatched(table));
    const isSmall = bytesOf(stored) <= REQUEST_BYTES;
    const entry = this.#newName();
    const reference = isSmall ? null : await this.#inParts(session, JSON.stringify(others), made);
    const journal = this.#pathOf('journal');
    const done = await session.commit((transaction) => {
      if (reference === null) transaction.check(journal, view.journalVersion);
      else {
        transaction.setData(journal, Buffer.alloc(0), view.journalVersion);
        transaction.create(`${journal}/${entry}`, Buffer.from(reference));
      }
      for (const [path, version] of view.watched) {
        if (version !== null && !view.changes.has(path)) transaction.check(this.#pathOf(path), version);
      }
      for (const change of isSmall ? stored : watched) {
        this.#addStep(transaction, change, view.versions.get(`${change[0]}/${change[1]}`) ?? null);
      }
    });
    if (!done) {
      await this.#removeParts(session, made);
      throw new Overtaken('Somebody else was quicker');
    }
    if (reference !== null) await this.#fold(session, entry).catch(() => undefined);
    await this.#removeParts(session, view.replacedParts());
  }

  #addStep(transaction: ZooKeeperTransaction, [table, key, text]: Change, version: number | null): void {
    const path = this.recordPath(table, key);
    // Watched ones begin with version 1, as the journal does.
    if (text === null) {
      if (version !== null) transaction.remove(path, isWatched(table) ? version : -1);
    } else if (version !== null) transaction.setData(path, Buffer.from(text), isWatched(table) ? version : -1);
    else if (isWatched(table)) {
      transaction.create(path, Buffer.alloc(0));
      transaction.setData(path, Buffer.from(text));
    } else transaction.create(path, Buffer.from(text));
  }

  /** Takes an entry of the journal into the records. Several may do it at once. */
  async #fold(session: ZooKeeperSession, entry: string): Promise<void> {
    const path = this.#pathOf('journal', entry);
    const node = await session.read(path);
    if (node === null) return;
    for (const changes of inRequests(await this.#changesIn(session, entry))) {
      const versions = await Promise.all(changes.map(([table, key]) => session.versionOf(this.recordPath(table, key))));
      const done = await session.commit((transaction) => {
        // Once it is gone others may have written newer records.
        transaction.check(path);
        for (const [index, change] of changes.entries()) this.#addStep(transaction, change, versions[index] ?? null);
      });
      if (!done) throw new Overtaken('Somebody else folds it');
    }
    const done = await session.commit((transaction) => {
      transaction.remove(path);
      // Who still reads from the entry notices that newer records may have been written since.
      transaction.setData(this.#pathOf('journal'), Buffer.alloc(0));
    });
    if (done) await this.#removeParts(session, partsIn(node.text) ?? []);
  }

  /** @param made - Is given the names of the parts. */
  async #storable(session: ZooKeeperSession, text: string, made: string[]): Promise<string> {
    return text.length <= LONGEST_TEXT ? text : this.#inParts(session, text, made);
  }

  async #inParts(session: ZooKeeperSession, text: string, made: string[]): Promise<string> {
    const id = this.#newName();
    const parts = splitText(text);
    for (const [index, part] of parts.entries()) {
      const name = `${id}-${index}`;
      made.push(name);
      await session.commit((transaction) => transaction.create(this.#pathOf('parts', name), Buffer.from(part)));
    }
    return `${IN_PARTS}${id} ${parts.length}`;
  }

  /** They do no harm when that fails, but take up room. */
  async #removeParts(session: ZooKeeperSession, names: readonly string[]): Promise<void> {
    const remove = (name: string) => session.commit((transaction) => transaction.remove(this.#pathOf('parts', name)));
    await Promise.all(names.map(remove)).catch(() => undefined);
  }

  #newName(): string {
    return this.#options.environment.newId().replaceAll(/[^\w-]/g, '_');
  }
}

function presentText(node: Node | null): string {
  if (node === null) throw new Overtaken('A part is gone');
  return node.text;
}
