import { describe, expect, it } from 'vitest';
import { linear } from '../../src/flows/linear.js';
import { made, namesOf, retryWith } from './make.js';

describe('a linear flow', () => {
  it('has its children in the order in which they were added, each linked to the next', () => {
    const flow = linear('f').add(made('c'), made('a')).add(made('b'));
    expect(namesOf(flow)).toEqual(['c', 'a', 'b']);
    const links = [...flow.links()];
    expect(links.map(({ from, to }) => `${from.name} -> ${to.name}`)).toEqual(['c -> a', 'a -> b']);
    expect(links.map(({ metadata }) => metadata)).toEqual([{ invariant: true }, { invariant: true }]);
  });

  it('requires what no earlier child provides', () => {
    const flow = linear('f').add(made('a', ['x'], ['y']), made('b', ['y', 'z'], ['x']), made('c', ['x', 'y']));
    expect([...flow.requires]).toEqual(['x', 'z']);
    expect([...flow.provides]).toEqual(['y', 'x']);
  });

  it('requires what only a later child provides', () => {
    const flow = linear('f').add(made('b', ['y']), made('a', [], 'y'));
    expect([...flow.requires]).toEqual(['y']);
    expect([...linear('f').add(made('a', ['x'], 'x')).requires]).toEqual(['x']);
  });

  it('does not require what its retry provides, but what the retry requires', () => {
    const retry = retryWith({ requires: ['x', 'y'], provides: 'y' });
    const flow = linear('f', { retry }).add(made('a', ['y', 'z'], 'x'));
    expect([...flow.requires]).toEqual(['x', 'y', 'z']);
    expect([...flow.provides]).toEqual(['y', 'x']);
  });

  it('takes nested flows as a whole', () => {
    const inner = linear('g').add(made('a', ['x'], 'y'), made('b', ['y', 'q'], 'z'));
    const flow = linear('f').add(made('p', [], 'q'), inner, made('c', ['z', 'w']));
    expect([...flow.requires]).toEqual(['x', 'w']);
    expect([...flow.provides]).toEqual(['q', 'y', 'z']);
  });
});
