import { constants } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, unlink } from 'node:fs/promises';

export interface FileParts {
  readonly size: number;
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** The calls to the file system that a folder of records makes. Whatever is not there reads as null. */
export interface Files {
  /** Does not follow a link. */
  read(path: string): Promise<string | null>;
  /** The first bytes of a file, and all from a position on. */
  readParts(path: string, head: number, from: number): Promise<FileParts | null>;
  list(folder: string): Promise<readonly string[] | null>;
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file. */
  write(path: string, text: string, durable: boolean): Promise<void>;
  /** Makes a position the end of a file, and adds to it. */
  writeFrom(path: string, position: number, text: string, durable: boolean): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** @returns false when there is something at `to` already. */
  link(from: string, to: string): Promise<boolean>;
  remove(path: string): Promise<void>;
  /** Makes durable which files a folder has. */
  syncFolder(path: string): Promise<void>;
}

/** Windows knows no such flag, and hardly any links. */
const WITHOUT_LINKS = constants.O_RDONLY | ('O_NOFOLLOW' in constants ? constants.O_NOFOLLOW : 0);

export const systemFiles: Files = {
  read: (path) => unlessAbsent(() => readFile(path, { encoding: 'utf8', flag: WITHOUT_LINKS })),

  readParts: (path, head, from) =>
    unlessAbsent(async () => {
      await using file = await open(path, 'r');
      const { size } = await file.stat();
      const part = async (position: number, length: number) => {
        const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
        return buffer.subarray(0, bytesRead);
      };
      const tail = size > from ? await part(from, size - from) : Buffer.alloc(0);
      return { size, head: await part(0, head), tail };
    }),

  list: (folder) => unlessAbsent(() => readdir(folder)),

  makeFolder: async (path) => {
    await mkdir(path, { recursive: true });
  },

  write: async (path, text, durable) => {
    await using file = await open(path, 'w');
    await file.writeFile(text);
    if (durable) await file.datasync();
  },

  writeFrom: async (path, position, text, durable) => {
    await using file = await open(path, constants.O_WRONLY | constants.O_APPEND);
    await file.truncate(position);
    await file.appendFile(text);
    if (durable) await file.datasync();
  },

  rename,

  link: async (from, to) => {
    try {
      await link(from, to);
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  },

  remove: async (path) => {
    await unlessAbsent(() => unlink(path));
  },

  syncFolder: async (path) => {
    // Windows has no such thing: there a folder cannot be opened.
    if (process.platform === 'win32') return;
    await using folder = await open(path, 'r');
    await folder.sync();
  },
};

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

async function unlessAbsent<Result>(look: () => Promise<Result>): Promise<Result | null> {
  try {
    return await look();
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
