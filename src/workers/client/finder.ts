import type { Listing } from '../../atoms/task-registry.js';
import type { Clock } from '../../environment.js';
import type { Body } from '../protocol/messages.js';
import { compatibleVersion } from '../versions.js';

/** A worker that an engine knows. */
export interface KnownWorker {
  readonly id: string;
  readonly topic: string;
  readonly tasks: readonly Listing[];
  readonly capacity: number;
  /** Tasks that it runs, of whatever engine, as it said last. */
  readonly inFlight: number;
  /** When it was last heard of, by the clock of this process. */
  readonly seenAt: number;
  /** When it began, by its own clock. */
  readonly startedAt: number;
  /** The number of its latest notice since it began. */
  readonly number: number;
  /** After how many milliseconds of silence it may have stopped. */
  readonly silenceMs: number;
}

const DEFAULT_NOTICE_MS = 5000;
/** How many notices a worker may let pass. */
const MISSED_NOTICES = 3;

export type Pick =
  | { readonly kind: 'found'; readonly topic: string }
  /** There are workers for the task, and none for its version. */
  | { readonly kind: 'incompatible'; readonly versions: readonly (string | null)[] }
  | { readonly kind: 'none' };

export interface FinderOptions {
  /** null: all topics. */
  readonly topics: ReadonlySet<string> | null;
  readonly expiryMs: number;
}

/** Knows which workers there are, and what they run. */
export class Finder {
  readonly #workers = new Map<string, { -readonly [Fact in keyof KnownWorker]: KnownWorker[Fact] }>();
  /** Those that were lost while they ran something, with their topics, until they are heard of again. */
  readonly #doubted = new Map<string, string>();
  /** Our own requests by topic. */
  readonly #asked = new Map<string, number>();

  constructor(
    private readonly options: FinderOptions,
    private readonly clock: Clock,
  ) {}

  /** Those that were heard of lately. */
  get workers(): readonly KnownWorker[] {
    const tooLongAgo = this.clock.now() - this.options.expiryMs;
    for (const [id, { seenAt }] of this.#workers) if (seenAt < tooLongAgo) this.#workers.delete(id);
    return [...this.#workers.values()];
  }

  /** @returns whether it says something new: a worker, or what it runs. */
  notice(body: Body<'NOTIFY'>): boolean {
    const { topics } = this.options;
    if (topics !== null && !topics.has(body.topic)) return false;
    const worker = knownWorker(body, this.clock.now());
    const before = this.workers.find(({ id }) => id === worker.id);
    if (before !== undefined && isOutdated(worker, before)) return false;
    this.#workers.set(worker.id, worker);
    this.#doubted.delete(worker.id);
    return before === undefined || JSON.stringify(before.tasks) !== JSON.stringify(worker.tasks);
  }

  /** A worker was heard of in some other way. */
  isAlive(workerId: string): void {
    this.#doubted.delete(workerId);
    const worker = this.#workers.get(workerId);
    if (worker !== undefined) worker.seenAt = this.clock.now();
  }

  /** A worker does not say any more that it runs what it began with. */
  doubt(workerId: string): void {
    const worker = this.#workers.get(workerId);
    if (worker === undefined) return;
    this.#workers.delete(workerId);
    this.#doubted.set(workerId, worker.topic);
  }

  /**
   * Whether a topic has a worker that may stand still: a broker that does not know it goes on giving it requests, which
   * it neither begins with nor gives back.
   */
  isDoubtful(topic: string): boolean {
    const now = this.clock.now();
    for (const worker of this.#workers.values()) {
      if (worker.topic === topic && now - worker.seenAt > worker.silenceMs) return true;
    }
    return [...this.#doubted.values()].includes(topic);
  }

  /** The worker of a topic, where no other is known that may get what is sent there. */
  soleWorker(topic: string): KnownWorker | null {
    const [one, ...others] = this.workers.filter((worker) => worker.topic === topic);
    const isSole = one !== undefined && others.length === 0 && one.number > 0;
    return isSole && ![...this.#doubted.values()].includes(topic) ? one : null;
  }

  bye(workerId: string): void {
    this.#doubted.delete(workerId);
    this.#workers.delete(workerId);
  }

  /** One of our requests goes to a topic, or is not there any more. */
  count(topic: string, change: 1 | -1): void {
    this.#asked.set(topic, Math.max(0, (this.#asked.get(topic) ?? 0) + change));
  }

  /** The topic of those workers for a task that have the least to do. */
  pick(task: string, version: string): Pick {
    const loads = new Map<string, { capacity: number; inFlight: number }>();
    const others = new Set<string | null>();
    for (const { topic, tasks, capacity, inFlight } of this.workers) {
      const listing = tasks.find(({ name }) => name === task);
      if (listing === undefined) continue;
      if (compatibleVersion(version, listing.versions) === undefined) {
        for (const other of listing.versions) others.add(other);
        continue;
      }
      const load = loads.get(topic) ?? { capacity: 0, inFlight: 0 };
      loads.set(topic, { capacity: load.capacity + capacity, inFlight: load.inFlight + inFlight });
    }
    let best: { readonly topic: string; readonly load: number } | null = null;
    for (const [topic, { capacity, inFlight }] of loads) {
      // What was asked a moment ago is in no notice yet.
      const load = Math.max(inFlight, this.#asked.get(topic) ?? 0) / capacity;
      if (best === null || load < best.load) best = { topic, load };
    }
    if (best !== null) return { kind: 'found', topic: best.topic };
    return others.size === 0 ? { kind: 'none' } : { kind: 'incompatible', versions: [...others] };
  }

  /**
   * Whether a topic has workers, and what is sent there waits its turn: all have as much to do as they can, or had until
   * lately. What we asked for does not count: it may be lost.
   */
  isBusy(topic: string, isMoving: boolean): boolean {
    const there = this.workers.filter((worker) => worker.topic === topic);
    const capacity = there.reduce((sum, worker) => sum + worker.capacity, 0);
    const inFlight = there.reduce((sum, worker) => sum + worker.inFlight, 0);
    return there.length > 0 && (isMoving || inFlight >= capacity);
  }
}

function knownWorker(body: Body<'NOTIFY'>, seenAt: number): KnownWorker {
  if ('version' in body) {
    const { workerId: id, topic, tasks, capacity, inFlight, startedAt, number } = body;
    return {
      id,
      topic,
      tasks,
      capacity,
      inFlight,
      seenAt,
      startedAt,
      number,
      silenceMs: MISSED_NOTICES * (body.everyMs ?? DEFAULT_NOTICE_MS),
    };
  }
  // Version 1 knows workers by their topics.
  const tasks = body.tasks.map((name) => ({ name, versions: [null] }));
  return {
    id: `topic ${body.topic}`,
    topic: body.topic,
    tasks,
    capacity: 1,
    inFlight: 0,
    seenAt,
    startedAt: 0,
    number: 0,
    silenceMs: Infinity,
  };
}

/** Whether what a worker says is older than what is known of it. One that was started again counts from 1 again. */
function isOutdated(said: KnownWorker, known: KnownWorker): boolean {
  if (said.startedAt !== known.startedAt) return said.startedAt < known.startedAt;
  return said.number > 0 && said.number <= known.number;
}
