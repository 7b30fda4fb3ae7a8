import { join } from 'node:path';
import type { Environment, Timer } from '../../../environment.js';
import { TransportError } from '../../../errors.js';
import { safeName } from '../../../safe-name.js';
import { ConnectionNews } from '../../connection-news.js';
import { checkConsume, checkMailbox } from '../../delivering.js';
import { Retrier } from '../../retrier.js';
import type { RetryPolicy } from '../../retry-policy.js';
import type { ConsumeOptions, Consumer, DeadLetter, Delivery, Link, MailboxOptions, Message } from '../../transport.js';
import { FolderEar } from './folder-ear.js';
import { FolderGraveyard } from './folder-graveyard.js';
import { FolderReader } from './folder-reader.js';
import {
  listFiles,
  listFolders,
  makeFolder,
  readHead,
  remove,
  removeFolder,
  removeIfEmpty,
  touch,
  touchedAt,
} from './files.js';
import { Outbox } from './outbox.js';
import { Places } from './places.js';
import type { PlacePaths } from './places.js';
import { Presence } from './presence.js';

export interface FolderLinkOptions {
  readonly name: string;
  readonly dataFolderIn: string;
  readonly dataFolderOut: string;
  readonly controlFolder: string | undefined;
  readonly pollingIntervalMs: number;
  readonly processedFolder: string | null;
  readonly leaseMs: number;
  readonly isDurable: boolean;
  readonly exchange: string;
  readonly policy: RetryPolicy;
  readonly environment: Environment;
}

/** The longest time between two looks at what the dead have left, in milliseconds. */
const LONGEST_BEAT_MS = 1000;
const LONGEST_NUMBER = 20;

/** A link through folders. What it reads is in one of them, what it sends goes to the other, which may be the same. */
export class FolderLink implements Link {
  readonly #options: FolderLinkOptions;
  readonly #environment: Environment;
  readonly #linkId: string;
  readonly #in: Places;
  readonly #out: Places;
  readonly #presence: Presence;
  readonly #outbox: Outbox;
  readonly #retrier: Retrier;
  readonly #graveyard: FolderGraveyard;
  readonly #news = new ConnectionNews(true);
  readonly #readers = new Set<FolderReader>();
  readonly #ears = new Set<FolderEar>();
  #timers: Timer[] = [];
  #earCount = 0;
  #isClosed = false;

  constructor(options: FolderLinkOptions) {
    const { environment, exchange, dataFolderIn, dataFolderOut, controlFolder, policy } = options;
    this.#options = options;
    this.#environment = environment;
    this.#linkId = `${process.pid}-${environment
      .newId()
      .toLowerCase()
      .replaceAll(/[^0-9a-z-]/g, '-')}`;
    this.#in = new Places(dataFolderIn, exchange, controlFolder);
    this.#out = new Places(dataFolderOut, exchange, controlFolder);
    this.#presence = new Presence(this.#linkId, options.leaseMs, environment.clock);
    this.#outbox = new Outbox(this.#linkId, environment.clock, options.isDurable);
    this.#retrier = new Retrier(policy, environment.clock);
    this.#graveyard = new FolderGraveyard([this.#in, this.#out], this.#outbox);
  }

  /** Makes its folders, and shows that it is there. */
  async start(): Promise<void> {
    await this.#ask(async () => {
      await makeFolder(this.#out.root);
      await this.#presence.show(this.#in.links);
    });
    this.#every(this.#options.pollingIntervalMs, () => this.#look());
    this.#every(Math.min(this.#options.leaseMs / 3, LONGEST_BEAT_MS), () => void this.#beat());
  }

  async send(topic: string, message: Message): Promise<void> {
    await this.#ask(() => this.#outbox.put(this.#out, this.#out.place('queue', topic).fresh, message));
  }

  async consume(topic: string, options: ConsumeOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkConsume(options);
    return this.#read('queue', topic, options, handle, async () => undefined);
  }

  post(mailbox: string, message: Message): Promise<boolean> {
    const paths = this.#out.place('mailbox', mailbox);
    const mayPut = async () => {
      if (!(await this.#isExpired(this.#out, paths))) return true;
      await removeFolder(paths.folder);
      return false;
    };
    return this.#ask(() => this.#outbox.put(this.#out, paths.fresh, message, { makes: false, mayPut }));
  }

  async receive(mailbox: string, options: MailboxOptions, handle: (delivery: Delivery) => void): Promise<Consumer> {
    checkMailbox(options);
    return this.#read('mailbox', mailbox, options, handle, async (paths) => {
      if (await this.#isExpired(this.#in, paths)) await removeFolder(paths.folder);
      // First, as a mailbox that has a reader does not expire.
      await touch(join(paths.readers, this.#linkId), this.#now(), '');
      await remove(paths.expiry);
      await touch(paths.expiry, this.#now(), String(options.expiryMs));
    });
  }

  removeMailbox(mailbox: string): Promise<boolean> {
    return this.#ask(async () => {
      const { folder, fresh, active, readers } = this.#in.place('mailbox', mailbox);
      const others = (await listFiles(readers)).filter((linkId) => linkId !== this.#linkId);
      if (await this.#presence.isAnyAlive(this.#in.links, others)) return false;
      for (const linkId of await listFolders(active)) {
        if ((await listFiles(join(active, linkId))).length > 0) return false;
      }
      // It is this folder that makes it a mailbox: nothing can be put into it after this.
      return (await removeIfEmpty(fresh)) && removeFolder(folder).then(() => true);
    });
  }

  announce(room: string, message: Message): Promise<void> {
    return this.#ask(async () => {
      const folder = this.#out.room(room);
      for (const ear of await listFolders(folder)) {
        const path = join(folder, ear);
        // An ear is named for its link, and a number.
        if (await this.#presence.isAlive(this.#out.links, ear.replace(/\.\d+$/, ''))) {
          await this.#outbox.put(this.#out, path, message, { makes: false, isDurable: false });
        } else {
          await removeFolder(path);
        }
      }
    });
  }

  async listen(room: string, handle: (message: Message) => void): Promise<Consumer> {
    const folder = join(this.#in.room(room), `${this.#linkId}.${(this.#earCount += 1)}`);
    const ear = new FolderEar(folder, handle);
    await this.#ask(() => ear.start());
    this.#ears.add(ear);
    return {
      stop: async () => {
        if (this.#ears.delete(ear)) await ear.stop();
      },
    };
  }

  deadLetters({ limit = Infinity }: { readonly limit?: number } = {}): Promise<readonly DeadLetter[]> {
    return this.#ask(() => this.#graveyard.list(limit));
  }

  requeueDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#ask(() => this.#graveyard.requeue(ids));
  }

  removeAll(): Promise<void> {
    return this.#ask(async () => {
      for (const { root, links } of [this.#in, this.#out]) {
        await removeFolder(root);
        await removeFolder(links);
      }
    });
  }

  onConnection(listener: (isConnected: boolean, cause: unknown) => void): () => void {
    return this.#news.add(listener);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#retrier.close(new TransportError(`The connection to ${this.#options.name} is closed`));
    for (const timer of this.#timers) timer.cancel();
    for (const reader of this.#readers) {
      await settled(reader.release());
      if (reader.kind === 'mailbox') await settled(this.#leave(reader.paths));
    }
    for (const ear of this.#ears) await settled(ear.stop());
    await settled(this.#presence.end(this.#in.links));
  }

  async #read(
    kind: DeadLetter['kind'],
    name: string,
    { prefetch }: ConsumeOptions,
    handle: (delivery: Delivery) => void,
    prepare: (paths: PlacePaths) => Promise<void>,
  ): Promise<Consumer> {
    const { processedFolder } = this.#options;
    const reader = new FolderReader({
      kind,
      name,
      places: this.#in,
      linkId: this.#linkId,
      prefetch,
      outbox: this.#outbox,
      processed: processedFolder === null ? null : join(processedFolder, safeName(this.#options.exchange)),
      now: () => this.#now(),
      handle,
      onLook: (error) => this.#news.tell(error === null, error),
    });
    await this.#ask(async () => {
      await prepare(reader.paths);
      await this.#presence.sweep(this.#in.links, reader.paths);
      await reader.start();
    });
    for (const other of this.#readers) if (other.isOver) this.#readers.delete(other);
    this.#readers.add(reader);
    return {
      stop: async () => {
        await reader.stop();
        if (kind === 'mailbox') await settled(this.#leave(reader.paths));
      },
    };
  }

  #now(): number {
    return this.#environment.clock.now();
  }

  #look(): void {
    for (const reader of this.#readers) reader.look();
    for (const ear of this.#ears) ear.look();
  }

  /** Shows that it is alive, and takes what the dead have left. */
  async #beat(): Promise<void> {
    try {
      await this.#presence.show(this.#in.links);
      for (const reader of this.#readers) {
        if (reader.isStopped) continue;
        if (reader.kind === 'mailbox') await this.#touchExpiry(reader.paths);
        if (await this.#presence.sweep(this.#in.links, reader.paths)) reader.look();
      }
    } catch (error) {
      this.#news.tell(false, error);
    }
  }

  async #touchExpiry({ expiry }: PlacePaths): Promise<void> {
    if ((await touchedAt(expiry)) !== null) await touch(expiry, this.#now(), '');
  }

  async #leave(paths: PlacePaths): Promise<void> {
    const isOther = [...this.#readers].some((reader) => reader.paths.folder === paths.folder && !reader.isStopped);
    if (!isOther) await remove(join(paths.readers, this.#linkId));
    await this.#touchExpiry(paths);
  }

  /** Whether a mailbox has been without a reader for too long. */
  async #isExpired({ links }: Places, { expiry, readers }: PlacePaths): Promise<boolean> {
    const at = await touchedAt(expiry);
    if (at === null) return false;
    const keptMs = (await readHead(expiry, LONGEST_NUMBER))?.bytes.toString() ?? '';
    // Without a number it is not written in full, or not by a link: nothing is known of when it expires.
    if (!/^\d+$/.test(keptMs) || at + Number(keptMs) >= this.#now()) return false;
    return !(await this.#presence.isAnyAlive(links, await listFiles(readers)));
  }

  #every(ms: number, does: () => void): void {
    const index = this.#timers.length;
    const set = () => {
      this.#timers[index] = this.#environment.clock.setTimer(ms, () => {
        set();
        does();
      });
    };
    set();
  }

  #ask<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    return this.#retrier.run(
      question,
      () => true,
      (cause, attempts) =>
        new TransportError(`${this.#options.name} cannot be used, after ${attempts} attempts`, { cause }),
    );
  }
}

/** What cannot be done while a link is closed is done by those who find it dead. */
async function settled(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work]);
}
