import { lstat, open, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * What a step has done must still be done after a power failure: the state says that it is. And a step that was
 * interrupted is executed again. So everything here is finished or not there, and can be done twice.
 */

/** Makes sure that what was made, moved or removed in a folder stays so. */
export async function syncFolder(path: string): Promise<void> {
  // There, a folder cannot be opened.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Writes a file by way of another name: under its own, it is never there half. */
export async function writeDurably(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    const file = await open(partial, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Moves a file or folder, in one piece. */
export async function moveDurably(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
}

/** Makes a symbolic link lead elsewhere; at any moment it leads to the old target or to the new. */
export async function linkDurably(link: string, target: string): Promise<void> {
  const partial = join(dirname(link), `.${target}.partial`);
  await rm(partial, { force: true });
  await symlink(target, partial);
  await rename(partial, link);
  await syncFolder(dirname(link));
}

/** Removes a file, if it is there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    // A name that is too long to be written is one that nothing has.
    if (codeOf(error) !== 'ENAMETOOLONG') throw error;
  }
}

export async function isThere(path: string): Promise<boolean> {
  return (await absentAsNull(lstat(path))) !== null;
}

/** Where a symbolic link leads; null when there is none. */
export async function targetOf(link: string): Promise<string | null> {
  return absentAsNull(readlink(link));
}

/** The folders in a folder that are numbered, lowest first. */
export async function numbersIn(folder: string): Promise<number[]> {
  const names = (await absentAsNull(readdir(folder))) ?? [];
  return names
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

async function absentAsNull<Result>(asking: Promise<Result>): Promise<Result | null> {
  try {
    return await asking;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The code of an error of the system, such as `ENOENT`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
