import { stat } from 'node:fs/promises';
import { sep } from 'node:path';
import { z } from 'zod';
import { CannotStartError } from './command-line.js';
import type { Options } from './command-line.js';
import { codeOf, numbersIn, targetOf } from './durable-files.js';
import { listFiles } from './list-files.js';
import type { Places } from './places.js';

/**
 * All that the flow of one run is made from.
 *
 * A resumed process has to build the same flow again, and the directory may have changed by then. So the files are
 * listed once, before there is a flow, and the list is kept in the meta of the run's logbook. The flow is always built
 * from there. What happens to a file later is found out by the atom that reads it.
 */
export const planSchema = z.object({
  /** The directory that is published, absolute. */
  source: z.string(),
  files: z.array(z.string()),
  /** Links and other things that are no files. */
  skipped: z.array(z.string()),
  version: z.int().positive(),
  /**
   * Where `latest` led before, or null. Noted before anything moves it: a step that is executed for a second time
   * would find its own work.
   */
  previous: z.string().nullable(),
  keep: z.int().positive(),
});

export type Plan = z.infer<typeof planSchema>;

/** @throws {CannotStartError} when the directory is not there or cannot be published. */
export async function makePlan({ directory, keep }: Options, places: Places): Promise<Plan> {
  await refuseUnlessDirectory(directory);
  if (`${directory}${sep}`.startsWith(`${places.out}${sep}`)) {
    throw new CannotStartError(
      `${directory} is in the output folder ${places.out}: publish something else, or use --out`,
    );
  }
  const { files, skipped } = await listFiles(directory, { except: places.out });
  return {
    source: directory,
    files: [...files],
    skipped: [...skipped],
    version: Math.max(0, ...(await numbersIn(places.versions))) + 1,
    previous: await previousVersion(places),
    keep,
  };
}

async function refuseUnlessDirectory(path: string): Promise<void> {
  try {
    if ((await stat(path)).isDirectory()) return;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') throw new CannotStartError(`There is no directory ${path}`);
    throw new CannotStartError(`${path} cannot be published`, { cause: error });
  }
  throw new CannotStartError(`${path} is not a directory`);
}

async function previousVersion({ latest }: Places): Promise<string | null> {
  try {
    return await targetOf(latest);
  } catch (error) {
    throw new CannotStartError(`${latest} is there and is no symbolic link: move it away`, { cause: error });
  }
}
