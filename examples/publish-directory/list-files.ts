import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CannotStartError } from './command-line.js';

export interface Listing {
  /** Relative to the directory, with `/`, sorted. */
  readonly files: readonly string[];
  /** What is not published: symbolic links, which are not followed, and whatever else is no file. */
  readonly skipped: readonly string[];
}

/**
 * Lists the files of a directory and of those in it.
 *
 * @param except - A folder that is left out: the output may be inside of what is published.
 * @throws {CannotStartError} naming what cannot be read or published.
 */
export async function listFiles(directory: string, { except }: { readonly except: string }): Promise<Listing> {
  const files: string[] = [];
  const skipped: string[] = [];
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await entriesOf(join(directory, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.isFile()) files.push(path);
      else if (!entry.isDirectory()) skipped.push(path);
      else if (join(directory, path) !== except) folders.push(path);
    }
  }
  files.sort();
  refuseClashes(files);
  return { files, skipped: skipped.sort() };
}

async function entriesOf(folder: string) {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    throw new CannotStartError(`The directory ${folder} cannot be read`, { cause: error });
  }
}

/** `a` is published as `a.gz`, which must not be where the files of a directory `a.gz` go. */
function refuseClashes(files: readonly string[]): void {
  const published = new Set(files.map((path) => `${path}.gz`));
  for (const path of files) {
    for (let end = path.indexOf('/'); end >= 0; end = path.indexOf('/', end + 1)) {
      const folder = path.slice(0, end);
      if (!published.has(folder)) continue;
      throw new CannotStartError(
        `The file ${folder.slice(0, -'.gz'.length)} would be published as ${folder}, which is a directory, too`,
      );
    }
  }
}
