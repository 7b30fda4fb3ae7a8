import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { task } from 'flowstate';
import type { Task } from 'flowstate';
import { Places } from '../places.js';
import { manifestSchema } from './manifest.js';
import type { StepParts } from './step.js';

/** Decompresses everything that the manifest lists, as whoever downloads it would, and compares. */
export function verify({ plan, places, failIfAsked }: StepParts): Task {
  const folder = places.staging(plan.version);
  return task({
    name: 'verify',
    async execute(_, context) {
      const { files } = manifestSchema.parse(JSON.parse(await readFile(Places.manifest(folder), 'utf8')));
      if (files.length !== plan.files.length) {
        throw new Error(`The manifest lists ${files.length} files of ${plan.files.length}`);
      }
      for (const [done, file] of files.entries()) {
        const packed = Places.packed(folder, file.path);
        const { size, sha256 } = await unpacked(packed, context.signal);
        if (size !== file.size || sha256 !== file.sha256 || (await stat(packed)).size !== file.packedSize) {
          throw new Error(`${file.path} is not what was compressed: ${packed} was changed or is damaged`);
        }
        context.progress((done + 1) / files.length);
      }
      failIfAsked('verify');
    },
    // It only reads: there is nothing to undo.
    revert: () => undefined,
  });
}

async function unpacked(path: string, signal: AbortSignal): Promise<{ size: number; sha256: string }> {
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    createReadStream(path),
    createGunzip(),
    async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        size += chunk.length;
        hash.update(chunk);
      }
    },
    { signal },
  );
  return { size, sha256: hash.digest('hex') };
}
