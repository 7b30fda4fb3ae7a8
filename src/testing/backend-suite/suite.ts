import type { Connection, PersistenceBackend } from '../../persistence/backend.js';
import type { FlowDetail } from '../../persistence/details.js';
import { aBook } from '../made-up-runs.js';

/** The two functions of a test runner that a suite is written with: those of node:test, vitest, mocha and jest fit. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export interface BackendSuiteOptions extends TestRunner {
  /** Names the backend in the names of the tests. */
  readonly name: string;
  /** Gives an empty backend each time, not upgraded yet. The suite closes it. */
  readonly open: () => PersistenceBackend | Promise<PersistenceBackend>;
  /**
   * Gives another backend on the same store, as another process would open it. The suite closes it, before the first.
   * @default the backend itself, with a connection of its own for each that uses it
   */
  readonly reopen?: ((backend: PersistenceBackend) => PersistenceBackend | Promise<PersistenceBackend>) | undefined;
  /**
   * Cuts every connection that a backend has to its server, as an outage would. What is under way may fail with a
   * `StorageError`; the backend has to connect anew by itself. @default not tested
   */
  readonly interrupt?: ((backend: PersistenceBackend) => unknown) | undefined;
  /** Whether whole runs are tested too, with every commit going wrong in turn: the longer part. @default true */
  readonly runs?: boolean | undefined;
}

/** The stores of one test. */
export interface Stores {
  /** An empty backend. */
  readonly open: () => Promise<PersistenceBackend>;
  /** Another backend on the same store. */
  readonly reopen: (backend: PersistenceBackend) => Promise<PersistenceBackend>;
  /** A connection to an empty store. */
  readonly connect: () => Promise<Connection>;
  /** A connection to a store that holds one run. */
  readonly connectWith: (flow: FlowDetail) => Promise<Connection>;
}

/** What the parts of the suite are written with. */
export interface Suite {
  readonly describe: TestRunner['describe'];
  /** A test that is given stores, which are closed after it. */
  readonly test: (name: string, body: (stores: Stores) => Promise<void>) => void;
  readonly interrupt: BackendSuiteOptions['interrupt'];
}

export function suiteOf({ describe, it, open, reopen, interrupt }: BackendSuiteOptions): Suite {
  return {
    describe,
    interrupt,
    test(name, body) {
      it(name, async () => {
        const opened: PersistenceBackend[] = [];
        const keep = (backend: PersistenceBackend) => {
          opened.push(backend);
          return backend;
        };
        const stores: Stores = {
          open: async () => keep(await open()),
          reopen: async (backend) => (reopen === undefined ? backend : keep(await reopen(backend))),
          connect: async () => connectTo(await stores.open()),
          async connectWith(flow) {
            const connection = await stores.connect();
            await connection.saveLogbook(aBook('book', flow));
            return connection;
          },
        };
        try {
          await body(stores);
        } finally {
          for (const backend of opened.toReversed()) await backend.close();
        }
      });
    },
  };
}

/** A connection to an upgraded store. */
export async function connectTo(backend: PersistenceBackend): Promise<Connection> {
  const connection = await backend.getConnection();
  await connection.upgrade();
  return connection;
}
