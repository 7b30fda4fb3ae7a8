import { join } from 'node:path';
import type { Clock } from '../../../environment.js';
import type { Message } from '../../transport.js';
import { move, moveInto, remove, writeBytes } from './files.js';
import { FolderSyncs } from './folder-syncs.js';
import { encodeMessage } from '../../message-bytes.js';
import { nameOf } from './file-names.js';
import type { Notes } from '../../message-bytes.js';
import type { Places } from './places.js';

/** What is longer was written by nobody here: no text is. */
export const LONGEST_MESSAGE_BYTES = 512 * 2 ** 20;

const TIME_DIGITS = 14;
const COUNT_DIGITS = 8;

export interface PutOptions {
  readonly notes?: Notes | undefined;
  /** Whether the folder is made where it is not there. @default true */
  readonly makes?: boolean | undefined;
  /** Asked just before it is put there. @default yes */
  readonly mayPut?: (() => Promise<boolean>) | undefined;
  /** Whether it has to outlive the machine. @default as the outbox does */
  readonly isDurable?: boolean | undefined;
}

/** Puts messages into folders, whole and in order. */
export class Outbox {
  readonly #linkId: string;
  readonly #clock: Clock;
  readonly #isDurable: boolean;
  /** The last that was put into each folder, and is not there yet. */
  readonly #last = new Map<string, Promise<unknown>>();
  readonly #syncs = new FolderSyncs();
  #now = 0;
  #count = 0;

  constructor(linkId: string, clock: Clock, isDurable: boolean) {
    this.#linkId = linkId;
    this.#clock = clock;
    this.#isDurable = isDurable;
  }

  /** What a message is sorted by: the time, which never goes back for one link. */
  newOrder(): string {
    this.#now = Math.max(this.#now, Math.floor(this.#clock.now()));
    this.#count += 1;
    const parts = [String(this.#now).padStart(TIME_DIGITS, '0'), String(this.#count).padStart(COUNT_DIGITS, '0')];
    return [...parts, this.#linkId].join('-');
  }

  /** @returns whether it is there: not when it may not be, or there is no folder and none is to be made. */
  async put(places: Places, folder: string, message: Message, options: PutOptions = {}): Promise<boolean> {
    const { notes, makes = true, mayPut, isDurable = this.#isDurable } = options;
    const name = nameOf(this.newOrder(), 0);
    const temporary = places.temporary(name);
    const written = writeBytes(temporary, encodeMessage(message, notes), isDurable);
    // Nothing comes before what was put before it, even where it was written sooner.
    const before = this.#last.get(folder);
    const put = (async () => {
      await Promise.allSettled([before]);
      await written;
      if (mayPut !== undefined && !(await mayPut())) return false;
      return (makes ? move : moveInto)(temporary, join(folder, name));
    })();
    this.#last.set(folder, put);
    try {
      const isThere = await put;
      if (!isThere) await remove(temporary);
      else if (isDurable) await this.#syncs.sync(folder);
      return isThere;
    } catch (error) {
      await remove(temporary).catch(() => false);
      throw error;
    } finally {
      if (this.#last.get(folder) === put) this.#last.delete(folder);
    }
  }
}
