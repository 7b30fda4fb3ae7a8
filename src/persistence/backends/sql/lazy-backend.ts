import { StorageError } from '../../../errors.js';
import type { Codec, PersistenceBackend } from '../../backend.js';

/** A backend whose parts are loaded when it is used: who does not open a database does not wait for them. */
export function lazyBackend(name: string, codec: Codec, load: () => Promise<PersistenceBackend>): PersistenceBackend {
  let loading: Promise<PersistenceBackend> | null = null;
  let closed = false;
  return {
    name,
    codec,
    async getConnection() {
      if (closed) throw new StorageError(`${name} is closed`);
      loading ??= load();
      return (await loading).getConnection();
    },
    async close() {
      closed = true;
      await (await loading)?.close();
    },
  };
}
