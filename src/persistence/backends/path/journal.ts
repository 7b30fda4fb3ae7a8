import { createHash } from 'node:crypto';
import { InvalidFormatError } from '../../../errors.js';
import type { Files } from './files.js';
import { isChange } from './record-store.js';
import type { Change, Table } from './record-store.js';

const MARK = 'flowstate journal 1 ';
const ID_LENGTH = 32;
const HEADER_LENGTH = MARK.length + ID_LENGTH + 1;
const DIGEST_LENGTH = 32;

/**
 * The commits that are not in the folder's records yet, in one file: a line for each of them, after a digest of it.
 *
 * A commit counts once its line is whole: that is what makes it atomic. What follows the last whole line is what a
 * process was writing when it died.
 */
export class Journal {
  readonly #path: string;
  readonly #files: Files;
  #id = '';
  #end = 0;
  #changes = new Map<string, Change>();

  constructor(path: string, files: Files) {
    this.#path = path;
    this.#files = files;
  }

  /** Where its last commit ends. */
  get end(): number {
    return this.#end;
  }

  /** Another one for each content. */
  get version(): string {
    return `${this.#id} ${this.#end}`;
  }

  /** The last change of each record. */
  get changes(): ReadonlyMap<string, Change> {
    return this.#changes;
  }

  get(table: Table, key: string): Change | undefined {
    return this.#changes.get(`${table}/${key}`);
  }

  /**
   * Reads what others have added since the last time.
   *
   * @returns Whether it is there.
   * @throws {InvalidFormatError} for one that is corrupted, or made by another version.
   */
  async refresh(): Promise<boolean> {
    for (;;) {
      const [id, from] = [this.#id, this.#end];
      const parts = await this.#files.readParts(this.#path, HEADER_LENGTH, from);
      if (parts === null) return false;
      const found = this.#idIn(parts.head.toString('latin1'));
      // Somebody else in this process has gone on meanwhile.
      if (this.#id !== id || this.#end !== from) continue;
      if (found === id && parts.size >= from) {
        this.#read(parts.tail);
        return true;
      }
      this.#restart(found);
    }
  }

  /** What is to be written so that there is one more commit. */
  entryOf(changes: readonly Change[]): string {
    const text = JSON.stringify(changes);
    return `${this.#digestOf(text)} ${text}\n`;
  }

  /** To be called after an entry was written where it ended. */
  added(changes: readonly Change[], entry: string, at: number): void {
    // A reader may have been quicker to find it.
    if (this.#end !== at) return;
    this.#apply(changes);
    this.#end += Buffer.byteLength(entry);
  }

  #restart(id: string): void {
    this.#id = id;
    this.#end = HEADER_LENGTH;
    this.#changes = new Map();
  }

  #apply(changes: readonly Change[]): void {
    for (const change of changes) this.#changes.set(`${change[0]}/${change[1]}`, change);
  }

  #idIn(header: string): string {
    if (header.length === HEADER_LENGTH && header.startsWith(MARK)) return header.slice(MARK.length, -1);
    throw new InvalidFormatError(`${this.#path} is not a journal that this version of flowstate can read`);
  }

  #read(tail: Buffer): void {
    let torn = false;
    for (let start = 0; ;) {
      const stop = tail.indexOf(0x0a, start);
      if (stop < 0) return;
      const changes = this.#changesIn(tail.toString('utf8', start, stop));
      if (changes === null) torn = true;
      else if (torn) throw new InvalidFormatError(`${this.#path} is corrupted after ${this.#end} bytes`);
      else {
        this.#apply(changes);
        this.#end += stop + 1 - start;
      }
      start = stop + 1;
    }
  }

  #changesIn(line: string): readonly Change[] | null {
    const text = line.slice(DIGEST_LENGTH + 1);
    if (line.slice(0, DIGEST_LENGTH) !== this.#digestOf(text)) return null;
    const changes: unknown = JSON.parse(text);
    return Array.isArray(changes) && changes.every(isChange) ? changes : null;
  }

  #digestOf(text: string): string {
    return createHash('sha256').update(this.#id).update(text).digest('hex').slice(0, DIGEST_LENGTH);
  }
}

/** The text of a journal without commits. */
export function newJournal(id: string): string {
  return `${MARK}${createHash('sha256').update(id).digest('hex').slice(0, ID_LENGTH)}\n`;
}
