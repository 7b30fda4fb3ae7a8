import { resolve } from 'node:path';
import { systemEnvironment } from '../../../environment.js';
import type { Environment } from '../../../environment.js';
import type { PersistenceBackend } from '../../backend.js';
import { valueFormat } from '../../value-format.js';
import type { ValueOptions } from '../../value-format.js';
import { systemFiles } from './files.js';
import type { Files } from './files.js';
import { FolderStore } from './folder-store.js';
import { pathBackend } from './path-backend.js';

export interface DirectoryBackendOptions extends ValueOptions {
  /** The folder, made by `upgrade` when it is not there. A relative one is seen from the working directory of now. */
  readonly path: string;
  /**
   * When a commit counts as durable: `FULL` also when the machine loses power, `NORMAL` only when the process dies.
   * @default 'FULL'
   */
  readonly synchronous?: 'NORMAL' | 'FULL' | undefined;
  /** How long, in milliseconds, to wait while another process writes. @default 5000 */
  readonly lockTimeoutMs?: number | undefined;
  /**
   * How long, in bytes, the journal of commits may grow before they are written into their records. Closing the backend
   * does this too. @default 16777216
   */
  readonly journalBytes?: number | undefined;
  /** @default the platform's clock, ids and randomness */
  readonly environment?: Environment | undefined;
  /** The file system. @default the platform's */
  readonly files?: Files | undefined;
}

const SYNCHRONOUS: readonly string[] = ['NORMAL', 'FULL'];
const JOURNAL_BYTES = 16 * 1024 * 1024;

/**
 * Keeps runs in a folder, one JSON file a record. Several processes may share it, on one machine.
 *
 * Nothing is opened or made before it is used. A commit is one line at the end of the file `journal`, with one fsync; the
 * files of the records follow when the backend is closed, or when the journal has become long.
 *
 * @throws {TypeError} for options of the wrong type.
 * @see TaskFlow `persistence/backends/impl_dir.py`. Differs: commits are atomic, and nothing is cached.
 */
export function directoryBackend({
  path,
  synchronous = 'FULL',
  lockTimeoutMs = 5000,
  journalBytes = JOURNAL_BYTES,
  environment = systemEnvironment,
  files = systemFiles,
  ...values
}: DirectoryBackendOptions): PersistenceBackend {
  if (typeof path !== 'string' || path === '') {
    throw new TypeError(`path takes the name of a folder, got ${JSON.stringify(path)}`);
  }
  if (!SYNCHRONOUS.includes(synchronous)) {
    throw new TypeError(`synchronous takes NORMAL or FULL, got ${synchronous}`);
  }
  for (const [name, value] of Object.entries({ lockTimeoutMs, journalBytes })) {
    if (typeof value !== 'number' || Number.isNaN(value) || value < 0) {
      throw new TypeError(`${name} takes a number from 0, got ${String(value)}`);
    }
  }
  const folder = resolve(path);
  const name = `directory:${folder}`;
  const durable = synchronous === 'FULL';
  const store = new FolderStore({ name, folder, files, durable, lockTimeoutMs, journalBytes, environment });
  return pathBackend(store, valueFormat(values));
}
