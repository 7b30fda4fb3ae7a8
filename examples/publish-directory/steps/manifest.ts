import { rm } from 'node:fs/promises';
import { z } from 'zod';
import { task, typed } from 'flowstate';
import type { Task } from 'flowstate';
import { writeDurably } from '../durable-files.js';
import { Places } from '../places.js';
import type { PackedFile } from './compress.js';
import { packedSymbol } from './compress.js';
import type { StepParts } from './step.js';

/** `manifest.json`: what a version holds. It says nothing of when and where, so that equal versions are equal. */
export const manifestSchema = z.object({
  compression: z.literal('gzip'),
  /** Sorted by path. Sizes in bytes. */
  files: z.array(z.object({ path: z.string(), sha256: z.string(), size: z.int(), packedSize: z.int() })),
});

export const totalsSchema = z.object({ files: z.int(), size: z.int(), packedSize: z.int() });

/** Writes the list of what was compressed. */
export function manifest({ plan, places, checkRoom, failIfAsked }: StepParts): Task {
  const path = Places.manifest(places.staging(plan.version));
  const symbols = plan.files.map(packedSymbol);
  return task({
    name: 'manifest',
    requires: Object.fromEntries(symbols.map((symbol) => [symbol, typed<PackedFile>()])),
    provides: { totals: totalsSchema },
    async execute(packed) {
      checkRoom();
      const files = symbols.flatMap((symbol) => packed[symbol] ?? []);
      await writeDurably(path, `${JSON.stringify({ compression: 'gzip', files }, null, 2)}\n`);
      failIfAsked('manifest');
      return {
        files: files.length,
        size: sum(files.map(({ size }) => size)),
        packedSize: sum(files.map(({ packedSize }) => packedSize)),
      };
    },
    async revert() {
      await rm(path, { force: true });
    },
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
