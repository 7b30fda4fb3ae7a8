import type { FlowState } from '../../machines/index.js';
import type { Environment } from '../environment.js';
import { StorageConflictError, StorageError, UnstorableValueError } from '../errors.js';
import type { Connection, UnitOfWork } from '../persistence/backend.js';
import type { AtomDetail, FlowDetail, Meta } from '../persistence/details.js';

/** How often, and how patiently, a commit that the store failed is tried again. */
export interface CommitRetryPolicy {
  /** Times that a commit is tried in all. @default 3 */
  readonly attempts: number;
  /** Milliseconds between two tries. @default 5000 */
  readonly delayMs: number;
}

/** The place of one atom's record. The record is replaced, the place stays. */
export class AtomSlot {
  dirty = false;

  constructor(public detail: AtomDetail) {}
}

interface Gathered {
  readonly slots: AtomSlot[];
  readonly stateChanged: boolean;
  readonly metaChanged: boolean;
}

/**
 * Gathers what changes in a run, and makes it durable: one atomic unit of work at a time, in order.
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
  /** Called after each commit. */
  onCommitted: (() => void) | null = null;

  #slots: AtomSlot[] = [];
  #stateChanged = false;
  #metaChanged = false;
  #last: Promise<void> | null = null;
  #lastCommit: string | null;
  /** What this writer's units of work are known by, made when there is the first. */
  #writer: string | null = null;
  #units = 0;

  constructor(
    private readonly detail: FlowDetail,
    private readonly connection: Connection | null,
    private readonly environment: Environment,
    private readonly policy: CommitRetryPolicy,
  ) {
    this.uuid = detail.uuid;
    this.name = detail.name;
    this.state = detail.state;
    this.meta = detail.meta;
    this.revision = detail.revision;
    this.updatedAt = detail.updatedAt;
    this.#lastCommit = detail.lastCommit;
  }

  /** The flow detail as it is now, without its atoms. */
  flowRecord(): Omit<FlowDetail, 'atoms'> {
    const { uuid, name, createdAt, fence } = this.detail;
    const { state, meta, revision, updatedAt } = this;
    return { uuid, name, state, meta, revision, createdAt, updatedAt, fence, lastCommit: this.#lastCommit };
  }

  get isDurable(): boolean {
    return this.connection !== null;
  }

  /** Whether everything that was changed so far is durable. */
  get isSettled(): boolean {
    return !this.isDirty && this.#last === null;
  }

  get isDirty(): boolean {
    return this.#slots.length > 0 || this.#stateChanged || this.#metaChanged;
  }

  /** Replaces a record; the change is part of the next commit. */
  write(slot: AtomSlot, detail: AtomDetail): void {
    slot.detail = detail;
    if (slot.dirty) return;
    slot.dirty = true;
    this.#slots.push(slot);
  }

  setState(state: FlowState): void {
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
    if (this.connection === null) {
      if (this.isDirty) this.#applied(this.#gather(), this.updatedAt);
      return undefined;
    }
    if (this.#last === null) {
      if (!this.isDirty) return undefined;
      this.#last = this.#write(this.connection);
    } else {
      const { connection } = this;
      const previous = this.#last;
      this.#last = previous.catch(() => undefined).then(() => (this.isDirty ? this.#write(connection) : undefined));
    }
    const own = this.#last;
    const forget = () => {
      if (this.#last === own) this.#last = null;
    };
    own.then(forget, forget);
    return own;
  }

  async #write(connection: Connection): Promise<void> {
    const gathered = this.#gather();
    this.#writer ??= this.environment.newId();
    const unit = {
      flowUuid: this.uuid,
      id: `${this.#writer}:${++this.#units}`,
      at: this.environment.clock.now(),
      expectedRevision: this.revision,
      ...(gathered.stateChanged ? { state: this.state } : {}),
      ...(gathered.metaChanged ? { meta: this.meta } : {}),
      atoms: gathered.slots.map(({ detail }) => detail),
    } satisfies UnitOfWork;
    try {
      await this.#persist(connection, unit);
    } catch (error) {
      this.#takeBack(gathered);
      throw error;
    }
    this.#applied(gathered, unit.at);
    this.#lastCommit = unit.id;
  }

  async #persist(connection: Connection, unit: UnitOfWork): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await connection.commit(unit);
        return;
      } catch (error) {
        const mayHelp =
          error instanceof StorageError &&
          !(error instanceof StorageConflictError) &&
          !(error instanceof UnstorableValueError);
        if (!mayHelp || attempt >= this.policy.attempts) throw error;
        await new Promise<void>((resolve) => void this.environment.clock.setTimer(this.policy.delayMs, resolve));
      }
    }
  }

  #gather(): Gathered {
    const gathered = { slots: this.#slots, stateChanged: this.#stateChanged, metaChanged: this.#metaChanged };
    this.#slots = [];
    this.#stateChanged = false;
    this.#metaChanged = false;
    for (const slot of gathered.slots) slot.dirty = false;
    return gathered;
  }

  #takeBack({ slots, stateChanged, metaChanged }: Gathered): void {
    for (const slot of slots) this.write(slot, slot.detail);
    this.#stateChanged ||= stateChanged;
    this.#metaChanged ||= metaChanged;
  }

  #applied({ slots }: Gathered, at: number): void {
    slots.length = 0;
    this.updatedAt = at;
    this.revision += 1;
    this.commits += 1;
    this.onCommitted?.();
  }
}
