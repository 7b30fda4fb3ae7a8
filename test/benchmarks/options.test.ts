import { describe, expect, it } from 'vitest';
import { readOptions } from '../../benchmarks/options.js';

describe('the options of the benchmarks', () => {
  it('have defaults', () => {
    expect(readOptions([])).toMatchObject({
      sizes: null,
      largest: Infinity,
      repeats: 5,
      subjects: ['flowstate'],
      json: null,
      seed: 1,
      warm: false,
      help: false,
    });
  });

  it('are read', () => {
    const args = [
      'W1',
      'W3',
      '--n',
      '1000,10000',
      '--repeats',
      '3',
      '--engine',
      'both',
      '--json',
      'out.json',
      '--seed',
      '9',
      '--warm',
    ];
    const { workloads, ...options } = readOptions(args);
    expect(workloads.map(({ id }) => id)).toEqual(['W1', 'W3']);
    expect(options).toMatchObject({
      sizes: [1_000, 10_000],
      repeats: 3,
      subjects: ['flowstate', 'flowstate-parallel'],
      json: 'out.json',
      seed: 9,
      warm: true,
    });
    expect(readOptions(['--engine', 'parallel']).subjects).toEqual(['flowstate-parallel']);
  });

  it('are few and small when it is to be quick, unless told otherwise', () => {
    expect(readOptions(['--quick'])).toMatchObject({ largest: 1_000, repeats: 1 });
    expect(readOptions(['--quick', '--n', '5000', '--repeats', '2'])).toMatchObject({
      sizes: [5_000],
      largest: Infinity,
      repeats: 2,
    });
  });

  it.each([
    [['--n', '1'], '--n takes a whole number from 2, got "1"'],
    [['--n', '10,x'], '--n takes a whole number from 2, got "x"'],
    [['--repeats', '0'], '--repeats takes a whole number from 1, got "0"'],
    [['--engine', 'warp'], '--engine takes serial, parallel, both, got warp'],
    [['W9'], 'There is no workload W9'],
  ])('are refused: %j', (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
    expect(() => readOptions(args)).toThrow(RangeError);
  });

  it('are refused when there is no such option', () => {
    expect(() => readOptions(['--fast'])).toThrow(TypeError);
  });
});
