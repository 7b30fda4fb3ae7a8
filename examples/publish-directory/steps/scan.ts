import { lstat, mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { task } from 'flowstate';
import type { Task } from 'flowstate';
import { syncFolder } from '../durable-files.js';
import { Places } from '../places.js';
import type { StepParts } from './step.js';

/** A file as it was found. One that is no longer so when it is read is not published. */
export interface SourceFile {
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
}

/** Takes stock of the files, and makes the folders in which the version is put together. */
export function scan({ plan, places, failIfAsked }: StepParts): Task {
  const staging = places.staging(plan.version);
  return task({
    name: 'scan',
    provides: 'sources',
    async execute(): Promise<readonly SourceFile[]> {
      const sources: SourceFile[] = [];
      for (const path of plan.files) {
        const { size, mtimeMs } = await lstat(join(plan.source, path));
        sources.push({ path, size, mtimeMs });
      }
      // What is there comes from an earlier execution of this atom, or from a run whose state was deleted.
      await rm(staging, { recursive: true, force: true });
      const folders = new Set([
        staging,
        ...plan.files.flatMap((path) => foldersOf(Places.packed(staging, path), staging)),
      ]);
      for (const folder of folders) await mkdir(folder, { recursive: true });
      await mkdir(places.versions, { recursive: true });
      for (const folder of [...folders, places.stagings, places.out]) await syncFolder(folder);
      failIfAsked('scan');
      return sources;
    },
    async revert() {
      await rm(staging, { recursive: true, force: true });
      await syncFolder(places.out);
    },
  });
}

/** The folders that a file is in, as far as a folder around them. */
function foldersOf(path: string, around: string): string[] {
  const folder = dirname(path);
  return folder === around ? [] : [...foldersOf(folder, around), folder];
}
