import { describe, expect, it } from 'vitest';
import { task } from '../../src/atoms/function-task.js';
import type { Provides } from '../../src/atoms/provides.js';
import { Task, type TaskOptions } from '../../src/atoms/task.js';

const saves = (provides: Provides | null | undefined): unknown => {
  const made: Task = task({ name: 't', provides, execute: () => null });
  expect([...made.provides]).toEqual([...made.saveAs.keys()]);
  return [...made.saveAs];
};

describe('what a task provides', () => {
  it('is nothing, unless it says so', () => {
    expect(saves(undefined)).toEqual([]);
    expect(saves(null)).toEqual([]);
    expect(saves([])).toEqual([]);
  });

  it('is the whole result under one name', () => {
    expect(saves('x')).toEqual([['x', null]]);
  });

  it('is elements of the result by position', () => {
    expect(saves(['x', 'y'])).toEqual([
      ['x', 0],
      ['y', 1],
    ]);
  });

  it('is the first element, not the whole, when it is a list of one', () => {
    expect(saves(['x'])).toEqual([['x', 0]]);
  });

  it('is properties of the result by key', () => {
    expect(saves({ keys: ['x', 'y'] })).toEqual([
      ['x', 'x'],
      ['y', 'y'],
    ]);
    expect(saves({ keys: new Set(['x']) })).toEqual([['x', 'x']]);
    expect(saves(new Set(['x', 'y']))).toEqual([
      ['x', 'x'],
      ['y', 'y'],
    ]);
  });

  it('has the last position of a name that is there twice', () => {
    expect(saves(['x', 'y', 'x'])).toEqual([
      ['x', 2],
      ['y', 1],
    ]);
  });

  it.each([[5], [true], [[5]], [{ x: 5 }], [{ keys: 'x' }], [() => 'x']])('cannot be %s', (provides) => {
    expect(() => saves(provides as never)).toThrow(TypeError);
    expect(() => saves(provides as never)).toThrow(/^provides of task 't' takes/);
  });

  describe('by default', () => {
    class Providing extends Task {
      static override readonly defaultProvides = ['x', 'y'];
      override execute(): number[] {
        return [1, 2];
      }
    }
    const made = (options: TaskOptions) => [...new Providing(options).saveAs];

    it('is what the class says', () => {
      expect(made({})).toEqual([
        ['x', 0],
        ['y', 1],
      ]);
    });

    it('is overridden by what the instance says', () => {
      expect(made({ provides: 'z' })).toEqual([['z', null]]);
    });

    it('is overridden by nothing', () => {
      expect(made({ provides: [] })).toEqual([]);
      expect(made({ provides: null })).toEqual([]);
    });
  });
});
