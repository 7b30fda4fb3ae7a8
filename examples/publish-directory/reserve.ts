import { open, rm } from 'node:fs/promises';
import type { Connection, PersistenceBackend } from 'flowstate';
import { persistence, StorageError } from 'flowstate';
import { codeOf } from './durable-files.js';

/** SQLite's journal, which holds what is written twice and more often, before it is written over. */
const BASE_BYTES = 2 * 1024 * 1024;
/** A record, with its failure. */
const BYTES_PER_FILE = 4096;

/**
 * Space that is set aside for going back.
 *
 * A full disk stops the writing of the state as often as a step, and even what is reverted has to be written down.
 * When that happens the reserve is given up, and no step begins with anything more.
 */
export class Reserve {
  #isUsed = false;

  constructor(private readonly path: string) {}

  /** Whether it had to be given up. */
  get isUsed(): boolean {
    return this.#isUsed;
  }

  async make(files: number): Promise<void> {
    const file = await open(this.path, 'w');
    try {
      await file.writeFile(Buffer.alloc(BASE_BYTES + files * BYTES_PER_FILE, 'reserve '));
      await file.sync();
    } catch (error) {
      await this.remove();
      throw error;
    } finally {
      await file.close();
    }
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }

  /** The backend, which gives up the reserve when there is no other room. */
  behind(backend: PersistenceBackend): PersistenceBackend {
    return {
      name: backend.name,
      ...(backend.codec === undefined ? {} : { codec: backend.codec }),
      getConnection: async () => this.#behind(await backend.getConnection()),
      close: () => backend.close(),
    };
  }

  #behind(connection: Connection): Connection {
    return {
      ...persistence.forwardingConnection(connection),
      commit: async (unit) => {
        try {
          await connection.commit(unit);
        } catch (error) {
          if (this.#isUsed || !isFull(error)) throw error;
          this.#isUsed = true;
          await this.remove();
          await connection.commit(unit);
        }
      },
    };
  }
}

/** Whether the state could not be written because there is no room. */
export function isFull(error: unknown): boolean {
  if (!(error instanceof StorageError)) return false;
  const code = codeOf(error.cause);
  return code.startsWith('SQLITE_FULL') || code.startsWith('SQLITE_IOERR') || code === 'ENOSPC';
}
