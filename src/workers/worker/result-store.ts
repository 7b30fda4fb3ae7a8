import type { Clock } from '../../environment.js';
import type { ResponseBody } from '../protocol/messages.js';

/** How a request ended, as it is told again to whoever asks once more. */
export type Ending = Extract<ResponseBody, { state: 'SUCCESS' | 'FAILURE' }>;

export interface ResultStoreOptions {
  /** How long, in milliseconds, an ending is kept. */
  readonly ttlMs: number;
  readonly maxEntries: number;
  /** How many bytes of text all that is kept may take, about. */
  readonly maxBytes: number;
}

interface Entry {
  readonly ending: Ending;
  readonly bytes: number;
  readonly at: number;
}

/** What became of the requests that a worker has finished, the latest of each attempt: the oldest go first. */
export class ResultStore {
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  constructor(
    private readonly options: ResultStoreOptions,
    private readonly clock: Clock,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  put(ending: Ending): void {
    this.#remove(ending.requestId);
    const bytes = ending.state === 'SUCCESS' ? ending.data.result.length : JSON.stringify(ending.data).length;
    this.#entries.set(ending.requestId, { ending, bytes, at: this.clock.now() });
    this.#bytes += bytes;
    const { ttlMs, maxEntries, maxBytes } = this.options;
    const tooOld = this.clock.now() - ttlMs;
    for (const [id, entry] of this.#entries) {
      const isOver = this.#entries.size > maxEntries || this.#bytes > maxBytes || entry.at < tooOld;
      if (!isOver) return;
      this.#remove(id);
    }
  }

  get(requestId: string): Ending | null {
    const entry = this.#entries.get(requestId);
    if (entry === undefined || entry.at < this.clock.now() - this.options.ttlMs) return null;
    return entry.ending;
  }

  #remove(requestId: string): void {
    const entry = this.#entries.get(requestId);
    if (entry === undefined) return;
    this.#bytes -= entry.bytes;
    this.#entries.delete(requestId);
  }
}
