import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import type { Task } from '../../src/atoms/task.js';
import { DependencyError } from '../../src/errors.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { made } from './make.js';

/** A number from 0 to below the limit, the same in every run. */
function sequence(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (state * 48_271) % 2_147_483_647;
    return state % limit;
  };
}

/** Tasks that require what some earlier ones provide, and one thing from outside. */
function dependent(count: number): Task[] {
  const below = sequence();
  return Array.from({ length: count }, (_, at) => {
    const before = at === 0 ? [] : [at - 1, below(at), below(at)].map((each) => `s${each}`);
    return task({
      name: `t${at}`,
      requires: ['config', ...new Set(before)],
      provides: [`s${at}`],
      execute: () => null,
    });
  });
}

describe('large flows', () => {
  // Quadratic work on so many would take longer than the test has.
  it.each([
    ['one by one', (tasks: Task[]) => tasks.forEach((each) => flow.add(each))],
    ['at once', (tasks: Task[]) => flow.addAll(tasks)],
    ['at once, the last first', (tasks: Task[]) => flow.addAll(tasks.reverse())],
    ['one by one, the last first', (tasks: Task[]) => tasks.reverse().forEach((each) => flow.add(each))],
  ])(
    'are linked without looking through all that is there for each, when added %s',
    (_name, add) => {
      const tasks = dependent(40_000);
      flow = graph('f');
      add(tasks);
      expect([...flow.requires]).toEqual(['config']);
      expect([...flow]).toHaveLength(tasks.length);
    },
    60_000,
  );

  it('are not held up by chains that are linked by hand', () => {
    const tasks = Array.from({ length: 30_000 }, (_, at) => made(`t${at}`));
    const chain = graph('f').addAll(tasks);
    for (let at = 1; at < tasks.length; at += 1) chain.link(tasks[at - 1]!, tasks[at]!);
    expect([...chain].at(-1)).toBe(tasks.at(-1));
    expect(() => chain.link(tasks.at(-1)!, tasks[0]!)).toThrow(DependencyError);
  }, 60_000);

  it('are linear flows, too', () => {
    const line = linear('f');
    for (const each of dependent(30_000)) line.add(each);
    expect([...line.requires]).toEqual(['config']);
    expect([...line.links()]).toHaveLength(29_999);
  }, 60_000);
});

let flow = graph('f');
