import { rm } from 'node:fs/promises';
import { task } from 'flowstate';
import type { Task } from 'flowstate';
import { isThere, linkDurably, moveDurably, syncFolder, targetOf } from '../durable-files.js';
import type { StepParts } from './step.js';

/** Moves the version, complete and verified, to where everybody sees it: all of it at once. */
export function publish({ plan, places, failIfAsked }: StepParts): Task {
  const staging = places.staging(plan.version);
  const published = places.version(plan.version);
  return task({
    name: 'publish',
    async execute() {
      // Without a staging folder it has been moved already, by an execution that was interrupted.
      if (await isThere(staging)) await moveDurably(staging, published);
      else if (!(await isThere(published))) throw new Error(`There is neither ${staging} nor ${published}`);
      failIfAsked('publish');
    },
    async revert() {
      if (await isThere(published)) await moveDurably(published, staging);
    },
  });
}

/** Has `published/latest` lead to the version. */
export function latest({ plan, places, failIfAsked }: StepParts): Task {
  const version = String(plan.version);
  return task({
    name: 'latest',
    async execute() {
      await linkDurably(places.latest, version);
      failIfAsked('latest');
    },
    async revert() {
      if ((await targetOf(places.latest)) !== version) return;
      if (plan.previous !== null) await linkDurably(places.latest, plan.previous);
      else {
        await rm(places.latest, { force: true });
        await syncFolder(places.versions);
      }
    },
  });
}
