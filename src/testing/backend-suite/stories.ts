import { task } from '../../atoms/function-task.js';
import { times } from '../../atoms/retries.js';
import type { Task } from '../../atoms/task.js';
import type { Flow } from '../../flows/flow.js';
import { linear } from '../../flows/linear.js';
import { unordered } from '../../flows/unordered.js';

/** What the tasks of a story are connected with. */
export interface Stage {
  called(atom: string, method: 'execute' | 'revert'): Promise<void>;
  suspend(): void;
}

/** A flow that comes to the same end each time. */
export interface Story {
  readonly name: string;
  readonly engine: 'serial' | 'parallel';
  readonly flow: (stage: Stage) => Flow;
}

type Execute = (args: Readonly<Record<string, unknown>>) => unknown;

function working(stage: Stage) {
  return (name: string, execute: Execute = () => `${name} done`, requires: readonly string[] = []): Task =>
    task({
      name,
      provides: name,
      signature: { execute: { required: requires, optional: [] }, revert: {} },
      execute: async (args) => {
        await stage.called(name, 'execute');
        return execute({ ...args });
      },
      revert: async () => {
        await stage.called(name, 'revert');
        return `${name} undone`;
      },
    });
}

const fails = () => {
  throw new Error('failed on purpose');
};

export const STORIES: readonly Story[] = [
  {
    name: 'a chain',
    engine: 'serial',
    flow(stage) {
      const work = working(stage);
      return linear('f').add(
        work('a'),
        work('b', ({ a }) => ({ after: a }), ['a']),
        work('c', ({ b }) => [b], ['b']),
      );
    },
  },
  {
    name: 'tasks side by side',
    engine: 'parallel',
    flow(stage) {
      const work = working(stage);
      const together = unordered('u').add(work('b'), linear('l').add(work('c'), work('d')), work('e'));
      return linear('f').add(
        work('a'),
        together,
        work('z', ({ d, e }) => [d, e], ['d', 'e']),
      );
    },
  },
  {
    name: 'a flow that is tried twice',
    engine: 'parallel',
    flow(stage) {
      const work = working(stage);
      const retry = times({ name: 'r', attempts: 2, provides: 'attempt' });
      const flaky = work('b', ({ attempt }) => (attempt === 1 ? fails() : attempt), ['attempt']);
      return linear('f').add(work('before'), linear('again', { retry }).add(work('a'), flaky, work('c')));
    },
  },
  {
    name: 'a flow that is undone',
    engine: 'serial',
    flow(stage) {
      const work = working(stage);
      return linear('f').add(work('a'), unordered('u').add(work('b'), work('c')), work('d', fails));
    },
  },
  {
    name: 'a flow that is suspended twice',
    engine: 'parallel',
    flow(stage) {
      const work = working(stage);
      const asked = new Set<string>();
      const suspendsOnce = (name: string) =>
        work(name, () => {
          if (!asked.has(name)) stage.suspend();
          asked.add(name);
          return name;
        });
      return linear('f').add(suspendsOnce('a'), work('b'), suspendsOnce('c'), work('d'));
    },
  },
];
