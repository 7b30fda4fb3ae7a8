import { lstat, mkdir, readdir } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { UnsupportedError } from '../../errors.js';

/** Where the runs of one user on this machine are announced: each by a Unix socket that belongs to its process. */
export interface RuntimeFolder {
  readonly path: string;
}

/**
 * The folder of the user: in `XDG_RUNTIME_DIR` where there is one, and otherwise in the one for temporary files.
 *
 * @throws {UnsupportedError} where there are no Unix sockets, and for a folder that somebody else could write to.
 */
export async function runtimeFolder(env: Readonly<Record<string, string | undefined>>): Promise<RuntimeFolder> {
  if (process.platform === 'win32') throw new UnsupportedError('Runs cannot be reached from outside on Windows');
  const { uid } = userInfo();
  const given = env['XDG_RUNTIME_DIR'];
  const path = given === undefined || given === '' ? join(tmpdir(), `flowstate-${uid}`) : join(given, 'flowstate');
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) {
      throw new UnsupportedError(`Runs cannot be announced in ${path}`, { cause: error });
    }
  }
  // In a folder for everybody, somebody may have been here first.
  const found = await lstat(path);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o022) !== 0) {
    throw new UnsupportedError(`Runs cannot be announced in ${path}: it is not a folder that only its owner writes to`);
  }
  return { path };
}

/** How much of a uuid is in the name of a socket: paths of sockets are short. */
const ID_LENGTH = 16;

function prefixOf(uuid: string): string {
  return `${uuid.replaceAll('-', '').slice(0, ID_LENGTH)}-`;
}

/** A new path for the socket of a run. No other process uses it, ever: one that is left behind is in nobody's way. */
export function newSocketPath({ path }: RuntimeFolder, uuid: string, newId: () => string): string {
  return join(path, `${prefixOf(uuid)}${newId().slice(0, 8)}.sock`);
}

/** The sockets under which a run was announced, those of processes that are gone among them. */
export async function socketPaths({ path }: RuntimeFolder, uuid: string): Promise<string[]> {
  const names = await readdir(path);
  return names
    .filter((name) => name.startsWith(prefixOf(uuid)) && name.endsWith('.sock'))
    .map((name) => join(path, name));
}
