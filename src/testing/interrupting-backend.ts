import type { PersistenceBackend, UnitOfWork } from '../persistence/backend.js';
import type { LogBook } from '../persistence/details.js';
import { forwardingConnection } from '../persistence/forwarding.js';
import { usingConnection } from '../persistence/using-connection.js';

export interface Interruption {
  /**
   * Called in place of each commit.
   *
   * @param n - Counts the commits that were asked for, from 1.
   * @param commit - Makes the commit; it may be called before or after a fault, or not at all.
   */
  readonly onCommit: (n: number, unit: UnitOfWork, commit: () => Promise<void>) => Promise<void>;
}

export interface InterruptingBackend extends PersistenceBackend {
  /** How many commits were asked for. */
  readonly commits: number;
  /** What they were. */
  readonly units: readonly UnitOfWork[];
}

/** A backend whose commits can be failed, delayed or never answered. Everything else goes to the backend within. */
export function interrupting(backend: PersistenceBackend, { onCommit }: Interruption): InterruptingBackend {
  const units: UnitOfWork[] = [];
  return {
    name: `interrupting ${backend.name}`,
    ...(backend.codec === undefined ? {} : { codec: backend.codec }),
    get commits() {
      return units.length;
    },
    units,
    async getConnection() {
      const connection = await backend.getConnection();
      return {
        ...forwardingConnection(connection),
        commit(unit) {
          units.push(unit);
          return onCommit(units.length, unit, () => connection.commit(unit));
        },
      };
    },
    close: () => backend.close(),
  };
}

/** Every commit goes through: for counting them. */
export const never: Interruption = { onCommit: (_n, _unit, commit) => commit() };

/** The n-th commit fails and changes nothing, and so do those after it, as many in all as `times` says. */
export function failBefore(nth: number, error: Error, times = 1): Interruption {
  return { onCommit: (n, _unit, commit) => (n >= nth && n < nth + times ? Promise.reject(error) : commit()) };
}

/** The n-th commit is made, but whoever asked for it is told that it failed. Those after it fail, as `failBefore`. */
export function failAfter(nth: number, error: Error, times = 1): Interruption {
  const after = failBefore(nth + 1, error, times - 1);
  return {
    async onCommit(n, unit, commit) {
      await after.onCommit(n, unit, commit);
      if (n === nth) throw error;
    },
  };
}

export interface Death extends Interruption {
  /** Settles when the process has died, as far as the store can tell. */
  readonly died: Promise<void>;
}

/** The process dies just before its n-th commit: that one and all later ones are never made and never answered. */
export function dieBefore(nth: number): Death {
  return dying(nth, () => Promise.resolve());
}

/** The process dies just after its n-th commit was made: it is never answered, and no later one is made. */
export function dieAfter(nth: number): Death {
  return dying(nth, (commit) => commit());
}

function dying(nth: number, lastWords: (commit: () => Promise<void>) => Promise<void>): Death {
  let tellThatItDied: () => void = () => undefined;
  const died = new Promise<void>((resolve) => {
    tellThatItDied = resolve;
  });
  return {
    died,
    async onCommit(n, _unit, commit) {
      if (n < nth) return commit();
      if (n === nth) {
        await lastWords(commit);
        tellThatItDied();
      }
      return new Promise<never>(() => undefined);
    },
  };
}

/** Everything that a backend holds. */
export function snapshotOf(backend: PersistenceBackend): Promise<readonly LogBook[]> {
  return usingConnection(backend, (connection) => connection.getLogbooks());
}

/** The empty backend, filled so that it holds what another held when a snapshot was taken. */
export async function restored(snapshot: readonly LogBook[], into: PersistenceBackend): Promise<PersistenceBackend> {
  await usingConnection(into, async (connection) => {
    await connection.upgrade();
    for (const book of snapshot) await connection.saveLogbook(book);
  });
  return into;
}
