import { join } from 'node:path';
import type { Transport } from '../../transport.js';
import { positiveMs } from '../../transport-basics.js';
import type { TransportBasics } from '../../transport-basics.js';
import { FolderLink } from './link.js';

export interface FilesystemTransportOptions {
  /** The data folder for both directions. */
  readonly path?: string | undefined;
  /** What is read is in this folder. @default path, or dataFolderOut */
  readonly dataFolderIn?: string | undefined;
  /** What is sent goes into this folder: the one that the others read. @default path, or dataFolderIn */
  readonly dataFolderOut?: string | undefined;
  /** How often folders are looked at, in milliseconds; where the system tells of changes they are seen at once. @default 1000 */
  readonly pollingIntervalMs?: number | undefined;
  /** Whether messages that are dealt with are kept. @default false */
  readonly storeProcessed?: boolean | undefined;
  /** Where they are kept. On the file system of the data folders. @default 'processed' in dataFolderIn */
  readonly processedFolder?: string | undefined;
  /** Where links show that they are alive. @default in the data folders */
  readonly controlFolder?: string | undefined;
  /** How long after its last sign, in milliseconds, a link counts as dead whose process cannot be seen to have ended. @default 15000 */
  readonly leaseMs?: number | undefined;
  /** FULL: what was sent outlives the machine. NORMAL: it outlives the processes. @default 'FULL' */
  readonly synchronous?: 'NORMAL' | 'FULL' | undefined;
}

const OWNER = 'the filesystem transport';
const DEFAULT_POLLING_MS = 1000;
const DEFAULT_LEASE_MS = 15_000;

/**
 * A transport through folders, between processes of one host, without any server.
 *
 * Peers share one folder, or the one reads what the other writes. All folders have to be on one file system, which
 * renames files atomically; network file systems that do not are of no use.
 *
 * @throws {RangeError} for a time that is none. @throws {TypeError} where there is no folder.
 */
export function filesystemTransport(options: FilesystemTransportOptions, basics: TransportBasics): Transport {
  const { path, dataFolderIn = path, dataFolderOut = path } = options;
  const [first, second] = [dataFolderIn ?? dataFolderOut, dataFolderOut ?? dataFolderIn];
  if (first === undefined || second === undefined || first === '' || second === '') {
    throw new TypeError('The filesystem transport takes a path, or the folders dataFolderIn and dataFolderOut');
  }
  const name = first === second ? `filesystem:${first}` : `filesystem:${first} (in), ${second} (out)`;
  const { storeProcessed = false, processedFolder = join(first, 'processed'), synchronous = 'FULL' } = options;
  const linkOptions = {
    ...basics,
    name,
    dataFolderIn: first,
    dataFolderOut: second,
    controlFolder: options.controlFolder,
    pollingIntervalMs: positiveMs(OWNER, 'pollingIntervalMs', options.pollingIntervalMs ?? DEFAULT_POLLING_MS),
    processedFolder: storeProcessed ? processedFolder : null,
    leaseMs: positiveMs(OWNER, 'leaseMs', options.leaseMs ?? DEFAULT_LEASE_MS),
    isDurable: synchronous === 'FULL',
  };
  return {
    name,
    async open() {
      const link = new FolderLink(linkOptions);
      await link.start();
      return link;
    },
  };
}
