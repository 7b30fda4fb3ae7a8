import { describe, expect, it } from 'vitest';
import { unordered } from '../../src/flows/unordered.js';
import { made, namesOf, retryWith } from './make.js';

const provider = () => made('p', [], 'x');
const requirer = () => made('r', ['x']);

describe('an unordered flow', () => {
  it('has no links', () => {
    const flow = unordered('f').add(provider(), requirer());
    expect([...flow.links()]).toEqual([]);
    expect(namesOf(flow)).toEqual(['p', 'r']);
  });

  it('does not give what one child provides to another, in whatever order', () => {
    const flows = [
      unordered('f').add(provider(), requirer()),
      unordered('f').add(requirer(), provider()),
      unordered('f').add(provider()).add(requirer()),
      unordered('f').add(made('both', ['x'], 'x')),
    ];
    for (const flow of flows) {
      expect([...flow.requires]).toEqual(['x']);
      expect([...flow.provides]).toEqual(['x']);
    }
  });

  it('may have several children that provide the same', () => {
    const flow = unordered('f').add(provider(), made('q', [], ['x', 'y']));
    expect([...flow.provides]).toEqual(['x', 'y']);
  });

  it('gives what its retry provides to all children', () => {
    const retry = retryWith({ requires: ['x', 'y'], provides: ['x'] });
    const flow = unordered('f', { retry }).add(requirer(), made('a', ['x', 'z']));
    expect([...flow.requires]).toEqual(['x', 'y', 'z']);
    expect([...flow.provides]).toEqual(['x']);
  });
});
