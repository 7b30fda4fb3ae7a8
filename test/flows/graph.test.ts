import { describe, expect, it } from 'vitest';
import { AmbiguousDependencyError, DependencyError } from '../../src/errors.js';
import type { Flow } from '../../src/flows/flow.js';
import { graph } from '../../src/flows/graph.js';
import { linear } from '../../src/flows/linear.js';
import { made, linksOf, namesOf, retryWith } from './make.js';

const yes = () => true;

/** What must stay as it was when a change is refused. */
const stateOf = (flow: Flow) => ({
  names: namesOf(flow),
  links: linksOf(flow),
  requires: [...flow.requires],
  provides: [...flow.provides],
});

describe('adding to a graph flow', () => {
  it('links a provider before a requirer, in one call or two, in whatever order', () => {
    const a = made('a', ['x'], ['y']);
    const b = made('b', ['y']);
    for (const flow of [
      graph('f').add(a, b),
      graph('f').add(b, a),
      graph('f').add(a).add(b),
      graph('f').add(b).add(a),
    ]) {
      expect(namesOf(flow)).toEqual(['a', 'b']);
      expect(linksOf(flow)).toEqual(['a -> b, for y']);
      expect([...flow.requires]).toEqual(['x']);
      expect([...flow.provides]).toEqual(['y']);
    }
  });

  it('leaves independent children alone', () => {
    const flow = graph('f').add(made('a', ['x']), made('b', [], ['y']));
    expect(linksOf(flow)).toEqual([]);
    expect([...flow.requires]).toEqual(['x']);
  });

  it('gathers all reasons on one link', () => {
    const flow = graph('f').add(made('a', [], ['x', 'y', 'z']), made('b', ['z', 'x']));
    expect(linksOf(flow)).toEqual(['a -> b, for z x']);
  });

  it('makes no link for what the retry provides', () => {
    const retry = retryWith({ provides: 'x' });
    const flow = graph('f', { retry }).add(made('a', ['x'], 'y'), made('b', ['y']), made('c', [], 'x'));
    expect(linksOf(flow)).toEqual(['a -> b, for y']);
    expect([...flow.requires]).toEqual([]);
  });

  it('does not satisfy a child by itself', () => {
    const flow = graph('f').add(made('a', ['x'], 'x'));
    expect([...flow.requires]).toEqual(['x']);
    flow.add(made('b', [], 'x'));
    expect(linksOf(flow)).toEqual(['b -> a, for x']);
    expect([...flow.requires]).toEqual([]);
  });

  it('gives a requirer to the first who provides what it needs', () => {
    const flow = graph('f')
      .add(made('r', ['x']))
      .add(made('p', [], 'x'))
      .add(made('q', [], 'x'));
    expect(linksOf(flow)).toEqual(['p -> r, for x']);
  });

  it('does not link one who is satisfied by somebody farther before', () => {
    const [p, m, r] = [made('p', [], 'x'), made('m'), made('r', ['x'])];
    const flow = graph('f').addAll([p, m, r], { resolveRequires: false, resolveExisting: false });
    flow.link(p, m).link(m, r);
    flow.add(made('q', [], 'x'));
    expect(linksOf(flow)).toEqual(['p -> m, manual', 'm -> r, manual']);
    expect([...flow.requires]).toEqual([]);
  });

  it('may have several who provide the same, as long as nobody asks for it', () => {
    const flow = graph('f').add(made('a', [], 'x'), made('b', [], 'x'));
    expect([...flow.provides]).toEqual(['x']);
    const before = stateOf(flow);
    expect(() => flow.add(made('c', [], 'q'), made('d', ['x', 'q']))).toThrow(
      new AmbiguousDependencyError("'d' requires 'x', which more than one child of flow 'f' provides: [a, b]"),
    );
    expect(stateOf(flow)).toEqual(before);
    expect(() => flow.add(made('e', ['q']))).not.toThrow();
    expect([...flow.requires]).toEqual(['q']);
  });

  it('does not look for providers when told not to, until somebody comes later', () => {
    const flow = graph('f')
      .add(made('p', [], 'x'))
      .addAll([made('r', ['x'])], { resolveRequires: false });
    expect(linksOf(flow)).toEqual([]);
    expect([...flow.requires]).toEqual(['x']);
    flow.add(made('q', [], 'x'));
    expect(linksOf(flow)).toEqual(['q -> r, for x']);
  });

  it('has one call not link to those it does not look for providers for', () => {
    const flow = graph('f').addAll([made('r', ['x']), made('p', [], 'x')], { resolveRequires: false });
    expect(linksOf(flow)).toEqual([]);
  });

  it('does not look for requirers when told not to', () => {
    const flow = graph('f')
      .add(made('r', ['x']))
      .addAll([made('p', [], 'x')], { resolveExisting: false });
    expect(linksOf(flow)).toEqual([]);
    expect([...flow.requires]).toEqual(['x']);
  });

  it('takes nested flows as a whole', () => {
    const inner = linear('g').add(made('a', ['x'], 'y'), made('b', ['y'], 'z'));
    const flow = graph('f').add(made('c', ['z']), inner, made('p', [], 'x'));
    expect(namesOf(flow)).toEqual(['p', 'g', 'c']);
    expect(linksOf(flow)).toEqual(['g -> c, for z', 'p -> g, for x']);
  });

  it('sees what a nested flow requires and provides by now', () => {
    const inner = linear('g');
    const flow = graph('f').add(inner);
    inner.add(made('a', ['x'], 'y'));
    flow.add(made('p', [], 'x'), made('r', ['y']));
    expect(linksOf(flow)).toEqual(['g -> r, for y', 'p -> g, for x']);
  });

  it('refuses a circle, and stays as it was', () => {
    const flow = graph('f').add(made('a', ['z'], 'x'), made('b', ['x'], 'y'));
    const before = stateOf(flow);
    expect(() => flow.add(made('d', [], 'w'), made('c', ['y'], 'z'))).toThrow(
      new DependencyError("No path through the children of flow 'f' agrees with their links: 'a' -> 'b' -> 'c' -> 'a'"),
    );
    expect(stateOf(flow)).toEqual(before);
    expect(namesOf(flow.add(made('e', ['w', 'z'])))).toEqual(['a', 'e', 'b']);
  });

  it('refuses a circle in one call', () => {
    expect(() => graph('f').add(made('a', ['c'], 'a'), made('b', ['a'], 'b'), made('c', ['b'], 'c'))).toThrow(
      DependencyError,
    );
  });

  it('shortens what it shows of a long circle', () => {
    const ring = Array.from({ length: 100 }, (_, at) => made(`t${at}`, [`s${at}`], `s${(at + 1) % 100}`));
    expect(() => graph('f').addAll(ring)).toThrow(`'t7' -> 't8' -> … -> 't99' -> 't0'`);
  });

  it('refuses a child that provides what the retry requires (D13)', () => {
    const retry = retryWith({ name: 'r', requires: ['x'] });
    const flow = graph('f', { retry }).add(made('a', ['x']));
    const before = stateOf(flow);
    expect(() => flow.add(made('b'), made('p', [], ['x']))).toThrow(
      new DependencyError(
        "The retry 'r' of flow 'f' requires 'x', which 'p' provides, but a retry runs before all children of its flow",
      ),
    );
    expect(stateOf(flow)).toEqual(before);
    expect(() => flow.addAll([made('p', [], ['x'])], { resolveExisting: false })).not.toThrow();
    expect([...flow.requires]).toEqual(['x']);
  });

  it('requires what its retry requires, even if the retry provides it', () => {
    const retry = retryWith({ requires: ['x'], provides: 'x' });
    expect([...graph('f', { retry }).add(made('a', ['x'])).requires]).toEqual(['x']);
  });
});

describe('linking in a graph flow', () => {
  it('puts one child before another', () => {
    const [a, b] = [made('a'), made('b')];
    const flow = graph('f').add(b, a);
    expect(flow.link(a, b)).toBe(flow);
    expect(namesOf(flow)).toEqual(['a', 'b']);
    expect(linksOf(flow)).toEqual(['a -> b, manual']);
  });

  it('adds to a link that is there', () => {
    const [a, b] = [made('a', [], 'x'), made('b', ['x'])];
    expect(linksOf(graph('f').add(a, b).link(a, b))).toEqual(['a -> b, for x, manual']);
    const flow = graph('f').addAll([b, a], { resolveRequires: false, resolveExisting: false }).link(a, b);
    expect([...flow.requires]).toEqual([]);
  });

  it('refuses children that are not there', () => {
    const [a, b] = [made('a'), made('b')];
    const flow = graph('f').add(a);
    expect(() => flow.link(b, a)).toThrow(RangeError);
    expect(() => flow.link(b, a)).toThrow("is not in flow 'f' to link from");
    expect(() => flow.link(a, b)).toThrow("is not in flow 'f' to link to");
  });

  it('refuses circles, and stays as it was', () => {
    const [a, b, c] = [made('a', [], 'x'), made('b', ['x']), made('c')];
    const flow = graph('f').add(a, b, c).link(b, c);
    const before = stateOf(flow);
    expect(() => flow.link(c, a)).toThrow(
      new DependencyError("No path through the children of flow 'f' agrees with their links: 'a' -> 'b' -> 'c' -> 'a'"),
    );
    expect(() => flow.link(b, a)).toThrow(DependencyError);
    expect(() => flow.link(a, a)).toThrow(DependencyError);
    expect(stateOf(flow)).toEqual(before);
    expect(() => flow.link(a, c)).not.toThrow();
  });

  it('takes a decider, and how far its no reaches', () => {
    const [a, b] = [made('a'), made('b')];
    expect(linksOf(graph('f').add(a, b).link(a, b, { decider: yes }))).toEqual([
      'a -> b, manual, decider without depth',
    ]);
    expect(linksOf(graph('f').add(a, b).link(a, b, { decider: yes, depth: 'flow' }))).toEqual([
      'a -> b, manual, decider FLOW',
    ]);
  });

  it('drops the depth with the decider that it was for (D14)', () => {
    const [a, b] = [made('a'), made('b')];
    const flow = graph('f').add(a, b).link(a, b, { decider: yes, depth: 'ATOM' });
    expect(linksOf(flow.link(a, b))).toEqual(['a -> b, manual, decider ATOM']);
    expect(linksOf(flow.link(a, b, { decider: () => false }))).toEqual(['a -> b, manual, decider without depth']);
  });

  it('refuses a decider that is none, and a depth that is none or is alone', () => {
    const [a, b] = [made('a'), made('b')];
    const flow = graph('f').add(a, b);
    expect(() => flow.link(a, b, { decider: 'no' as never })).toThrow(
      new RangeError(`decider of a link from 'a' to 'b' takes a function, got "no"`),
    );
    expect(() => flow.link(a, b, { depth: 'ALL' })).toThrow(RangeError);
    expect(() => flow.link(a, b, { decider: yes, depth: '2 much' as never })).toThrow(RangeError);
    expect(() => flow.link(a, b, { decider: yes, depth: 5 as never })).toThrow(TypeError);
    expect(linksOf(flow)).toEqual([]);
  });

  it('leaves links alone that somebody has already got', () => {
    const [a, b] = [made('a', [], 'x'), made('b', ['x'])];
    const flow = graph('f').add(a, b);
    const [link] = [...flow.links()];
    flow.link(a, b, { decider: yes });
    expect(link?.metadata).toEqual({ reasons: new Set(['x']) });
  });
});

describe('the order of a graph flow', () => {
  it('is by layers, each in the order in which its members lost their last predecessor', () => {
    const [a, b, c, d, e, f] = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => made(name));
    const flow = graph('g').add(f!, e!, d!, c!, b!, a!);
    flow.link(a!, f!).link(b!, f!).link(e!, c!);
    expect(namesOf(flow)).toEqual(['e', 'd', 'b', 'a', 'c', 'f']);
  });

  it('has links by source as added, those of one source as made', () => {
    const [a, b, c] = [made('a', [], ['x', 'y']), made('b', ['y'], 'z'), made('c', ['z', 'x'])];
    expect(linksOf(graph('f').add(c, b, a))).toEqual(['b -> c, for z', 'a -> c, for x', 'a -> b, for y']);
    expect(linksOf(graph('f').add(a, b, c))).toEqual(['a -> b, for y', 'a -> c, for x', 'b -> c, for z']);
  });
});
