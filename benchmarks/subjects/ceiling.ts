import type { Plan, PlannedTask } from '../plan.js';
import { argumentsOf } from '../plan.js';
import type { Outcome, Subject } from './subject.js';

/**
 * A bare promise-per-task scheduler without names, state or history: a reference, not a floor.
 *
 * Each task is an async function that is awaited and gets its values in an object, as in an engine; who waits for whom
 * is found once, then counted down. When a task fails, what was run is reverted in reverse order, one by one.
 */
export const ceiling: Subject = {
  build: (plan) => ({ run: () => run(plan) }),
};

async function run({ tasks }: Plan): Promise<Outcome> {
  const { results, ran, error } = await execute(tasks);
  if (error !== null) {
    for (const index of ran.toReversed()) {
      const task = tasks[index];
      await task?.revert?.({ ...argumentsOf(task, results), result: results[index] ?? error });
    }
  }
  const edges = tasks.reduce((sum, { dependencies }) => sum + dependencies.length, 0);
  return {
    counters: { readinessChecks: 0, commits: 0, vertices: tasks.length, edges },
    error,
    resultOf: (index) => results[index],
    close: () => Promise.resolve(),
  };
}

interface Execution {
  readonly results: readonly unknown[];
  /** In the order in which they came to an end. */
  readonly ran: readonly number[];
  readonly error: unknown;
}

async function execute(tasks: readonly PlannedTask[]): Promise<Execution> {
  const successors: number[][] = tasks.map(() => []);
  const pending = tasks.map(({ dependencies }) => dependencies.length);
  tasks.forEach(({ dependencies }, index) => {
    for (const before of dependencies) successors[before]?.push(index);
  });
  const results: unknown[] = tasks.map(() => undefined);
  const ran: number[] = [];
  let error: unknown = null;
  let running = 0;

  await new Promise<void>((resolve) => {
    const start = async (index: number) => {
      const task = tasks[index];
      if (task === undefined) return;
      running += 1;
      try {
        results[index] = await task.execute(argumentsOf(task, results));
      } catch (thrown) {
        error ??= thrown;
      }
      ran.push(index);
      running -= 1;
      if (error === null) {
        for (const next of successors[index] ?? []) {
          const left = (pending[next] ?? 0) - 1;
          pending[next] = left;
          if (left === 0) void start(next);
        }
      }
      if (running === 0) resolve();
    };
    tasks.forEach(({ dependencies }, index) => {
      if (dependencies.length === 0) void start(index);
    });
  });
  return { results, ran, error };
}
