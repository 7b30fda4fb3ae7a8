import { describe, expect, it } from 'vitest';
import { type Depth, DEPTHS, pickWidest, translateDepth } from '../../src/flows/depth.js';

describe('a depth', () => {
  it('is read in any letter case, and stays what it is', () => {
    for (const depth of DEPTHS) {
      expect(translateDepth(depth.toLowerCase())).toBe(depth);
      expect(translateDepth(translateDepth(depth))).toBe(depth);
    }
    expect(translateDepth('nEiGhBoRs')).toBe('NEIGHBORS');
  });

  it('is refused when it is none, with those that there are', () => {
    expect(() => translateDepth('2 much')).toThrow(
      new RangeError('depth takes one of [ALL, ATOM, FLOW, NEIGHBORS], got "2 much"'),
    );
    expect(() => translateDepth(5)).toThrow(TypeError);
    expect(() => translateDepth(null)).toThrow(TypeError);
  });
});

describe('the widest of some depths', () => {
  it.each<[Depth[], Depth]>([
    [['ATOM'], 'ATOM'],
    [['ATOM', 'NEIGHBORS'], 'NEIGHBORS'],
    [['FLOW', 'ATOM', 'NEIGHBORS'], 'FLOW'],
    [['FLOW', 'ALL', 'ATOM', 'ALL'], 'ALL'],
  ])('of %j is %s', (depths, widest) => {
    expect(pickWidest(depths)).toBe(widest);
    expect(pickWidest(new Set(depths))).toBe(widest);
  });

  it('is none of no depths, or unknown ones', () => {
    expect(() => pickWidest([])).toThrow(RangeError);
    expect(() => pickWidest(['ALL', 'MORE' as Depth])).toThrow(RangeError);
  });
});
