import { join } from 'node:path';
import type { Clock } from '../../../environment.js';
import { isProcessIdentity, lifeOfProcess, thisProcess } from '../../../process-identity.js';
import { listFiles, listFolders, move, readHead, remove, removeFolder, touch, touchedAt } from './files.js';
import type { PlacePaths } from './places.js';

const LONGEST_IDENTITY = 10_000;

/** Shows that a link is alive, and sees which others are. */
export class Presence {
  readonly #linkId: string;
  readonly #leaseMs: number;
  readonly #clock: Clock;

  constructor(linkId: string, leaseMs: number, clock: Clock) {
    this.#linkId = linkId;
    this.#leaseMs = leaseMs;
    this.#clock = clock;
  }

  async show(links: string): Promise<void> {
    await touch(join(links, this.#linkId), this.#clock.now(), JSON.stringify(thisProcess()));
  }

  async end(links: string): Promise<void> {
    await remove(join(links, this.#linkId));
  }

  /** A link whose process is gone is dead at once; one that only shows nothing, after the lease. */
  async isAlive(links: string, linkId: string): Promise<boolean> {
    if (linkId === this.#linkId) return true;
    const path = join(links, linkId);
    const at = await touchedAt(path);
    if (at === null || at + this.#leaseMs < this.#clock.now()) return false;
    const identity = identityIn(await readHead(path, LONGEST_IDENTITY));
    return identity === null || lifeOfProcess(identity) !== 'gone';
  }

  async isAnyAlive(links: string, linkIds: readonly string[]): Promise<boolean> {
    for (const linkId of linkIds) if (await this.isAlive(links, linkId)) return true;
    return false;
  }

  /** Gives back what dead links had of a place. @returns whether there was anything. */
  async sweep(links: string, { active, fresh }: PlacePaths): Promise<boolean> {
    let isFound = false;
    for (const linkId of await listFolders(active)) {
      if (await this.isAlive(links, linkId)) continue;
      for (const name of await listFiles(join(active, linkId))) {
        isFound = (await move(join(active, linkId, name), join(fresh, name))) || isFound;
      }
      await removeFolder(join(active, linkId));
      await remove(join(links, linkId));
    }
    return isFound;
  }
}

function identityIn(head: { readonly bytes: Buffer } | null): ReturnType<typeof thisProcess> | null {
  try {
    const parsed: unknown = JSON.parse(head?.bytes.toString() ?? 'null');
    return isProcessIdentity(parsed) ? parsed : null;
  } catch {
    return null;
  }
}
