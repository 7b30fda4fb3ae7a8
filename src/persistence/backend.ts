import type { FlowState } from '../../machines/index.js';
import type { AtomDetail, FlowDetail, LogBook, Meta } from './details.js';
import type { JournalEntry } from './journal-entry.js';

/** All that one commit changes in one flow's run. It is applied whole or not at all. */
export interface UnitOfWork {
  readonly flowUuid: string;
  /**
   * What it is known by, so that it is applied once however often it is sent: whoever was not told what came of it
   * sends it again. Absent: sent again, it finds another revision than it expects.
   */
  readonly id?: string;
  /** When it was made, in milliseconds since 1970. Absent: `updatedAt` stays. */
  readonly at?: number;
  /**
   * The fence token of the claim under which it was made. A claim that was taken over later has a greater one.
   * Absent: made without a claim.
   */
  readonly fence?: number;
  /** The revision that the run is expected to be at. After the commit it is at the next one. */
  readonly expectedRevision: number;
  /** Present when it changed. */
  readonly state?: FlowState | null;
  /** Present when it changed. */
  readonly meta?: Meta;
  /** Whole records, to be inserted or to take the place of the stored ones with their uuid. */
  readonly atoms: readonly AtomDetail[];
  /** What is added to the journal of the run, in its order. Absent: nothing. */
  readonly journal?: readonly JournalEntry[];
}

/** Which runs are looked for: those of which all that is given holds. */
export interface FlowQuery {
  /** Those in one of these states; null in the store reads as PENDING. */
  readonly states?: readonly FlowState[];
  readonly bookUuid?: string;
  /** Of flows with this name. */
  readonly name?: string;
  /** Those last changed before this, in milliseconds since 1970. */
  readonly updatedBefore?: number;
  /** At most so many. */
  readonly limit?: number;
}

/** A run that was found, without its atoms, and the book that it is entered in. */
export interface FoundFlow {
  readonly bookUuid: string;
  readonly flow: FlowDetail;
}

export interface ReadOptions {
  /** Leave out children. @default false */
  readonly lazy?: boolean;
}

export interface SaveOptions {
  /** What the journals of runs hold that are not stored yet, by the uuid of the run. @default nothing */
  readonly journals?: ReadonlyMap<string, readonly JournalEntry[]>;
  /** Whether it takes the place of the stored book, of which nothing stays, instead of being merged. @default false */
  readonly replace?: boolean;
}

/** Which entries of a journal are read. */
export interface JournalQuery {
  /** Those after the one with this sequence number. @default 0 */
  readonly after?: number;
  /** At most so many. @default all */
  readonly limit?: number;
}

/**
 * What can be asked of a store.
 *
 * Trouble with the store is a `StorageError`, with its cause; something that is not there a `NotFoundError`.
 * Errors of a driver never leave as they are.
 */
export interface Connection {
  /** Brings the store to the newest schema. Idempotent; comes before everything else. */
  upgrade(): Promise<void>;
  /** @throws {StorageError} when the store cannot be used. */
  validate(): Promise<void>;
  /** Removes everything. */
  clearAll(): Promise<void>;
  /** Inserts or merges a book, its flow details and their atoms; what is stored and not given stays. */
  saveLogbook(book: LogBook, options?: SaveOptions): Promise<LogBook>;
  getLogbook(uuid: string, options?: ReadOptions): Promise<LogBook>;
  getLogbooks(options?: ReadOptions): Promise<LogBook[]>;
  /** Removes a book with its flows, their atoms and their journals. */
  destroyLogbook(uuid: string): Promise<void>;
  getFlowsForBook(bookUuid: string, options?: ReadOptions): Promise<FlowDetail[]>;
  getFlowDetail(uuid: string, options?: ReadOptions): Promise<FlowDetail>;
  getAtomsForFlow(flowUuid: string): Promise<AtomDetail[]>;
  getAtomDetail(uuid: string): Promise<AtomDetail>;
  /** The runs that a query is true of, the longest unchanged first. */
  findFlowDetails(query?: FlowQuery): Promise<FoundFlow[]>;
  /**
   * Merges a flow detail and its atoms into the stored one, by the rules of `saveLogbook`.
   *
   * @returns what is stored then.
   * @throws {NotFoundError} when it is not stored.
   */
  updateFlowDetail(flow: FlowDetail): Promise<FlowDetail>;
  /**
   * Writes one atom over the stored one. That counts as a commit of its run, at whatever revision this is.
   *
   * @throws {NotFoundError} when it is not stored.
   */
  updateAtomDetail(atom: AtomDetail): Promise<AtomDetail>;
  /**
   * Removes one run with its atoms and its journal.
   *
   * @param expectedRevision - At which it has to be. Default: any.
   * @throws {NotFoundError} when it is not stored.
   * @throws {StorageConflictError} when it is at another revision; nothing is removed.
   */
  destroyFlowDetail(uuid: string, expectedRevision?: number): Promise<void>;
  /**
   * Applies one unit of work, atomically; one that was the last to be applied is not applied again.
   *
   * @throws {NotFoundError} when the flow detail is not stored.
   * @throws {StorageConflictError} when it is at another revision; nothing is changed.
   * @throws {StaleFenceError} when it was written under a later claim; nothing is changed.
   * @throws {DuplicateError} for an entry of the journal whose sequence number is taken; nothing is changed.
   */
  commit(unit: UnitOfWork): Promise<void>;
  /**
   * What the journal of a run holds, in its order.
   *
   * @throws {NotFoundError} when the run is not stored.
   */
  getJournal(flowUuid: string, query?: JournalQuery): Promise<JournalEntry[]>;
  close(): Promise<void>;
}

/** Turns values into what the store keeps, and back: results, injected values and metadata. */
export interface Codec {
  /**
   * Whether the store is not to know what it keeps. Then failures, which are plain JSON otherwise, go through the codec
   * too, and values are kept out of error texts, and hidden in the details of notifications.
   *
   * @default false
   */
  readonly keepsSecrets?: boolean;
  /** @throws {UnstorableValueError} naming the path of what cannot be kept, and quoting nothing of it. */
  encode(value: unknown): string;
  decode(text: string): unknown;
}

/** A place where runs are kept. */
export interface PersistenceBackend {
  /** For messages; holds no secrets. */
  readonly name: string;
  /** How values are kept, and which are refused; absent when they are kept as they are. */
  readonly codec?: Codec;
  /** Cheap; each is closed by who asked for it. */
  getConnection(): Promise<Connection>;
  /** Gives back everything that keeps the process alive. */
  close(): Promise<void>;
}
