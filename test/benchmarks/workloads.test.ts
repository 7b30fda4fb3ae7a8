import { describe, expect, it } from 'vitest';
import type { Plan } from '../../benchmarks/plan.js';
import { argumentsOf } from '../../benchmarks/plan.js';
import { workloadNamed, WORKLOADS, workloadsNamed } from '../../benchmarks/workloads.js';

const plan = (id: string, n: number, seed = 1) => workloadNamed(id).plan(n, seed);
const dependenciesIn = ({ tasks }: Plan) => tasks.map(({ dependencies }) => dependencies);

describe('a workload', () => {
  it('is a chain that hands one value along', () => {
    expect(dependenciesIn(plan('W1', 4))).toEqual([[], [0], [1], [2]]);
    expect(plan('W1', 4).expected).toEqual([1, 2, 3, 4]);
    expect(plan('W4', 3)).toMatchObject({ arrangement: 'chain', expected: [1, 2, 3] });
  });

  it('is independent tasks, and one that takes them all', () => {
    expect(dependenciesIn(plan('W2', 3))).toEqual([[], [], [], [0, 1, 2]]);
    expect(plan('W2', 3).expected).toEqual([1, 1, 1, 4]);
    expect(dependenciesIn(plan('W4-wide', 3))).toEqual([[], [], []]);
  });

  it('is a graph in layers with about three dependencies a task', () => {
    const n = 400;
    const width = 20;
    const dependencies = dependenciesIn(plan('W3', n));
    expect(dependencies).toHaveLength(n);
    dependencies.forEach((before, index) => {
      expect(new Set(before).size).toBe(before.length);
      expect(before.every((other) => Math.floor(other / width) === Math.floor(index / width) - 1)).toBe(true);
    });
    const mean = dependencies.flat().length / (n - width);
    expect(mean).toBeGreaterThan(2.7);
    expect(mean).toBeLessThan(3.3);
  });

  it.each([2, 3, 10])('is a graph in layers also with %i tasks', (n) => {
    expect(dependenciesIn(plan('W3', n)).every((before, index) => before.every((other) => other < index))).toBe(true);
  });

  it('is the same graph for the same seed only', () => {
    expect(dependenciesIn(plan('W3', 300, 7))).toEqual(dependenciesIn(plan('W3', 300, 7)));
    expect(dependenciesIn(plan('W3', 300, 7))).not.toEqual(dependenciesIn(plan('W3', 300, 8)));
  });

  it('is a chain whose last task fails, where all can be reverted', async () => {
    const { tasks, failure, reverted } = plan('W5', 3);
    await expect(tasks.at(-1)?.execute({})).rejects.toBe(failure);
    await tasks[1]?.revert?.({});
    expect(reverted).toEqual([1]);
  });

  it.each(WORKLOADS.filter(({ id }) => id !== 'W5'))('expects of $id what its tasks give', async ({ id }) => {
    const { tasks, expected } = plan(id, 50);
    const results: number[] = [];
    for (const task of tasks) results.push(await task.execute(argumentsOf(task, results)));
    expect(results.slice(0, expected.length)).toEqual(expected);
  });

  it('gives another answer when an argument is missing', async () => {
    const { tasks, expected } = plan('W2', 3);
    expect(await tasks.at(-1)?.execute({ a0: 1, a1: 1 })).not.toBe(expected.at(-1));
    expect(await tasks.at(-1)?.execute({ a0: 1, a1: 1, a2: undefined })).not.toBe(expected.at(-1));
  });
});

describe('the names of workloads', () => {
  it('mean one, or all that belong together', () => {
    expect(workloadsNamed(['w3', 'W1']).map(({ id }) => id)).toEqual(['W1', 'W3']);
    expect(workloadsNamed(['W4']).map(({ id }) => id)).toEqual(['W4', 'W4-normal', 'W4-wide', 'W4-postgresql']);
    expect(workloadsNamed([])).toBe(WORKLOADS);
  });

  it('are told when there is none of a name', () => {
    expect(() => workloadsNamed(['W1', 'W9'])).toThrow(
      new RangeError(`There is no workload W9; there are ${WORKLOADS.map(({ id }) => id).join(', ')}`),
    );
    expect(() => workloadNamed('W9')).toThrow(RangeError);
  });
});
