import { describe, expect, it } from 'vitest';
import { mapTask, reduceTask } from '../../src/atoms/functor-tasks.js';
import type { Task, TaskContext } from '../../src/atoms/task.js';

const five = ['a', 'b', 'c', 'd', 'e'];
const context: TaskContext = {
  atom: 't',
  signal: new AbortController().signal,
  idempotencyKey: 'key',
  progress: () => undefined,
  notify: () => undefined,
};
const run = (made: Task, args: object): unknown => made.execute(args, context);
const values = { e: 5, d: 4, c: 3, b: 2, a: 1 };

const double = (value: number): number => value * 2;
const add = (sum: number, value: number): number => sum + value;

describe('a map task', () => {
  it('calls its function with each argument, in the order in which it requires them', () => {
    const made = mapTask(double, { requires: five, provides: five.map((name) => `${name}2`) });
    expect(run(made, values)).toEqual([2, 4, 6, 8, 10]);
    expect([...made.requires]).toEqual(five);
    expect([...made.saveAs.values()]).toEqual([0, 1, 2, 3, 4]);
    expect(
      run(
        mapTask((value: number) => value ** 2, { name: 'square', requires: five }),
        values,
      ),
    ).toEqual([1, 4, 9, 16, 25]);
  });

  it('gives an empty list for no arguments', () => {
    expect(run(mapTask(double, { requires: [] }), {})).toEqual([]);
  });

  it('is called like its function, unless it has a name', () => {
    expect(mapTask(double, { requires: ['a'] }).name).toBe('double');
    expect(mapTask(double, { requires: ['a'], name: 'twice' }).name).toBe('twice');
  });

  it('finds arguments that are rebound', () => {
    const made = mapTask(double, { requires: ['a', 'b'], rebind: { a: 'x' }, inject: { b: 1 } });
    expect([...made.requires]).toEqual(['x']);
    expect(run(made, values)).toEqual([2, 4]);
  });

  it('refuses what is no function of one value', () => {
    expect(() => mapTask('double' as never, { requires: five })).toThrow(
      new RangeError('mapTask takes a function, got "double"'),
    );
    expect(() => mapTask(add as never, { requires: five })).toThrow(
      new RangeError("The function of map task 'add' has to take exactly 1 value, it takes 2"),
    );
  });

  it.each([['a'], [5], [null]])('refuses to require %j, which is no list', (requires) => {
    expect(() => mapTask(double, { requires: requires as never })).toThrow(TypeError);
  });
});

describe('a reduce task', () => {
  it('folds its arguments, in the order in which it requires them', () => {
    expect(run(reduceTask(add, { requires: five, provides: 'sum' }), values)).toBe(15);
    const multiply = (product: number, value: number): number => product * value;
    expect(run(reduceTask(multiply, { requires: five }), values)).toBe(120);
    const join = (text: string, value: string): string => text + value;
    expect(run(reduceTask(join, { requires: ['b', 'a'] }), { a: 'A', b: 'B' })).toBe('BA');
  });

  it('refuses what is no function of two values', () => {
    expect(() => reduceTask(null as never, { requires: five })).toThrow(
      new RangeError('reduceTask takes a function, got null'),
    );
    expect(() => reduceTask(double as never, { requires: five })).toThrow(
      new RangeError("The function of reduce task 'double' has to take exactly 2 values, it takes 1"),
    );
  });

  it('refuses to require what is no list, or too little', () => {
    expect(() => reduceTask(add, { requires: 'ab' as never })).toThrow(
      new TypeError(`requires of reduce task 'add' takes a list of names, got "ab"`),
    );
    expect(() => reduceTask(add, { requires: ['a'] })).toThrow(
      new RangeError("requires of reduce task 'add' takes at least 2 names, got 1"),
    );
  });
});
