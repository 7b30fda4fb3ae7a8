import type { FlowState } from '../../machines/index.js';
import type { Environment } from '../environment.js';
import { StorageConflictError } from '../errors.js';
import type { Connection, JournalQuery, UnitOfWork } from '../persistence/backend.js';
import type { AtomDetail, FlowDetail, Meta } from '../persistence/details.js';
import type { JournalEntry } from '../persistence/journal-entry.js';
import { checkJournalQuery } from '../persistence/journal-query.js';
import type { CommitRetryPolicy } from './commit-retry.js';
import { CommitSender, isRefusal } from './commit-sender.js';
import type { Journal, Transition } from './journal.js';

/** The place of one atom's record. The record is replaced, the place stays. */
export class AtomSlot {
  dirty = false;

  constructor(public detail: AtomDetail) {}
}

interface Gathered {
  readonly slots: AtomSlot[];
  readonly stateChanged: boolean;
  readonly metaChanged: boolean;
  /** null where no journal is kept. */
  readonly journal: readonly JournalEntry[] | null;
}

/** A unit of work, and the changes that it is made of. */
interface Dispatch {
  readonly unit: UnitOfWork;
  readonly gathered: Gathered;
}

export interface LedgerOptions {
  readonly environment: Environment;
  readonly commitRetry: CommitRetryPolicy;
  /** The fence token of the claim under which everything is written. */
  readonly fence?: number | undefined;
  /** What is told of each change of a state. @default nothing is told */
  readonly journal?: Journal | null | undefined;
}

/**
 * Gathers what changes in a run, and makes it durable: one atomic unit of work at a time, in order.
 *
 * A unit whose store failed until it was given up is *in doubt*: it may have been applied. The next commit sends it
 * once more as it was, and what has changed since in a unit of its own.
 *
 * Without a connection the records in memory are all there is; commits are counted all the same.
 */
export class Ledger {
  readonly uuid: string;
  readonly name: string;
  state: FlowState | null;
  meta: Meta;
  revision: number;
  updatedAt: number;
  /** Units of work that were applied. */
  commits = 0;
  /** Called before each commit, when it is known what will be in it. */
  onGathering: (() => void) | null = null;
  /** Called after each commit. */
  onCommitted: (() => void) | null = null;

  readonly #sender: CommitSender | null;
  readonly #environment: Environment;
  readonly #journal: Journal | null;
  /** Entries of the journal that are being committed, or in doubt. */
  #sent: readonly JournalEntry[] = [];
  readonly #fence: number | undefined;
  #storedFence: number;
  #slots: AtomSlot[] = [];
  /** Of a ledger without a connection, which need not know what was changed. */
  #anythingChanged = false;
  #stateChanged = false;
  #metaChanged = false;
  #last: Promise<void> | null = null;
  #lastCommit: string | null;
  #inDoubt: Dispatch | null = null;
  #conflict: StorageConflictError | null = null;
  /** What this writer's units of work are known by, made when there is the first. */
  #writer: string | null = null;
  #units = 0;

  constructor(
    private readonly detail: FlowDetail,
    connection: Connection | null,
    { environment, commitRetry, fence, journal = null }: LedgerOptions,
  ) {
    this.uuid = detail.uuid;
    this.name = detail.name;
    this.state = detail.state;
    this.meta = detail.meta;
    this.revision = detail.revision;
    this.updatedAt = detail.updatedAt;
    this.#lastCommit = detail.lastCommit;
    this.#storedFence = detail.fence;
    this.#fence = fence;
    this.#journal = journal;
    this.#environment = environment;
    this.#sender = connection === null ? null : new CommitSender(connection, environment, commitRetry);
  }

  /** The flow detail as it is now, without its atoms. */
  flowRecord(): Omit<FlowDetail, 'atoms'> {
    const { uuid, name, createdAt } = this.detail;
    const { state, meta, revision, updatedAt } = this;
    const [fence, lastCommit] = [this.#storedFence, this.#lastCommit];
    return { uuid, name, state, meta, revision, createdAt, updatedAt, fence, lastCommit };
  }

  get isDurable(): boolean {
    return this.#sender !== null;
  }

  /** Whether everything that was changed so far is durable. */
  get isSettled(): boolean {
    return !this.isDirty && this.#last === null;
  }

  /** Whether there is something to be committed: a claim too is durable before anything is done under it. */
  get isDirty(): boolean {
    return this.#hasChanges || this.#inDoubt !== null || this.#conflict !== null;
  }

  get #hasChanges(): boolean {
    const isClaimed = this.#fence === undefined || this.#fence === this.#storedFence;
    return this.#anythingChanged || this.#slots.length > 0 || this.#stateChanged || this.#metaChanged || !isClaimed;
  }

  /** Whether the store was given up on, and may or may not hold what was sent to it last; or is somebody else's. */
  get isLost(): boolean {
    return this.#inDoubt !== null || this.#conflict !== null;
  }

  /** Set when somebody else has changed the run: what is known here is out of date, and nothing is written any more. */
  get conflict(): StorageConflictError | null {
    return this.#conflict;
  }

  /** Hurried, a commit that fails is given up, and so is one that waits to be tried again. */
  set isHurried(isHurried: boolean) {
    if (this.#sender !== null) this.#sender.isHurried = isHurried;
  }

  /** Replaces a record; the change is part of the next commit. */
  write(slot: AtomSlot, detail: AtomDetail): void {
    slot.detail = detail;
    if (this.#sender === null) this.#anythingChanged = true;
    else if (!slot.dirty) {
      slot.dirty = true;
      this.#slots.push(slot);
    }
  }

  /** @param by - What takes the flow there, for the journal. */
  setState(state: FlowState, by: Transition | null = null): void {
    if (this.#journal !== null) this.#journal.noteFlow(this.state ?? 'PENDING', state, by);
    this.state = state;
    this.#stateChanged = true;
  }

  setMeta(meta: Meta): void {
    this.meta = meta;
    this.#metaChanged = true;
  }

  /**
   * Makes everything durable that has changed so far.
   *
   * @returns nothing when that is already so, or when there is no store to wait for.
   */
  commit(): Promise<void> | undefined {
    const sender = this.#sender;
    if (sender === null) {
      if (!this.isDirty) return undefined;
      this.#anythingChanged = false;
      this.#stateChanged = false;
      this.#metaChanged = false;
      this.#applied(null);
      return undefined;
    }
    if (this.#last === null) {
      if (!this.isDirty) return undefined;
      this.#last = this.#write(sender);
    } else {
      const previous = this.#last;
      this.#last = previous.catch(() => undefined).then(() => (this.isDirty ? this.#write(sender) : undefined));
    }
    const own = this.#last;
    const forget = () => {
      if (this.#last === own) this.#last = null;
    };
    own.then(forget, forget);
    return own;
  }

  /** The journal so far: what is durable, and what is not yet. Nothing where none is kept. */
  async readJournal(query: JournalQuery): Promise<JournalEntry[]> {
    checkJournalQuery(query);
    return this.#journal === null ? [] : this.#journal.read(query, this.#conflict === null ? this.#sent : null);
  }

  /** Resolves when no commit is being made any more, whatever came of it. */
  async quiet(): Promise<void> {
    while (this.#last !== null) await this.#last.catch(() => undefined);
  }

  #write(sender: CommitSender): Promise<void> {
    if (this.isLost) return this.#writeAgain(sender);
    return this.#hasChanges ? this.#send(sender, this.#dispatch()) : Promise.resolve();
  }

  async #writeAgain(sender: CommitSender): Promise<void> {
    if (this.#inDoubt !== null) await this.#send(sender, this.#inDoubt);
    if (this.#conflict !== null) throw this.#conflict;
    if (this.#hasChanges) await this.#send(sender, this.#dispatch());
  }

  #dispatch(): Dispatch {
    const gathered = this.#gather();
    this.#writer ??= this.#environment.newId();
    const unit: UnitOfWork = {
      flowUuid: this.uuid,
      id: `${this.#writer}:${++this.#units}`,
      at: this.#environment.clock.now(),
      ...(this.#fence === undefined ? {} : { fence: this.#fence }),
      expectedRevision: this.revision,
      ...(gathered.stateChanged ? { state: this.state } : {}),
      ...(gathered.metaChanged ? { meta: this.meta } : {}),
      atoms: gathered.slots.map(({ detail }) => detail),
      ...(gathered.journal === null ? {} : { journal: gathered.journal }),
    };
    return { unit, gathered };
  }

  #send(sender: CommitSender, dispatch: Dispatch): Promise<void> {
    return sender.send(dispatch.unit).then(
      () => {
        this.#inDoubt = null;
        if (this.#journal !== null) this.#sent = [];
        this.#applied(dispatch.unit);
      },
      (error: unknown) => {
        this.#inDoubt = isRefusal(error) ? null : dispatch;
        if (error instanceof StorageConflictError) this.#conflict = error;
        else if (this.#inDoubt === null) this.#takeBack(dispatch.gathered);
        throw error;
      },
    );
  }

  #gather(): Gathered {
    this.onGathering?.();
    const journal = this.#journal === null ? null : this.#journal.take();
    if (journal !== null) this.#sent = journal;
    const gathered = { slots: this.#slots, stateChanged: this.#stateChanged, metaChanged: this.#metaChanged, journal };
    this.#slots = [];
    this.#stateChanged = false;
    this.#metaChanged = false;
    for (const slot of gathered.slots) slot.dirty = false;
    return gathered;
  }

  #takeBack({ slots, stateChanged, metaChanged, journal }: Gathered): void {
    if (journal !== null) this.#journal?.takeBack(journal);
    this.#sent = [];
    for (const slot of slots) this.write(slot, slot.detail);
    this.#stateChanged ||= stateChanged;
    this.#metaChanged ||= metaChanged;
  }

  /** @param unit - null where there is no store. */
  #applied(unit: UnitOfWork | null): void {
    this.updatedAt = unit?.at ?? this.updatedAt;
    this.#lastCommit = unit?.id ?? null;
    this.#storedFence = this.#fence ?? this.#storedFence;
    this.revision += 1;
    this.commits += 1;
    this.onCommitted?.();
  }
}
