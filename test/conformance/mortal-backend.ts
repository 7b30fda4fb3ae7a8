import type { Connection, PersistenceBackend, UnitOfWork } from '../../src/persistence/backend.js';
import { forwardingConnection } from '../../src/persistence/forwarding.js';

/** The process whose engine uses a backend. */
export interface Mortal {
  readonly isDead: boolean;
  /** Called before a commit is made. */
  beforeCommit?(unit: UnitOfWork): void;
  /** Called when a commit has been made, before the engine hears of it. */
  afterCommit?(unit: UnitOfWork): void;
}

function silence(): Promise<never> {
  return new Promise(() => undefined);
}

/**
 * A backend as one process sees it. When the process has died, nothing of it reaches the store any more, and
 * none of its calls ever comes back.
 */
export class MortalBackend implements PersistenceBackend {
  readonly name: string;
  readonly #inner: PersistenceBackend;
  readonly #mortal: Mortal;
  readonly #open = new Set<Connection>();

  constructor(inner: PersistenceBackend, mortal: Mortal) {
    this.name = inner.name;
    this.#inner = inner;
    this.#mortal = mortal;
    if (inner.codec !== undefined) Object.assign(this, { codec: inner.codec });
  }

  async getConnection(): Promise<Connection> {
    const mortal = this.#mortal;
    const inner = await whileAlive(mortal, () => this.#inner.getConnection());
    this.#open.add(inner);
    const call = <Result>(make: () => Promise<Result>) => whileAlive(mortal, make);
    return {
      ...forwardingConnection(inner, call),
      commit: (unit) =>
        call(async () => {
          mortal.beforeCommit?.(unit);
          if (mortal.isDead) return silence();
          await inner.commit(unit);
          mortal.afterCommit?.(unit);
        }),
      close: async () => {
        this.#open.delete(inner);
        await inner.close();
      },
    };
  }

  /** The store itself is closed by who opened it. */
  async close(): Promise<void> {}

  /** Closes what the process left open. */
  async bury(): Promise<void> {
    await Promise.all([...this.#open].map((connection) => connection.close()));
    this.#open.clear();
  }
}

async function whileAlive<Result>(mortal: Mortal, make: () => Promise<Result>): Promise<Result> {
  // Asked anew each time: it dies while it waits.
  const isDead = () => mortal.isDead;
  if (isDead()) return silence();
  const result = await make();
  return isDead() ? silence() : result;
}
