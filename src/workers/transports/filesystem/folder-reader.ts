import { join } from 'node:path';
import { deliveryOf, handOver } from '../../delivering.js';
import type { DeadLetter, Delivery, Message } from '../../transport.js';
import { listFiles, makeFolder, move, moveInto, readHead, remove, touchedAt } from './files.js';
import { decodeMessage } from '../../message-bytes.js';
import { nameOf, parseName } from './file-names.js';
import { LONGEST_MESSAGE_BYTES } from './outbox.js';
import type { Outbox } from './outbox.js';
import type { PlacePaths, Places } from './places.js';
import { watchFolder } from './watch-folder.js';

export interface ReaderOptions {
  readonly kind: DeadLetter['kind'];
  readonly name: string;
  readonly places: Places;
  readonly linkId: string;
  readonly prefetch: number;
  readonly outbox: Outbox;
  /** Where messages go that are dealt with; null for nowhere. */
  readonly processed: string | null;
  readonly now: () => number;
  readonly handle: (delivery: Delivery) => void;
  /** Hears of what went wrong, and of what did not. */
  readonly onLook: (error: unknown) => void;
}

/** Takes the messages of a queue or mailbox. */
export class FolderReader {
  readonly kind: DeadLetter['kind'];
  readonly paths: PlacePaths;
  readonly #options: ReaderOptions;
  readonly #mine: string;
  /** The names of what it has without an answer. */
  readonly #held = new Set<string>();
  /** Answers that are on their way to the disk. */
  readonly #settling = new Set<Promise<void>>();
  /** What was seen and is not taken yet, in order. */
  #seen: string[] = [];
  #unwatch: () => void = () => undefined;
  #looking: Promise<void> | null = null;
  #looksAgain = false;
  #isStopped = false;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.paths = options.places.place(options.kind, options.name);
    this.#mine = join(this.paths.active, options.linkId);
  }

  get isOver(): boolean {
    return this.#isStopped && this.#held.size === 0;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  async start(): Promise<void> {
    await makeFolder(this.paths.fresh);
    this.#unwatch = watchFolder(this.paths.fresh, () => this.look());
    this.look();
  }

  /** Looks for messages, unless it has enough. */
  look(): void {
    this.#looksAgain = true;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
      if (this.#looksAgain && this.#hasRoom) this.look();
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#unwatch();
    await this.#looking;
    await Promise.allSettled(this.#settling);
  }

  /** Gives back what it has. */
  async release(): Promise<void> {
    await this.stop();
    for (const name of [...this.#held]) {
      this.#held.delete(name);
      await moveInto(join(this.#mine, name), join(this.paths.fresh, name));
    }
  }

  get #hasRoom(): boolean {
    return !this.#isStopped && this.#held.size < this.#options.prefetch;
  }

  async #look(): Promise<void> {
    while (this.#looksAgain && this.#hasRoom) {
      this.#looksAgain = false;
      try {
        // A long folder is not listed again for each message: what comes later is behind those that were seen.
        if (this.#seen.length === 0) this.#seen = await this.#list();
        await this.#takeSeen();
        this.#options.onLook(null);
      } catch (error) {
        this.#options.onLook(error);
      }
    }
  }

  async #list(): Promise<string[]> {
    return (await listFiles(this.paths.fresh)).filter((name) => parseName(name) !== null);
  }

  async #takeSeen(): Promise<void> {
    for (;;) {
      const name = this.#hasRoom ? this.#seen.shift() : undefined;
      if (name === undefined) return;
      await this.#take(name);
      if (this.#seen.length === 0 && this.#hasRoom) this.#seen = await this.#list();
    }
  }

  async #take(name: string): Promise<void> {
    const parsed = parseName(name);
    if (parsed === null) return;
    const deliveries = parsed.deliveries + 1;
    const taken = nameOf(parsed.order, deliveries);
    const [path, before] = [join(this.#mine, taken), join(this.paths.fresh, name)];
    if (!(await move(before, path))) return;
    let head: Awaited<ReturnType<typeof readHead>>;
    try {
      head = await readHead(path, LONGEST_MESSAGE_BYTES);
    } catch (error) {
      // What cannot be read now can be later, by this link or another.
      await moveInto(path, before);
      throw error;
    }
    if (head === null) return;
    this.#held.add(taken);
    const message = messageIn(head);
    if (typeof message !== 'string') {
      handOver(this.#delivery(message, taken, deliveries), this.#options.handle);
    } else {
      const foreign = { properties: { type: '' }, body: head.bytes };
      await this.#reject(foreign, taken, deliveries, message);
    }
  }

  #delivery(message: Message, name: string, deliveries: number): Delivery {
    const path = join(this.#mine, name);
    return deliveryOf(message, deliveries, {
      ack: () =>
        this.#settle(name, () => {
          const { processed } = this.#options;
          return processed === null ? remove(path) : move(path, join(processed, name));
        }),
      release: () => this.#settle(name, () => moveInto(path, join(this.paths.fresh, name))),
      reject: (reason) => this.#reject(message, name, deliveries, reason),
    });
  }

  #reject(message: Message, name: string, deliveries: number, reason: string): Promise<void> {
    const path = join(this.#mine, name);
    const { kind, name: place, places, outbox, now } = this.#options;
    return this.#settle(name, async () => {
      // Somebody else has it when it is gone.
      if ((await touchedAt(path)) === null) return;
      await outbox.put(places, places.dead, message, { notes: { reason, kind, place, deliveries, at: now() } });
      await remove(path);
    });
  }

  /** Does what an answer means, if this link has the message still. */
  #settle(name: string, does: () => Promise<unknown>): Promise<void> {
    const settling = this.#settleNow(name, does).finally(() => this.#settling.delete(settling));
    this.#settling.add(settling);
    return settling;
  }

  async #settleNow(name: string, does: () => Promise<unknown>): Promise<void> {
    if (!this.#held.has(name)) return;
    try {
      await does();
    } catch (error) {
      // What was not done is for somebody else, who may be able to do it.
      await moveInto(join(this.#mine, name), join(this.paths.fresh, name));
      throw error;
    } finally {
      this.#held.delete(name);
      this.look();
    }
  }
}

/** @returns the message in a file, or why there is none. */
function messageIn({ bytes, size }: { readonly bytes: Buffer; readonly size: number }): Message | string {
  if (size > LONGEST_MESSAGE_BYTES)
    return `it takes ${size} bytes, more than the ${LONGEST_MESSAGE_BYTES} of a message`;
  try {
    return decodeMessage(bytes).message;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
