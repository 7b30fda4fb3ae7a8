import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { task } from 'flowstate';
import type { Task } from 'flowstate';
import { moveDurably, numbersIn, syncFolder } from '../durable-files.js';
import type { StepParts } from './step.js';

/** Takes old versions away. They go to the trash, which is emptied when the run can no longer be reverted. */
export function prune({ plan, places, failIfAsked }: StepParts): Task {
  return task({
    name: 'prune',
    provides: 'pruned',
    async execute(): Promise<readonly number[]> {
      const versions = (await numbersIn(places.versions)).filter((version) => version <= plan.version);
      const old = versions.slice(0, Math.max(0, versions.length - plan.keep));
      if (old.length > 0) await mkdir(places.trash, { recursive: true });
      for (const version of old) await moveDurably(places.version(version), join(places.trash, String(version)));
      failIfAsked('prune');
      // Also those that an execution moved which was interrupted.
      return numbersIn(places.trash);
    },
    async revert() {
      for (const version of await numbersIn(places.trash)) {
        await moveDurably(join(places.trash, String(version)), places.version(version));
      }
      await rm(places.trash, { recursive: true, force: true });
      await syncFolder(places.out);
    },
  });
}
