import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isPlainObject } from '../atoms/arguments.js';
import type { WorkerOptions } from '../workers/worker/options.js';
import { UsageError } from './usage-error.js';
import { importModule } from './user-module.js';

/** What a worker is configured with: its options, and how long it drains. */
export interface WorkerConfig {
  readonly options: WorkerOptions;
  readonly drainMs: number | undefined;
}

/**
 * Reads the configuration of a worker: a JSON file with the options of `Worker` and `drainMs`, or a module whose default
 * export has them. Modules that begin with a dot are looked for beside the file.
 *
 * @throws {UsageError} naming the file, when it cannot be read or holds something else.
 */
export async function readWorkerConfig(path: string): Promise<WorkerConfig> {
  const config = /\.json$/i.test(path) ? await readJson(path) : (await importModule(path))['default'];
  if (!isPlainObject(config)) throw new UsageError(`${path} takes an object with the options of a worker`);
  const { drainMs, ...options } = config;
  if (drainMs !== undefined && !(typeof drainMs === 'number' && drainMs >= 0 && drainMs < Infinity)) {
    throw new UsageError(`drainMs in ${path} takes milliseconds from 0, got ${JSON.stringify(drainMs)}`);
  }
  const folder = dirname(path);
  for (const name of ['tasks', 'taskModules']) {
    const listed: unknown = options[name];
    if (listed === undefined) continue;
    if (!Array.isArray(listed)) throw new UsageError(`${name} in ${path} takes a list, got ${JSON.stringify(listed)}`);
    options[name] = listed.map((item: unknown) => beside(folder, item));
  }
  // What is in it is checked by the worker, which names what is wrong.
  return { options: options as unknown as WorkerOptions, drainMs };
}

async function readJson(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new UsageError(`The configuration ${path} cannot be read`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`The configuration ${path} is not JSON`, { cause });
  }
}

/** Packages, URLs and tasks stay as they are. */
function beside(folder: string, item: unknown): unknown {
  return typeof item === 'string' && /^\.{1,2}\//.test(item) ? pathToFileURL(resolve(folder, item)).href : item;
}
