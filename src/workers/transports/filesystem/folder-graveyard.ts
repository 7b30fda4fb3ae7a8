import { join } from 'node:path';
import type { DeadLetter } from '../../transport.js';
import { listFiles, move, moveInto, readHead, remove } from './files.js';
import { countIn, decodeMessage } from '../../message-bytes.js';
import { parseName } from './file-names.js';
import { LONGEST_MESSAGE_BYTES } from './outbox.js';
import type { Outbox } from './outbox.js';
import type { Places } from './places.js';

/** A message, and what is noted of it. */
const LONGEST_LETTER_BYTES = LONGEST_MESSAGE_BYTES + 2 ** 20;

/** The dead letters of an exchange. */
export class FolderGraveyard {
  readonly #places: readonly Places[];
  readonly #outbox: Outbox;

  constructor(places: readonly Places[], outbox: Outbox) {
    // What is read and what is written may be one folder.
    this.#places = places.filter(({ dead }, index) => places.findIndex((other) => other.dead === dead) === index);
    this.#outbox = outbox;
  }

  async list(limit: number): Promise<readonly DeadLetter[]> {
    const found = await Promise.all(
      this.#places.map(async ({ dead }) => (await listFiles(dead)).map((name) => ({ name, path: join(dead, name) }))),
    );
    const letters: DeadLetter[] = [];
    for (const { name, path } of found.flat().toSorted(byName)) {
      if (letters.length >= limit) break;
      const letter = letterIn(name, await readLetter(path));
      if (letter !== null) letters.push(letter);
    }
    return letters;
  }

  async requeue(ids: readonly string[]): Promise<number> {
    let count = 0;
    for (const id of ids) {
      for (const places of this.#places) if (await this.#requeue(places, id)) count += 1;
    }
    return count;
  }

  async #requeue(places: Places, id: string): Promise<boolean> {
    if (parseName(id) === null) return false;
    const path = join(places.dead, id);
    // Whoever has moved it away sends it.
    const mine = places.temporary(id);
    if (!(await move(path, mine))) return false;
    const letter = letterIn(id, await readLetter(mine));
    if (letter !== null) {
      const { fresh } = places.place(letter.kind, letter.place);
      if (await this.#outbox.put(places, fresh, letter.message, { makes: letter.kind === 'queue' })) {
        return remove(mine);
      }
    }
    await moveInto(mine, path);
    return false;
  }
}

/** null for a file that is not there, or is larger than a dead letter can be. */
async function readLetter(path: string): Promise<Buffer | null> {
  const head = await readHead(path, LONGEST_LETTER_BYTES);
  return head === null || head.size > LONGEST_LETTER_BYTES ? null : head.bytes;
}

function byName(left: { readonly name: string }, right: { readonly name: string }): number {
  return left.name < right.name ? -1 : 1;
}

/** null for a file that holds none. */
function letterIn(id: string, bytes: Buffer | null): DeadLetter | null {
  if (bytes === null || parseName(id) === null) return null;
  try {
    const { message, notes } = decodeMessage(bytes);
    const { kind, place, reason, deliveries, at } = notes;
    if (kind !== 'queue' && kind !== 'mailbox') return null;
    if (typeof place !== 'string' || typeof reason !== 'string' || typeof at !== 'number') return null;
    return { id, message, kind, place, reason, deliveries: countIn(deliveries), at };
  } catch {
    return null;
  }
}
