import type { Dirent } from 'node:fs';
import { mkdir, open, readdir, rename, rm, rmdir, stat, unlink, utimes, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const BEGINNING_BYTES = 2 ** 20;

/** The calls to the file system that messages in folders need. Whatever is not there reads as null. */

const isAbsent = (error: unknown): boolean => codeOf(error) === 'ENOENT';

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}

async function unlessAbsent<Result>(call: () => Promise<Result>): Promise<Result | null> {
  try {
    return await call();
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Does something in a folder, which is made when it turns out not to be there. */
async function inFolder<Result>(folder: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (!isAbsent(error)) throw error;
    await mkdir(folder, { recursive: true });
    return call();
  }
}

/** What a file holds; of one with more bytes than `longest` the beginning. */
export const readHead = (
  path: string,
  longest: number,
): Promise<{ readonly bytes: Buffer; readonly size: number } | null> =>
  unlessAbsent(async () => {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    if (size <= longest) return { bytes: await file.readFile(), size };
    const { buffer, bytesRead } = await file.read(Buffer.alloc(BEGINNING_BYTES), 0, BEGINNING_BYTES, 0);
    return { bytes: buffer.subarray(0, bytesRead), size };
  });

/** Sorted. Whatever else is there, such as pipes, which nobody may come to write to, and links, is left out. */
export const listFiles = (folder: string): Promise<readonly string[]> => list(folder, (entry) => entry.isFile());

/** Sorted. */
export const listFolders = (folder: string): Promise<readonly string[]> => list(folder, (entry) => entry.isDirectory());

async function list(folder: string, isMeant: (entry: Dirent) => boolean): Promise<readonly string[]> {
  const entries = await unlessAbsent(() => readdir(folder, { withFileTypes: true }));
  return (entries ?? [])
    .filter(isMeant)
    .map(({ name }) => name)
    .toSorted();
}

export async function writeBytes(path: string, bytes: Uint8Array, isDurable: boolean): Promise<void> {
  await inFolder(dirname(path), async () => {
    await using file = await open(path, 'w');
    await file.writeFile(bytes);
    if (isDurable) await file.datasync();
  });
}

/** @returns false when there is nothing at `from`. */
export async function move(from: string, to: string): Promise<boolean> {
  const isMoved = await unlessAbsent(() => rename(from, to).then(() => true));
  if (isMoved !== null) return true;
  await mkdir(dirname(to), { recursive: true });
  return (await unlessAbsent(() => rename(from, to).then(() => true))) ?? false;
}

/** As `move`, only where the folder is there already. */
export async function moveInto(from: string, to: string): Promise<boolean> {
  return (await unlessAbsent(() => rename(from, to).then(() => true))) ?? false;
}

/** @returns false when there was nothing. */
export async function remove(path: string): Promise<boolean> {
  return (await unlessAbsent(() => unlink(path).then(() => true))) ?? false;
}

export async function removeFolder(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** @returns false for a folder that has something in it, or is not there. */
export async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    return (await unlessAbsent(() => rmdir(path).then(() => true))) ?? false;
  } catch (error) {
    // Which of the two it is depends on the file system.
    if (['ENOTEMPTY', 'EEXIST'].includes(String(codeOf(error)))) return false;
    throw error;
  }
}

export async function makeFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true });
}

/** When a file was touched last, in milliseconds since 1970; null for what is no file. */
export const touchedAt = (path: string): Promise<number | null> =>
  unlessAbsent(async () => {
    const about = await stat(path);
    return about.isFile() ? about.mtimeMs : null;
  });

/** Sets when a file was touched last; one that is not there is made. */
export async function touch(path: string, at: number, text: string): Promise<void> {
  const time = new Date(at);
  if ((await unlessAbsent(() => utimes(path, time, time).then(() => true))) !== null) return;
  await inFolder(dirname(path), () => writeFile(path, text));
  await utimes(path, time, time);
}

/** Makes durable which files a folder has. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing: there a folder cannot be opened.
  if (process.platform === 'win32') return;
  await unlessAbsent(async () => {
    await using folder = await open(path, 'r');
    await folder.sync();
  });
}
