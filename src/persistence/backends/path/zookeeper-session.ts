import type { Clock } from '../../../environment.js';
import { StorageError } from '../../../errors.js';

type Done<Results extends readonly unknown[]> = (error: object | null | undefined, ...results: Results) => void;

interface Stat {
  readonly version: number;
}

export interface ZooKeeperTransaction {
  create(path: string, data: Buffer): unknown;
  setData(path: string, data: Buffer, version?: number): unknown;
  check(path: string, version?: number): unknown;
  remove(path: string, version?: number): unknown;
  commit(done: Done<[results: unknown]>): void;
}

/** What is asked of a client of ZooKeeper. One of the package `node-zookeeper-client` has it. */
export interface ZooKeeperClient {
  connect(): void;
  close(): void;
  getState(): { readonly name: string };
  on(event: 'state', listener: (state: { readonly name: string }) => void): unknown;
  removeListener(event: 'state', listener: (state: { readonly name: string }) => void): unknown;
  mkdirp(path: string, done: Done<[path: string]>): void;
  exists(path: string, done: Done<[stat: Stat | null]>): void;
  getData(path: string, done: Done<[data: Buffer | undefined, stat: Stat]>): void;
  getChildren(path: string, done: Done<[children: string[], stat: Stat]>): void;
  transaction(): ZooKeeperTransaction;
}

export interface Node {
  readonly text: string;
  readonly version: number;
}

const CONNECTED = 'SYNC_CONNECTED';

/**
 * One session with ZooKeeper, and what is asked in it.
 *
 * It is over at the first trouble with its connection: what was asked is answered with an error then. The client would
 * connect again by itself, but it keeps what it could not send for ever.
 */
export class ZooKeeperSession {
  readonly #client: ZooKeeperClient;
  readonly #ownsClient: boolean;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  readonly #pending = new Set<(error: Error) => void>();
  #isOver = false;
  #opened: () => void = () => undefined;

  /** @param ownsClient - Whether the client is connected and closed with the session. */
  constructor(client: ZooKeeperClient, ownsClient: boolean, timeoutMs: number, clock: Clock) {
    this.#client = client;
    this.#ownsClient = ownsClient;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** @throws {StorageError} when nobody answers in time. */
  async open(): Promise<void> {
    await this.#ask<null>((resolve) => {
      this.#opened = () => resolve(null);
      this.#client.on('state', this.#listen);
      if (this.#ownsClient) this.#client.connect();
      else if (this.#client.getState().name === CONNECTED) resolve(null);
    });
  }

  readonly #listen = ({ name }: { readonly name: string }): void => {
    if (name === CONNECTED) this.#opened();
    else this.end(new StorageError(`The connection to ZooKeeper was lost: ${name}`));
  };

  end(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#client.removeListener('state', this.#listen);
    if (this.#ownsClient) this.#client.close();
    for (const reject of [...this.#pending]) reject(error);
  }

  async makeFolder(path: string): Promise<void> {
    await this.#call<[string]>((done) => this.#client.mkdirp(path, done));
  }

  async versionOf(path: string): Promise<number | null> {
    const found = await this.#unlessAbsent<[Stat | null]>((done) => this.#client.exists(path, done));
    return found?.[0]?.version ?? null;
  }

  async read(path: string): Promise<Node | null> {
    const found = await this.#unlessAbsent<[Buffer | undefined, Stat]>((done) => this.#client.getData(path, done));
    if (found === null) return null;
    const [data, { version }] = found;
    return { text: data?.toString() ?? '', version };
  }

  async children(path: string): Promise<readonly string[]> {
    const [names] = await this.#call<[string[], Stat]>((done) => this.#client.getChildren(path, done));
    return names;
  }

  /** @returns false when one of its steps cannot be made, and nothing was. */
  async commit(fill: (transaction: ZooKeeperTransaction) => void): Promise<boolean> {
    const transaction = this.#client.transaction();
    fill(transaction);
    try {
      await this.#call<[unknown]>((done) => transaction.commit(done));
      return true;
    } catch (error) {
      if (REFUSALS.has(codeOf(error))) return false;
      throw error;
    }
  }

  async #unlessAbsent<Results extends readonly unknown[]>(
    send: (done: Done<Results>) => void,
  ): Promise<Results | null> {
    try {
      return await this.#call(send);
    } catch (error) {
      if (codeOf(error) === NO_NODE) return null;
      throw error;
    }
  }

  #call<Results extends readonly unknown[]>(send: (done: Done<Results>) => void): Promise<Results> {
    return this.#ask((resolve, reject) =>
      send((error, ...results) => {
        if (error === null || error === undefined) resolve(results);
        else reject(error instanceof Error ? error : new StorageError('ZooKeeper refused', { cause: error }));
      }),
    );
  }

  #ask<Result>(start: (resolve: (result: Result) => void, reject: (error: Error) => void) => void): Promise<Result> {
    if (this.#isOver) return Promise.reject(new StorageError('The session with ZooKeeper is over'));
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(this.#timeoutMs, () =>
        this.end(new StorageError(`ZooKeeper did not answer within ${this.#timeoutMs} ms`)),
      );
      const settle = () => {
        timer.cancel();
        this.#pending.delete(fail);
      };
      const fail = (error: Error) => {
        settle();
        reject(error);
      };
      this.#pending.add(fail);
      start((result) => {
        settle();
        resolve(result);
      }, fail);
    });
  }
}

const NO_NODE = -101;
/** No node, another version, a node that exists, one that has children. */
const REFUSALS: ReadonlySet<unknown> = new Set([NO_NODE, -103, -110, -111]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
