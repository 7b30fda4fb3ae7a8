import { fetch } from '../../src/persistence/fetch.js';
import { memoryBackend } from '../../src/persistence/backends/memory.js';
import type { PersistenceBackend } from '../../src/persistence/backend.js';
import { usingConnection } from '../../src/persistence/using-connection.js';

/** Gives a store for each case. */
export interface Stores {
  open(): Promise<PersistenceBackend>;
  close(): Promise<void>;
}

/** A store in memory that keeps serialised copies. */
export async function openMemory(): Promise<PersistenceBackend> {
  const backend = memoryBackend();
  await usingConnection(backend, (connection) => connection.upgrade());
  return backend;
}

/** One store for all cases; each run in it has an id of its own. */
class SharedStore implements Stores {
  readonly #url: string;
  #backend: Promise<PersistenceBackend> | null = null;

  constructor(url: string) {
    this.#url = url;
  }

  open(): Promise<PersistenceBackend> {
    this.#backend ??= this.#fetch();
    return this.#backend;
  }

  async #fetch(): Promise<PersistenceBackend> {
    const backend = await fetch(this.#url);
    await usingConnection(backend, (connection) => connection.upgrade());
    return backend;
  }

  async close(): Promise<void> {
    await (await this.#backend)?.close();
  }
}

/** @param url - Where runs are kept. Default: in memory, a store for each case. */
export function storesAt(url: string | undefined): Stores {
  return url === undefined ? { open: openMemory, close: async () => undefined } : new SharedStore(url);
}
