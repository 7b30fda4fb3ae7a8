import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { task, typed } from 'flowstate';
import type { Task } from 'flowstate';
import { removeFile, syncFolder } from '../durable-files.js';
import { Places } from '../places.js';
import type { SourceFile } from './scan.js';
import type { StepParts } from './step.js';

const CHUNK_BYTES = 64 * 1024;

/** A file that was compressed into the staging folder. */
export interface PackedFile {
  readonly path: string;
  /** Of the file itself. */
  readonly sha256: string;
  readonly size: number;
  readonly packedSize: number;
}

/** The symbol under which a packed file is known. */
export function packedSymbol(path: string): string {
  return `packed ${path}`;
}

/** Hashes one file and compresses it into the staging folder, piece by piece: it may be larger than the memory. */
export function compress(index: number, path: string, { plan, places, checkRoom, failIfAsked }: StepParts): Task {
  const packed = Places.packed(places.staging(plan.version), path);
  const partial = join(places.staging(plan.version), `partial-${index}`);
  return task({
    name: `compress ${path}`,
    requires: { sources: typed<readonly SourceFile[]>() },
    provides: packedSymbol(path),
    async execute({ sources }, { signal }): Promise<PackedFile> {
      checkRoom();
      let facts: Omit<PackedFile, 'path'>;
      try {
        const source = sources[index];
        if (source?.path !== path) throw new Error('it was not scanned');
        facts = await pack(join(plan.source, path), partial, source, signal);
        await rename(partial, packed);
        await syncFolder(dirname(packed));
      } catch (cause) {
        await removeFile(partial);
        throw new Error(`${path} could not be compressed`, { cause });
      }
      // One file in the middle: some are done by then, some are not.
      if (index === Math.floor(plan.files.length / 2)) failIfAsked('compress');
      return { path, ...facts };
    },
    async revert() {
      await removeFile(partial);
      await removeFile(packed);
    },
  });
}

async function pack(
  from: string,
  to: string,
  scanned: SourceFile,
  signal: AbortSignal,
): Promise<Omit<PackedFile, 'path'>> {
  // Not through a link that has taken the place of the file, and not waiting for ever on a pipe that has.
  const input = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const output = await open(to, 'w');
    try {
      const found = await input.stat();
      if (!found.isFile() || found.size !== scanned.size || found.mtimeMs !== scanned.mtimeMs) {
        throw new Error('it has changed since it was scanned');
      }
      const hash = createHash('sha256');
      let size = 0;
      await pipeline(
        async function* () {
          for await (const chunk of chunksOf(input)) {
            signal.throwIfAborted();
            size += chunk.length;
            hash.update(chunk);
            yield chunk;
          }
        },
        // Neither name nor time go into what it writes: the same bytes in are the same bytes out.
        createGzip(),
        async (chunks: AsyncIterable<Buffer>) => {
          for await (const chunk of chunks) await output.appendFile(chunk);
        },
      );
      if (size !== scanned.size) throw new Error('it changed while it was read');
      await output.sync();
      return { sha256: hash.digest('hex'), size, packedSize: (await output.stat()).size };
    } finally {
      await output.close();
    }
  } finally {
    await input.close();
  }
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES));
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}
