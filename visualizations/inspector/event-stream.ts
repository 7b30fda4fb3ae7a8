import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '../../src/environment.js';
import type { Knowledge, RunSource } from './run-source.js';
import { knowledgeText, readKnowledge } from './run-source.js';

/** Without a sign of life for so long, in milliseconds, something between server and page may end the connection. */
const SILENCE_MS = 15_000;
/** How long a browser waits before it connects again, in milliseconds. */
const RECONNECT_MS = 1000;

export interface EventStreamOptions {
  readonly clock: Clock;
  /** Shortest time between two events, in milliseconds. */
  readonly refreshMs: number;
}

/**
 * News of a run for one page, as server-sent events. The id of each says how much the page knows then; a page that was
 * cut off says it again and is told what it has missed. One that knows another source is given the whole picture.
 */
export class EventStream {
  readonly #registration: Disposable;
  #known: Knowledge | null;
  /** Set while something has changed that is not told yet. */
  #due: Timer | null = null;
  #silence: Timer | null = null;
  #isEnded = false;

  constructor(
    private readonly source: RunSource,
    private readonly response: ServerResponse,
    known: string,
    private readonly options: EventStreamOptions,
  ) {
    this.#known = readKnowledge(known);
    this.#registration = source.onNews(() => this.#changed());
    response.writeHead(200);
    response.write(`retry: ${RECONNECT_MS}\n\n`);
    this.#due = this.#in(0, () => void this.#send());
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#registration[Symbol.dispose]();
    this.#due?.cancel();
    this.#silence?.cancel();
    this.response.end();
  }

  #changed(): void {
    this.#due ??= this.#in(this.options.refreshMs, () => void this.#send());
  }

  async #send(): Promise<void> {
    try {
      await this.source.look();
    } catch {
      // Told with what comes next; the page still shows what it knows.
      this.#due = null;
      return;
    }
    this.#due = null;
    if (this.#isEnded) return;
    // A page that reads slowly is told later, of all of it at once.
    if (this.response.writableNeedDrain) {
      this.response.once('drain', () => this.#changed());
      return;
    }
    const { latest } = this.source;
    const news = this.#known === null ? null : this.source.newsFor(this.#known);
    const [event, data] = news === null ? ['picture', this.source.picture()] : ['news', news];
    this.#known = latest;
    this.response.write(`id: ${knowledgeText(latest)}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
    this.#breakSilence();
  }

  #breakSilence(): void {
    this.#silence?.cancel();
    this.#silence = this.#in(SILENCE_MS, () => {
      this.response.write(': still here\n\n');
      this.#breakSilence();
    });
  }

  #in(ms: number, act: () => void): Timer {
    const timer = this.options.clock.setTimer(ms, act);
    timer.unref?.();
    return timer;
  }
}
