import type { FlowState, Intention } from '../../machines/index.js';
import { History } from '../atoms/history.js';
import type { Atom } from '../atoms/atom.js';
import type { Environment } from '../environment.js';
import { DuplicateError, NotFoundError } from '../errors.js';
import type { Failure } from '../failure.js';
import { setOwn } from '../own-property.js';
import {
  addAttemptFailure,
  inState,
  newRetryDetail,
  newTaskDetail,
  put,
  withIntention,
  withProgress,
  withRenamedFailures,
} from '../persistence/atom-details.js';
import type { Codec, Connection } from '../persistence/backend.js';
import type { AtomDetail, AtomState, FlowDetail, Meta, RetryDetail } from '../persistence/details.js';
import type { JournaledRun } from '../persistence/fold-journal.js';
import { FailureBook } from './failure-book.js';
import { INJECTED, InjectedValues } from './injected-values.js';
import { Journal } from './journal.js';
import type { Transition } from './journal.js';
import { EMPTY_SURROUNDINGS, fetchAllValues, fetchValues } from './lookup.js';
import type { Surroundings } from './lookup.js';
import { AtomSlot, Ledger } from './ledger.js';
import type { LedgerOptions } from './ledger.js';
import { checkName, INJECTOR, isReserved, PLAN } from './reserved.js';
import { Storability } from './storability.js';
import type { Found } from './values.js';
import { asRecord, readExecuted, readReverted, valueOf } from './values.js';

export interface StorageOptions extends Omit<LedgerOptions, 'journal'> {
  readonly flowDetail: FlowDetail;
  readonly connection: Connection | null;
  readonly codec: Codec | undefined;
  /** Where the journal of the run has come to, where one is kept. @default none is kept */
  readonly journal?: JournaledRun | null | undefined;
}

/**
 * One run as its engine sees it: states, intentions, results, failures and injected values.
 *
 * Reads answer from memory. Writes change memory at once and are durable with the next commit.
 *
 * @see TaskFlow `storage.py`. Differs: D2 to D5, D8 to D10 of the decisions; results and failures of one atom are
 * forgotten together when it goes back to PENDING.
 */
export class Storage {
  readonly ledger: Ledger;
  readonly codec: Codec | undefined;
  /** Is told of each change of a state; null where nobody asked for it. */
  readonly journal: Journal | null;
  /** What symbols mean in the compiled flow. */
  surroundings: Surroundings = EMPTY_SURROUNDINGS;

  readonly #environment: Environment;
  readonly #slots = new Map<string, AtomSlot>();
  readonly #failures = new FailureBook();
  readonly #injected = new InjectedValues();
  readonly #storability: Storability;
  #nextPosition = 0;

  constructor({ flowDetail, connection, codec, journal = null, ...options }: StorageOptions) {
    this.journal = journal === null ? null : new Journal(flowDetail, journal, connection, options.environment.clock);
    this.ledger = new Ledger(flowDetail, connection, { ...options, journal: this.journal });
    this.codec = codec;
    this.#storability = new Storability(codec);
    this.#environment = options.environment;
    for (const detail of flowDetail.atoms) this.#add(detail);
  }

  // The flow ---------------------------------------------------------------------------------------------------------

  get flowName(): string {
    return this.ledger.name;
  }

  get flowUuid(): string {
    return this.ledger.uuid;
  }

  get flowMeta(): Meta {
    return this.ledger.meta;
  }

  getFlowState(): FlowState {
    return this.ledger.state ?? 'PENDING';
  }

  /** @param by - What takes the flow there, for the journal. */
  setFlowState(state: FlowState, by: Transition | null = null): void {
    this.ledger.setState(state, by);
  }

  /** @throws {UnstorableValueError} for metadata that the store cannot keep; nothing is changed. */
  updateFlowMetadata(pairs: Meta): void {
    const meta: Record<string, unknown> = { ...this.ledger.meta };
    for (const [name, value] of Object.entries(pairs)) setOwn(meta, name, value);
    this.#storability.check(meta, () => `the meta of flow '${this.flowName}'`);
    if (Object.keys(pairs).length > 0) this.ledger.setMeta(meta);
  }

  /** Everything, as records: what a new engine would be loaded with. */
  flowDetail(): FlowDetail {
    return { ...this.ledger.flowRecord(), atoms: [...this.#slots.values()].map(({ detail }) => detail) };
  }

  /** Makes everything durable that was written so far. Nothing to wait for where there is no store. */
  commit(): Promise<void> | undefined {
    return this.ledger.commit();
  }

  /** Whether there is a store behind it. */
  get isDurable(): boolean {
    return this.ledger.isDurable;
  }

  // Atoms ------------------------------------------------------------------------------------------------------------

  /**
   * Checks that atoms can be registered.
   *
   * @param recordOf - Which record an atom would have. Default: the one of its name.
   * @throws {RangeError} for an empty or reserved name.
   * @throws {DuplicateError} for a record of the other kind under the same name.
   */
  checkAtoms(atoms: Iterable<Atom>, recordOf = (name: string) => this.find(name)): void {
    for (const { name, kind } of atoms) {
      checkName(name, kind);
      if (this.#slots.size === 0) continue;
      const stored = recordOf(name)?.kind ?? kind;
      if (stored !== kind) throw new DuplicateError(`${name} is a ${kind} now, and was stored as a ${stored}`);
    }
  }

  /**
   * Registers atoms: those with a record keep it, the others get one. All or none; @throws as `checkAtoms`.
   *
   * @returns the places of their records, in the order of the atoms.
   */
  ensureAtoms(atoms: readonly Atom[]): AtomSlot[] {
    this.checkAtoms(atoms);
    return this.registerAtoms(atoms);
  }

  /** As `ensureAtoms`, for atoms that have been checked. */
  registerAtoms(atoms: readonly Atom[]): AtomSlot[] {
    const isFirst = this.#slots.size === 0;
    return atoms.map(({ kind, name, version }) => {
      const known = isFirst ? undefined : this.#slots.get(name);
      if (known !== undefined) return known;
      const given = { name, position: this.#nextPosition, version };
      const make = kind === 'task' ? newTaskDetail : newRetryDetail;
      const slot = this.#add(make(given, this.#environment));
      this.#touch(slot);
      this.journal?.noteNew(slot.detail);
      return slot;
    });
  }

  /** @throws {NotFoundError} */
  slot(name: string): AtomSlot {
    const slot = this.#slots.get(name);
    if (slot === undefined) throw new NotFoundError(`There is no atom named ${JSON.stringify(name)} in this run`);
    return slot;
  }

  /** @throws {NotFoundError} */
  detail(name: string): AtomDetail {
    return this.slot(name).detail;
  }

  /** The record of an atom, if it has one. */
  find(name: string): AtomDetail | undefined {
    return this.#slots.get(name)?.detail;
  }

  /** Of every atom that was ever registered, in that order. */
  atomNames(): string[] {
    return [...this.#slots.keys()].filter((name) => !isReserved(name));
  }

  /** The records of the same. */
  atomDetails(): AtomDetail[] {
    return this.atomNames().map((name) => this.detail(name));
  }

  /**
   * Gives records other names; what else is in them stays, also in the histories of retries.
   *
   * @param names - From old to new, in an order in which each new name is free when its turn comes.
   */
  renameAtoms(names: ReadonlyMap<string, string>): void {
    const renamed = (name: string) => names.get(name) ?? name;
    for (const [from, to] of names) {
      const slot = this.slot(from);
      this.write(slot, { ...slot.detail, name: to });
    }
    const slots = [...this.#slots];
    this.#slots.clear();
    for (const [name, slot] of slots) {
      this.#slots.set(renamed(name), slot);
      this.write(slot, withRenamedFailures(slot.detail, names));
    }
    this.#injected.rename(renamed);
  }

  // The plan ---------------------------------------------------------------------------------------------------------

  /** The fingerprint of the flow that the run was last prepared with; null where none was kept. */
  get planFingerprint(): string | null {
    const fingerprint = asRecord(this.flowMeta[PLAN])?.['fingerprint'];
    return typeof fingerprint === 'string' ? fingerprint : null;
  }

  /** The plan of the flow that the run was last prepared with; null where none was kept. */
  get planText(): string | null {
    const text = this.#slots.get(PLAN)?.detail.results;
    return typeof text === 'string' ? text : null;
  }

  /** Keeps the plan of the flow. It has a record of its own: it may be large, and metadata is read with every listing. */
  keepPlan({ fingerprint, text }: { readonly fingerprint: string; readonly text: string }): void {
    if (this.planFingerprint === fingerprint && this.planText === text) return;
    const slot = this.#slots.get(PLAN) ?? this.#addReserved(PLAN);
    this.write(slot, { ...slot.detail, kind: 'task', results: text });
    this.updateFlowMetadata({ [PLAN]: { fingerprint } });
  }

  getAtomUuid(name: string): string {
    return this.detail(name).uuid;
  }

  getAtomState(name: string): AtomState | null {
    return this.detail(name).state;
  }

  getAtomIntention(name: string): Intention {
    return this.detail(name).intention;
  }

  getAtomsStates(names: Iterable<string>): Map<string, readonly [state: AtomState | null, intention: Intention]> {
    return new Map(
      [...names].map((name) => {
        const { state, intention } = this.detail(name);
        return [name, [state, intention]];
      }),
    );
  }

  setAtomState(name: string, state: AtomState): void {
    const slot = this.slot(name);
    if (slot.detail.state !== state) this.write(slot, inState(slot.detail, state));
  }

  setAtomIntention(name: string, intention: Intention): void {
    const slot = this.slot(name);
    if (slot.detail.intention !== intention) this.write(slot, withIntention(slot.detail, intention));
  }

  /**
   * Replaces a record.
   *
   * @param by - What changes the state, for the journal.
   */
  write(slot: AtomSlot, detail: AtomDetail, by: Transition | null = null): void {
    const before = slot.detail;
    if (this.journal !== null) this.journal.noteAtom(before, detail, by);
    if (before === detail) return;
    this.ledger.write(slot, detail);
    if (before.failure !== detail.failure) this.#failures.note('execute', slot, detail.failure);
    if (before.revertFailure !== detail.revertFailure) this.#failures.note('revert', slot, detail.revertFailure);
  }

  /**
   * Keeps what came of an atom.
   *
   * @throws {TypeError} for a result of FAILURE or REVERT_FAILURE that is not a failure.
   * @throws {UnstorableValueError} for a result that the store cannot keep; nothing is changed.
   */
  save(name: string, result: unknown, state: AtomState = 'SUCCESS'): void {
    const slot = this.slot(name);
    if (state === 'SUCCESS' || state === 'REVERTED') this.checkResult(slot, result, state);
    this.write(slot, put(slot.detail, state, result));
  }

  /**
   * Checks that the store can keep what an atom returned; with a limit, that what a retry provided in all
   * its attempts fits too. Their failures never count: they are shortened.
   *
   * @throws {UnstorableValueError} naming the atom.
   */
  checkResult({ detail }: AtomSlot, result: unknown, state: 'SUCCESS' | 'REVERTED'): void {
    this.#storability.checkResult(detail, result, state);
  }

  /** Notes in a retry's last attempt that an atom failed; the first failure of an atom counts. */
  saveRetryFailure(retry: string, atom: string, failure: Failure): void {
    const slot = this.slot(retry);
    const detail = this.#retryDetail(slot);
    this.write(slot, addAttemptFailure(detail, atom, failure));
  }

  /** @throws {UnstorableValueError} for metadata that the store cannot keep; nothing is changed. */
  updateAtomMetadata(name: string, pairs: Meta): void {
    const slot = this.slot(name);
    const meta: Record<string, unknown> = { ...slot.detail.meta };
    for (const [key, value] of Object.entries(pairs)) setOwn(meta, key, value);
    this.#storability.checkAtomMeta(name, meta);
    if (Object.keys(pairs).length > 0) this.write(slot, { ...slot.detail, meta });
  }

  // Progress ---------------------------------------------------------------------------------------------------------

  /**
   * Keeps how far a task is.
   *
   * @param details - Left as they were when absent; forgotten when empty.
   * @throws {UnstorableValueError} for details that the store cannot keep; nothing is changed.
   */
  setTaskProgress(name: string, progress: number, details?: Readonly<Record<string, unknown>>): void {
    const slot = this.slot(name);
    if (slot.detail.kind !== 'task') throw new TypeError(`${name} is a retry, and only tasks have progress`);
    const { meta } = slot.detail;
    if (details === undefined) {
      const changed = withProgress(meta, progress);
      if (changed !== meta) this.write(slot, { ...slot.detail, meta: changed });
      return;
    }
    const progressDetails = Object.keys(details).length === 0 ? null : { atProgress: progress, details };
    if (progressDetails !== null) this.#storability.checkAtomMeta(name, { ...meta, progressDetails });
    this.write(slot, { ...slot.detail, meta: { ...meta, progress, progressDetails } });
  }

  /** From 0 to 1; 0 when nothing was reported. */
  getTaskProgress(name: string): number {
    const progress = this.detail(name).meta['progress'];
    return typeof progress === 'number' ? progress : 0;
  }

  getTaskProgressDetails(name: string): unknown {
    return this.detail(name).meta['progressDetails'] ?? null;
  }

  // Results ----------------------------------------------------------------------------------------------------------

  /**
   * What an atom's `execute` returned, or its failure; of a retry, all its attempts.
   *
   * @throws {NotFoundError} when the atom is in a state without a result.
   */
  get(name: string): unknown {
    return valueOf(readExecuted(this.detail(name)), 'execution', name);
  }

  getExecuteResult(name: string): unknown {
    return this.get(name);
  }

  /** What an atom's `revert` returned, or its failure. @throws {NotFoundError} */
  getRevertResult(name: string): unknown {
    return valueOf(readReverted(this.detail(name)), 'reversion', name);
  }

  getRetryHistory(name: string): History {
    const { results, failure } = this.#retryDetail(this.slot(name));
    return new History(results, failure);
  }

  getRetryHistories(): Map<string, History> {
    const retries = [...this.#slots.values()].filter(({ detail }) => detail.kind === 'retry');
    return new Map(retries.map(({ detail: { name } }) => [name, this.getRetryHistory(name)]));
  }

  #retryDetail({ detail }: AtomSlot): RetryDetail {
    if (detail.kind !== 'retry') throw new TypeError(`${detail.name} is a task, and only retries have a history`);
    return detail;
  }

  /**
   * The value of a symbol; where several provide it, the first one's.
   *
   * @throws {NotFoundError} when nothing provides it, or what provides it has no value for it yet.
   */
  fetch(symbol: string): unknown {
    return fetchValues(this, this.surroundings, symbol)[0];
  }

  /** Every symbol that has a value; the list of values where several provide it. */
  fetchAll(): Record<string, unknown> {
    return fetchAllValues(this, this.surroundings, this.flowSymbols());
  }

  // Failures ---------------------------------------------------------------------------------------------------------

  /** Failures of `execute` that still stand, in the order in which atoms were registered. */
  getExecuteFailures(): ReadonlyMap<string, Failure> {
    return this.#failures.executeFailures;
  }

  getFailures(): ReadonlyMap<string, Failure> {
    return this.getExecuteFailures();
  }

  /** Failures of `revert` that still stand, in the order in which atoms were registered. */
  getRevertFailures(): ReadonlyMap<string, Failure> {
    return this.#failures.revertFailures;
  }

  hasFailures(): boolean {
    return !this.#failures.isEmpty;
  }

  // Injected values --------------------------------------------------------------------------------------------------

  /**
   * Gives values to the whole flow: kept with the run, or (`transient`) in memory only. Durable when it resolves.
   *
   * @throws {UnstorableValueError} for a value that the store cannot keep; nothing is injected.
   */
  async inject(values: Readonly<Record<string, unknown>>, { transient = false } = {}): Promise<void> {
    if (transient) {
      this.#injected.addTransient(values);
      return;
    }
    this.addValues(values);
    await this.commit();
  }

  /** As `inject`, not transient, durable with the next commit. */
  addValues(values: Readonly<Record<string, unknown>>): void {
    const entries = Object.entries(values);
    if (entries.length === 0) return;
    const injected: Record<string, unknown> = { ...this.#injected.persistent };
    for (const [name, value] of entries) setOwn(injected, name, value);
    this.#storability.check(injected, () => 'the injected values');
    const slot = this.#injected.slot ?? this.#addReserved(INJECTOR);
    this.write(slot, put(slot.detail, 'SUCCESS', injected));
  }

  /** Gives values to one atom: in memory only, or (`transient: false`) kept with the run. */
  async injectAtomArgs(
    name: string,
    values: Readonly<Record<string, unknown>>,
    { transient = true } = {},
  ): Promise<void> {
    this.addAtomArguments(name, values, { transient });
    await this.commit();
  }

  /** As `injectAtomArgs`, durable with the next commit. */
  addAtomArguments(
    name: string,
    values: Readonly<Record<string, unknown>>,
    { transient }: { transient: boolean },
  ): void {
    const { detail } = this.slot(name);
    if (transient) {
      this.#injected.addTransientArguments(name, values);
      return;
    }
    const injected: Record<string, unknown> = { ...this.#injected.persistentArguments(detail) };
    for (const [key, value] of Object.entries(values)) setOwn(injected, key, value);
    this.#storability.check(injected, () => `the values injected for ${name}`);
    this.updateAtomMetadata(name, { [INJECTED]: injected });
  }

  /** A value that was injected for one atom. */
  argumentOf(detail: AtomDetail, symbol: string): Found | undefined {
    return this.#injected.argumentOf(detail, symbol);
  }

  /** The value that was injected for the whole flow under a symbol: the transient one first (D10). */
  flowValue(symbol: string): Found | undefined {
    return this.#injected.transientValue(symbol) ?? this.#injected.persistentValue(symbol);
  }

  /** All values that were injected for the whole flow under a symbol. */
  flowValues(symbol: string): Found[] {
    return [this.#injected.transientValue(symbol), this.#injected.persistentValue(symbol)].filter(
      (found) => found !== undefined,
    );
  }

  /** The symbols under which values were injected for the whole flow. */
  flowSymbols(): Set<string> {
    return this.#injected.symbols();
  }

  // Records ----------------------------------------------------------------------------------------------------------

  #add(detail: AtomDetail): AtomSlot {
    const slot = new AtomSlot(detail);
    this.#slots.set(detail.name, slot);
    if (detail.name === INJECTOR) this.#injected.slot = slot;
    if (detail.failure !== null) this.#failures.note('execute', slot, detail.failure);
    if (detail.revertFailure !== null) this.#failures.note('revert', slot, detail.revertFailure);
    this.#nextPosition = Math.max(this.#nextPosition, detail.position + 1);
    return slot;
  }

  #addReserved(name: string): AtomSlot {
    return this.#add(newTaskDetail({ name, position: this.#nextPosition, state: null }, this.#environment));
  }

  #touch(slot: AtomSlot): void {
    this.ledger.write(slot, slot.detail);
  }
}
