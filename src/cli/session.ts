import pico from 'picocolors';
import type { Connection, PersistenceBackend } from '../persistence/backend.js';
import { fetch } from '../persistence/fetch.js';
import { jsonText } from './json-text.js';
import type { Platform } from './platform.js';
import { chooseStore, isThere, shownStore } from './store-choice.js';
import type { StoreChoice } from './store-choice.js';
import { UsageError } from './usage-error.js';

/** The options that all commands have. */
export interface CommonOptions {
  readonly backend?: string;
  readonly json?: true;
  readonly quiet?: true;
}

export type Colours = ReturnType<typeof pico.createColors>;

/** One call of the command: its store, and where it writes. */
export class Session implements AsyncDisposable {
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  /** For stdout. */
  readonly colours: Colours;
  #store: StoreChoice | undefined;
  #backend: PersistenceBackend | undefined;
  #connection: Connection | undefined;

  constructor(
    readonly platform: Platform,
    private readonly options: CommonOptions,
    private readonly writeAnswer: (text: string) => void,
  ) {
    this.isJson = options.json === true;
    this.isQuiet = options.quiet === true;
    const { stdout, env } = platform;
    const canColour = stdout.isTTY === true && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
    this.colours = pico.createColors(canColour && !this.isJson);
  }

  /** Which store was chosen. @throws {RangeError} for one that cannot be. */
  get store(): StoreChoice {
    return (this.#store ??= chooseStore(this.options.backend, this.platform));
  }

  /** The store, made if need be. */
  async backend(): Promise<PersistenceBackend> {
    return (this.#backend ??= await fetch(this.store.text));
  }

  /** Whether there can be runs: a file that is not there is not made to find out. */
  get hasStore(): boolean {
    return isThere(this.store);
  }

  /**
   * A connection to a store that is there, at the newest schema.
   *
   * @throws {UsageError} for a file that is not there.
   * @throws {StorageError} for a store that cannot be used, and one of another schema.
   */
  async connection(): Promise<Connection> {
    if (this.#connection !== undefined) return this.#connection;
    this.requireStore();
    const connection = await (await this.backend()).getConnection();
    this.#connection = connection;
    await connection.validate();
    return connection;
  }

  /** @throws {UsageError} for a file that is not there. */
  requireStore(): void {
    if (this.hasStore) return;
    throw new UsageError(
      `There are no runs: ${shownStore(this.store)} is not there. Runs of another store are found with --backend`,
    );
  }

  /** Writes what was asked for: the document with `--json`, otherwise the text. */
  answer(document: unknown, text: string): void {
    if (this.isJson) this.writeAnswer(`${jsonText(document)}\n`);
    else if (text !== '') this.writeAnswer(`${text}\n`);
  }

  /** Tells of what happens beside the answer. Nothing when silenced. */
  say(text: string): void {
    if (!this.isQuiet) this.complain(text);
  }

  /** Tells of what has to be known. */
  complain(text: string): void {
    this.platform.stderr.write(`${text}\n`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.close();
    await this.#backend?.close();
  }
}
