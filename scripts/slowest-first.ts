import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** Where tests wait most, for servers and processes; the rest is soon done beside them. */
const SLOW = [
  /^test\/workers\//,
  /^test\/persistence\//,
  /^test\/(cli|executors|examples|kills)\//,
  /^test\/visualizations\/inspector\//,
];

/**
 * Begins with what takes longest, so that nothing long is left over at the end. Last, side by side, are files that share a
 * process: it is handed on from one to the next, and ended where one comes that wants its own.
 */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const isSlow = ({ moduleId }: TestSpecification) => SLOW.some((pattern) => pattern.test(relative(root, moduleId)));
    const sorted = await super.sort(files);
    const rest = sorted.filter((file) => !isSlow(file));
    const isAlone = ({ project }: TestSpecification) => project.config.isolate;
    return [...sorted.filter(isSlow), ...rest.filter(isAlone), ...rest.filter((file) => !isAlone(file))];
  }
}
