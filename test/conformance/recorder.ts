import type { AtomDetail } from '../../src/persistence/details.js';
import type { Storage } from '../../src/storage/storage.js';
import { encode, encodeAttempts, encodeFailure, encodeFailures } from './encode.js';

/** The part of a run's record that says what the engine, or the store, knows afterwards. */
export interface Aftermath {
  readonly flowState: unknown;
  readonly atoms: unknown;
  readonly fetchAll?: unknown;
  readonly executeFailures?: unknown;
  readonly revertFailures?: unknown;
}

/** What is kept of one atom. */
function encodeAtom(detail: AtomDetail): Record<string, unknown> {
  const common = {
    kind: detail.kind,
    state: detail.state ?? 'PENDING',
    intention: detail.intention,
    failure: detail.failure === null ? null : encodeFailure(detail.failure),
    revertResult: encode(detail.revertResults),
    revertFailure: detail.revertFailure === null ? null : encodeFailure(detail.revertFailure),
  };
  return detail.kind === 'task'
    ? { ...common, result: encode(detail.results), progress: detail.meta['progress'] ?? null }
    : { ...common, history: encodeAttempts(detail.results) };
}

/** What is kept of several atoms, by name. */
export function encodeAtoms(details: Iterable<AtomDetail>): Record<string, unknown> {
  return Object.fromEntries([...details].map((detail) => [detail.name, encodeAtom(detail)]));
}

/** What a storage knows of its run. */
export function aftermathOf(storage: Storage): Aftermath {
  return {
    flowState: storage.getFlowState(),
    atoms: encodeAtoms(storage.atomNames().map((name) => storage.detail(name))),
    fetchAll: encode(storage.fetchAll()),
    executeFailures: encodeFailures(storage.getExecuteFailures()),
    revertFailures: encodeFailures(storage.getRevertFailures()),
  };
}

/** Gathers what happens in a run, in order, until it is told to stop. */
export class Trace {
  readonly #entries: unknown[] = [];
  #isPaused = false;
  #isOver = false;

  add(entry: unknown): void {
    if (!this.#isPaused && !this.#isOver) this.#entries.push(entry);
  }

  /** Whether what happens now is written down. */
  get isRecording(): boolean {
    return !this.#isPaused && !this.#isOver;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
  }

  /** Nothing is written down from now on. */
  end(): void {
    this.#isOver = true;
  }

  get entries(): readonly unknown[] {
    return this.#entries;
  }
}
