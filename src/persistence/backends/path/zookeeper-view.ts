import { isSafeName } from '../../../safe-name.js';
import { TABLES } from './record-store.js';
import type { Change, RecordWriter, Table } from './record-store.js';
import { partsIn } from './zookeeper-parts.js';
import type { Node, ZooKeeperSession } from './zookeeper-session.js';

/** Records that change whenever one of the others does that belong to them. */
export const isWatched = (table: Table): boolean => table === 'flow_details' || table === 'books';

/** What was read has been changed meanwhile. */
export class Overtaken extends Error {}

/** Where records are, and how their texts are read. */
interface Places {
  recordPath(table: Table, key: string): string;
  textOf(session: ZooKeeperSession, text: string): Promise<string>;
}

export interface JournalState {
  readonly version: number;
  readonly entries: readonly string[];
  readonly changes: ReadonlyMap<string, Change>;
}

/** What one piece of work reads and writes. */
export class ZooKeeperView implements RecordWriter {
  readonly journalVersion: number;
  readonly changes = new Map<string, Change>();
  /** Of the nodes that were read, by `table/key`; null for one that was not there. */
  readonly versions = new Map<string, number | null>();
  readonly #texts = new Map<string, string>();
  readonly #store: Places;
  readonly #session: ZooKeeperSession;
  readonly #journal: ReadonlyMap<string, Change>;

  constructor(store: Places, session: ZooKeeperSession, journal: JournalState) {
    this.#store = store;
    this.#session = session;
    this.#journal = journal.changes;
    this.journalVersion = journal.version;
  }

  get watched(): readonly (readonly [path: string, version: number | null])[] {
    return [...this.versions].filter(([path]) =>
      TABLES.some((table) => isWatched(table) && path.startsWith(`${table}/`)),
    );
  }

  put(table: Table, key: string, text: string | null): void {
    this.changes.set(`${table}/${key}`, [table, key, text]);
  }

  get(table: Table, keys: readonly string[]): Promise<(string | null)[]> {
    return Promise.all(
      keys.map(async (key) => {
        const path = `${table}/${key}`;
        const own = this.changes.get(path);
        if (own !== undefined) return own[2];
        const change = this.#journal.get(path);
        const text = change === undefined ? ((await this.#read(table, key))?.text ?? null) : change[2];
        return text === null ? null : this.#store.textOf(this.#session, text);
      }),
    );
  }

  async #read(table: Table, key: string): Promise<Node | null> {
    const path = `${table}/${key}`;
    const node = await this.#session.read(this.#store.recordPath(table, key));
    const version = node?.version ?? null;
    const before = this.versions.get(path);
    if (before !== undefined && before !== version) throw new Overtaken(`${path} was changed`);
    this.versions.set(path, version);
    if (node !== null) this.#texts.set(path, node.text);
    return node;
  }

  async keys(table: Table): Promise<readonly string[]> {
    const keys = new Set(await this.#session.children(this.#store.recordPath(table, '').slice(0, -1)));
    for (const [of, key, text] of [...this.#journal.values(), ...this.changes.values()]) {
      if (of !== table) continue;
      if (text === null) keys.delete(key);
      else keys.add(key);
    }
    return [...keys].filter(isSafeName);
  }

  /** Reads records that are to be written and were not read. */
  async lookFor(changes: readonly Change[]): Promise<void> {
    const unknown = changes.filter(([table, key]) => !this.versions.has(`${table}/${key}`));
    await Promise.all(unknown.map(([table, key]) => this.#read(table, key)));
  }

  /** Parts of texts that have been written over. */
  replacedParts(): readonly string[] {
    return [...this.changes.keys()].flatMap((path) => partsIn(this.#texts.get(path) ?? '') ?? []);
  }

  async assureCurrent(journalPath: string): Promise<void> {
    const versions = await Promise.all([
      this.#session.versionOf(journalPath),
      ...this.watched.map(([path]) => this.#session.versionOf(this.#store.recordPath(...splitPath(path)))),
    ]);
    const expected = [this.journalVersion, ...this.watched.map(([, version]) => version)];
    if (versions.some((version, index) => version !== expected[index])) throw new Overtaken('Others wrote meanwhile');
  }
}

function splitPath(path: string): readonly [Table, string] {
  const [name, key = ''] = path.split('/');
  const table = TABLES.find((each) => each === name);
  if (table === undefined) throw new RangeError(`There is no table ${name}`);
  return [table, key];
}
