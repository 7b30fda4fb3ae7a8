import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { newPlace } from '../test/servers/place.js';
import type { Store } from './subjects/subject.js';
import type { Durability } from './workloads.js';

/** Where the steps of one run are kept, for as long as it is measured. */
export interface OwnStore {
  readonly store: Store | null;
  remove(): Promise<unknown>;
}

/**
 * Makes a store for one run: a new file, or a place of its own on a server.
 *
 * @param server - The URL of a database on it; null where there is none.
 */
export async function storeFor(
  durable: Durability | null,
  directory: string,
  server: string | null,
): Promise<OwnStore> {
  if (durable === null) return { store: null, remove: async () => undefined };
  if (durable !== 'postgresql') {
    const folder = await mkdtemp(join(directory, 'benchmark-'));
    const store = { kind: 'sqlite', file: join(folder, 'run.db'), synchronous: durable } as const;
    return { store, remove: () => rm(folder, { recursive: true }) };
  }
  const place = server === null ? null : await newPlace(server);
  if (place === null) throw new TypeError(`there is no server of ${durable}`);
  return { store: { kind: durable, url: place.url }, remove: () => place.drop() };
}
