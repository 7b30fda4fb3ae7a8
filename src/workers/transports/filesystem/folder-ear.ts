import { join } from 'node:path';
import { tell } from '../../delivering.js';
import type { Message } from '../../transport.js';
import { listFiles, makeFolder, readHead, remove, removeFolder } from './files.js';
import { decodeMessage } from '../../message-bytes.js';
import { parseName } from './file-names.js';
import { LONGEST_MESSAGE_BYTES } from './outbox.js';
import { watchFolder } from './watch-folder.js';

/** One who listens to a room: a folder of its own, into which everybody puts a copy. */
export class FolderEar {
  readonly #folder: string;
  readonly #handle: (message: Message) => void;
  #unwatch: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #looksAgain = false;
  #isStopped = false;

  constructor(folder: string, handle: (message: Message) => void) {
    this.#folder = folder;
    this.#handle = handle;
  }

  async start(): Promise<void> {
    await makeFolder(this.#folder);
    this.#unwatch = watchFolder(this.#folder, () => this.look());
  }

  look(): void {
    this.#looksAgain = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      if (this.#looksAgain) this.look();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unwatch();
    await this.#looking;
    await removeFolder(this.#folder);
  }

  async #look(): Promise<void> {
    while (this.#looksAgain) {
      this.#looksAgain = false;
      for (const name of await listFiles(this.#folder).catch(() => [])) {
        if (parseName(name) !== null) await this.#hear(join(this.#folder, name));
      }
    }
  }

  async #hear(path: string): Promise<void> {
    try {
      const head = await readHead(path, LONGEST_MESSAGE_BYTES);
      await remove(path);
      if (head !== null && !this.#isStopped) tell(decodeMessage(head.bytes).message, this.#handle);
    } catch {
      // What cannot be read is told to nobody: rooms keep nothing.
    }
  }
}
