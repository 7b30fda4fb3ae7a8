import { join } from 'node:path';
import { safeName } from '../../../safe-name.js';
import type { DeadLetter } from '../../transport.js';

/** Where an exchange has what, below one data folder. */
export class Places {
  readonly root: string;
  /** What shows which links are alive. */
  readonly links: string;
  readonly dead: string;

  /** @param controlFolder - Where links show that they are alive, if not here. */
  constructor(dataFolder: string, exchange: string, controlFolder?: string) {
    this.root = join(dataFolder, safeName(exchange));
    this.links = join(controlFolder === undefined ? this.root : join(controlFolder, safeName(exchange)), 'links');
    this.dead = join(this.root, 'dead');
  }

  /** A new file for what is not whole yet, on the file system of all others. */
  temporary(name: string): string {
    return join(this.root, 'temporary', name);
  }

  place(kind: DeadLetter['kind'], name: string): PlacePaths {
    return new PlacePaths(join(this.root, kind === 'queue' ? 'queues' : 'mailboxes', safeName(name)));
  }

  /** One folder for each who listens. */
  room(name: string): string {
    return join(this.root, 'rooms', safeName(name));
  }
}

/** The folders of a queue or mailbox. */
export class PlacePaths {
  readonly folder: string;
  readonly fresh: string;
  readonly active: string;
  /** Of a mailbox: the links that read it. */
  readonly readers: string;
  /** Of a mailbox: how long it is kept without a reader, from when this was touched last. */
  readonly expiry: string;

  constructor(folder: string) {
    this.folder = folder;
    this.fresh = join(folder, 'new');
    this.active = join(folder, 'active');
    this.readers = join(folder, 'readers');
    this.expiry = join(folder, 'expiry');
  }
}
