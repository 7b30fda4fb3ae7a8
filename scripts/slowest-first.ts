import { relative } from 'node:path';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** What takes longest, the longest first: most of it waits, for servers and processes; the rest is soon done beside it. */
const SLOW = [
  /^test\/workers\/(amqp-killed|amqp-transport|faults|tls)/,
  /^test\/persistence\/(zookeeper|mysql|directory)/,
  /^test\/(cli\/installed|executors\/pools|examples\/publish-directory|package|workers\/kills)/,
  /^test\/(workers|persistence)\//,
  /^test\/visualizations\/(inspector\/page|parsers|flow-statecharts)/,
  /^test\/(cli|conformance|executors|examples|kills|properties)\//,
  /^test\/visualizations\/inspector\//,
];

/**
 * Begins with what takes longest, so that nothing long is left over at the end. Last, side by side, are files that share a
 * process: it is handed on from one to the next, and ended where one comes that wants its own.
 */
export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { root } = this.ctx.config;
    const rank = ({ moduleId, project }: TestSpecification) => {
      if (!project.config.isolate) return SLOW.length + 1;
      const found = SLOW.findIndex((pattern) => pattern.test(relative(root, moduleId)));
      return found < 0 ? SLOW.length : found;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
