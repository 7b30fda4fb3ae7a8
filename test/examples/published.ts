import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { persistence } from '../../src/index.js';

/** A directory to be published. */
export const SOURCES: Readonly<Record<string, string>> = {
  'readme.md': 'Read me.\n',
  'empty.txt': '',
  'src/a.ts': 'export const a = 1;\n',
  'src/b.ts': `export const b = [${'1, '.repeat(40_000)}];\n`,
  'src/deep/er/c.ts': 'export const c = 3;\n',
  '-rf': 'a name like an option\n',
};

/** Makes a directory of files. */
export async function write(folder: string, files: Iterable<readonly [path: string, text: string]>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, text] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}

/** Everything below a folder: links by where they lead, files by their bytes, in hexadecimal. */
export async function treeOf(folder: string): Promise<Record<string, string>> {
  const tree: [string, string][] = [];
  for (const name of await readdir(folder, { recursive: true }).catch(() => [])) {
    const path = join(folder, name);
    const found = await lstat(path);
    if (found.isSymbolicLink()) tree.push([name, `-> ${await readlink(path)}`]);
    else if (found.isFile()) tree.push([name, (await readFile(path)).toString('hex')]);
  }
  return Object.fromEntries(tree.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Expects a version to hold the files, compressed, and a manifest that is true. */
export async function expectVersion(folder: string, files: readonly (readonly [path: string, text: string])[]) {
  const listed: unknown = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const expected = [];
  for (const [path, text] of [...files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const packed = await readFile(join(folder, 'files', `${path}.gz`));
    expect(gunzipSync(packed).toString()).toBe(text);
    const sha256 = createHash('sha256').update(text).digest('hex');
    expected.push({ path, sha256, size: Buffer.byteLength(text), packedSize: packed.length });
  }
  expect(listed).toEqual({ compression: 'gzip', files: expected });
  const there = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(there).toHaveLength(files.length + 1);
}

/** The atoms of the last run that are in a state, as the state file has it. */
export async function atomsIn(out: string, state: string): Promise<string[]> {
  await using backend = await persistence.backend({ connection: 'sqlite', path: join(out, 'state.db') });
  const connection = await backend.getConnection();
  try {
    const book = (await connection.getLogbooks()).findLast(({ name }) => name === 'publish-directory');
    return (book?.flows[0]?.atoms ?? []).filter((atom) => atom.state === state).map(({ name }) => name);
  } finally {
    await connection.close();
  }
}

/** The atoms that a process said it finished. */
export function finishedIn(stdout: string): string[] {
  return [...stdout.matchAll(/^ +\d+\/\d+ (.*)$/gm)].map(([, atom]) => atom ?? '');
}
