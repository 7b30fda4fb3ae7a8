import { join } from 'node:path';
import { newPlace } from '../servers/place.js';
import { OwnPostgres } from '../servers/postgres.js';

/** Who dies. */
export type Death = 'process' | 'server' | 'both';

/** Where the runs of a drill are kept. */
export interface Target {
  /** A new store for one run. */
  open(folder: string): Promise<{ readonly url: string; remove(): Promise<unknown> }>;
  nextDeath(random: () => number): Death;
  /** Ends the server as a crash does. */
  crash(): Promise<void>;
  /** Starts it again, when it is down. */
  ensureUp(): Promise<void>;
  close(): Promise<void>;
}

export const sqliteTarget: Target = {
  open: async (folder) => ({ url: `sqlite:${join(folder, 'runs.db')}`, remove: async () => undefined }),
  nextDeath: () => 'process',
  crash: async () => undefined,
  ensureUp: async () => undefined,
  close: async () => undefined,
};

/** In so many deaths one of the server, alone or with the process. */
const SERVER_DEATHS = 10;

/** @returns null where there is no PostgreSQL to start. */
export async function postgresTarget(): Promise<Target | null> {
  const server = await OwnPostgres.start();
  if (server === null) return null;
  let isUp = true;
  return {
    async open() {
      const place = await newPlace(server.url);
      if (place === null) throw new Error(`${server.url} names no server`);
      return { url: place.url, remove: () => place.drop() };
    },
    nextDeath(random) {
      if (random() * SERVER_DEATHS >= 1) return 'process';
      return random() < 0.5 ? 'server' : 'both';
    },
    async crash() {
      isUp = false;
      await server.crash();
    },
    async ensureUp() {
      if (isUp) return;
      await server.restart();
      isUp = true;
    },
    close: () => server.stop(),
  };
}
